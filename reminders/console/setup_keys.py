"""Set-up: the keys with which other systems send sessions."""

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from reminders import clock
from reminders.clinic.models import AuditEvent
from reminders.clinic.services import create_api_key, revoke_api_key
from reminders.console.access import May, StaffRequest, access_api_key, room
from reminders.console.forms import Labelled

UNPROCESSABLE = 422
SHOWN = 50


class KeyForm(Labelled):
    """Which system gets the key."""

    label = forms.CharField(
        label="Which system gets it?",
        max_length=60,
        error_messages={"required": "Name the system, so that you know which key to end one day."},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


@room(may=May.MANAGE_CLINIC, methods=("GET", "HEAD", "POST"))
def keys(request: StaffRequest) -> HttpResponse:
    """List the keys; by POST make one and show it, this once."""
    form = KeyForm(request.POST or None)
    plain = ""
    if request.method == "POST" and form.is_valid():
        # Shown in the answer itself: a page to be sent on to would need the key kept somewhere meanwhile.
        _row, plain = create_api_key(
            clinic=request.user.clinic,
            label=form.cleaned_data["label"],
            actor=AuditEvent.Actor.CLINICIAN,
            clinician=request.user,
            now=clock.now(),
        )
        form = KeyForm()
    rows = request.user.clinic.api_keys.order_by("-id")
    base = settings.PUBLIC_BASE_URL.rstrip("/") or request.build_absolute_uri("/").rstrip("/")
    context = {
        "form": form,
        "plain": plain,
        "live": list(rows.filter(revoked_at__isnull=True)[:SHOWN]),
        "ended": list(rows.filter(revoked_at__isnull=False)[:SHOWN]),
        "address": f"{base}/api/v1/",
        "zone": request.user.clinic.timezone,
    }
    return render(request, "console/setup_keys.j2", context, status=UNPROCESSABLE if form.errors else 200)


@room(may=May.MANAGE_CLINIC, methods=("POST",))
def revoke(request: StaffRequest, key_id: int) -> HttpResponse:
    """End a key at once."""
    ended = revoke_api_key(
        api_key=access_api_key(request, key_id),
        actor=AuditEvent.Actor.CLINICIAN,
        clinician=request.user,
        now=clock.now(),
    )
    messages.success(request, "Ended. Whoever uses this key is refused from now on." if ended else "It had ended.")
    return redirect("setup_keys")
