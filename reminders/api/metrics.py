"""`GET /metrics`: the figures for Prometheus, for who holds the token, or for this machine alone where none is set."""

from http import HTTPStatus
from urllib.parse import urlsplit

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from reminders import clock
from reminders.config import LOOPBACK_HOSTS
from reminders.insights.figures import read_figures
from reminders.insights.metrics import exposition

# A proxy on this machine makes everybody look as if they sat at it; these tell that one stands between.
OF_PROXIES = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-IP", "Forwarded", "Via")


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer with the figures; 401 without the token, 403 from elsewhere where none is set, 503 without a database."""
    token: str = settings.METRICS_TOKEN
    if token and not constant_time_compare(request.headers.get("Authorization", ""), f"Bearer {token}"):
        refused = _plain("Send REMINDERS_METRICS_TOKEN as a bearer token.", HTTPStatus.UNAUTHORIZED)
        refused["WWW-Authenticate"] = 'Bearer realm="metrics"'
        return refused
    if not token and not _is_from_this_machine(request):
        return _plain("Set REMINDERS_METRICS_TOKEN to read this from elsewhere.", HTTPStatus.FORBIDDEN)
    try:
        figures = read_figures(now=clock.now())
    except DatabaseError:
        return _plain("The database does not answer.", HTTPStatus.SERVICE_UNAVAILABLE)
    return HttpResponse(exposition(figures), content_type=CONTENT_TYPE_LATEST)


def _is_from_this_machine(request: HttpRequest) -> bool:
    host = urlsplit(f"//{request.get_host()}").hostname
    is_direct = not settings.CONFIG.trust_proxy and not any(name in request.headers for name in OF_PROXIES)
    return is_direct and request.META.get("REMOTE_ADDR") in LOOPBACK_HOSTS and host in LOOPBACK_HOSTS


def _plain(sentence: str, status: HTTPStatus) -> HttpResponse:
    return HttpResponse(f"{sentence}\n", status=status, content_type="text/plain; charset=utf-8")
