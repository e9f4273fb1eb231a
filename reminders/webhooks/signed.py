"""Only the carrier may call: every webhook is checked against the configured public address."""

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Concatenate, ParamSpec

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from reminders.delivery.registry import carrier

log = structlog.get_logger(__name__)
P = ParamSpec("P")
EMPTY_TWIML = '<?xml version="1.0" encoding="UTF-8"?><Response></Response>'


def form_of(request: HttpRequest) -> QueryDict:
    """Return the posted form with blank values kept: they are part of the signature."""
    return QueryDict(request.body, encoding="utf-8")


def twiml(document: str = EMPTY_TWIML) -> HttpResponse:
    """Return a TwiML answer; the empty one means: nothing to say."""
    return HttpResponse(document, content_type="text/xml")


def is_from_carrier(*, path: str, form: Mapping[str, Sequence[str]], headers: Mapping[str, str]) -> bool:
    """Tell whether our carrier signed this form for our account and this path (with its query); a refusal is logged.

    Checked against the address that the carrier was given, not the one that a proxy shows us.
    """
    url = settings.PUBLIC_BASE_URL.rstrip("/") + path
    authentic = carrier().is_authentic(url=url, form=form, headers=headers)
    if authentic and list(form.get("AccountSid", ()))[-1:] == [settings.TWILIO_ACCOUNT_SID]:
        return True
    log.warning("webhook_refused", signed=authentic)
    return False


def signed(
    view: Callable[Concatenate[HttpRequest, P], HttpResponseBase],
) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """Let a view run only for a POST that our carrier signed for our account; anything else is 403 without effect."""

    @csrf_exempt
    @require_POST
    @wraps(view)
    def checked(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        form = form_of(request)
        fields = {name: form.getlist(name) for name in form}
        if not is_from_carrier(path=request.get_full_path(), form=fields, headers=request.headers):
            return HttpResponse(status=403)
        return view(request, *args, **kwargs)

    return checked
