"""The inbox: texts that only a person can answer, and whose they are."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from reminders import clock
from reminders.clinic.errors import ReminderError
from reminders.clinic.models import Patient
from reminders.console.access import May, StaffRequest, access_inbound, access_patient, allows, room
from reminders.console.marks import deciding_words
from reminders.console.moments import span
from reminders.console.timeline import read_as
from reminders.console.wording import INBOX_REASONS
from reminders.conversations import services
from reminders.conversations.models import InboundMessage
from reminders.insights import selectors

SHOWN = 50
FOUND = 10


@room(may=May.READ)
def inbox(request: StaffRequest) -> HttpResponse:
    """List what waits for a reader, the oldest first, or what was dealt with in the last days."""
    now = clock.now()
    clinic = request.user.clinic
    reason = request.GET.get("why", "")
    reason = reason if reason in INBOX_REASONS else ""
    is_done = request.GET.get("show") == "done"
    rows = (
        selectors.inbox_handled(clinic=clinic, now=now, limit=SHOWN)
        if is_done
        else selectors.inbox(clinic=clinic, limit=SHOWN, reason=reason)
    )
    counts = selectors.inbox_counts(clinic=clinic)
    oldest = min((row.received_at for row in rows), default=now)
    context: dict[str, Any] = {
        "rows": [(row, deciding_words(row), read_as(row), span(now - row.received_at)) for row in rows],
        "counts": counts,
        "waiting": sum(counts.values()),
        "oldest": span(now - oldest),
        "reason": reason,
        "is_done": is_done,
        "shown": SHOWN,
        "zone": clinic.timezone,
        "can_handle": allows(clinician=request.user, may=May.HANDLE_INBOX),
    }
    return render(request, "console/inbox.j2", context)


@room(may=May.HANDLE_INBOX, methods=("POST",))
def done(request: StaffRequest, inbound_id: int) -> HttpResponse:
    """Take one received text out of the inbox."""
    inbound = access_inbound(request, inbound_id)
    services.mark_inbox_done(inbound_id=inbound.pk, clinic=request.user.clinic, clinician=request.user, now=clock.now())
    messages.success(request, "Marked as done.")
    return redirect("inbox" if request.POST.get("from") == "inbox" else "today")


@room(may=May.HANDLE_INBOX, methods=("POST",))
def back(request: StaffRequest, inbound_id: int) -> HttpResponse:
    """Put one handled text into the inbox again."""
    inbound = access_inbound(request, inbound_id)
    services.put_back(inbound_id=inbound.pk, clinic=request.user.clinic, clinician=request.user, now=clock.now())
    messages.success(request, "It waits for a reader again.")
    return redirect("inbox")


@room(may=May.HANDLE_INBOX, methods=("GET", "HEAD", "POST"))
def whose(request: StaffRequest, inbound_id: int) -> HttpResponse:
    """Find the patient a text came from, and say so; names are searched by POST, addresses hold none."""
    inbound = access_inbound(request, inbound_id)
    if inbound.patient_id is not None:
        messages.error(request, "Somebody has said already whose text this is.")
        return redirect("inbox")
    chosen = request.POST.get("patient", "")
    if chosen.isdecimal():
        return _link(request, inbound, access_patient(request, int(chosen)))
    words = request.POST.get("q", "").strip()[:80]
    found = selectors.find_patients(clinic=request.user.clinic, words=words, limit=FOUND) if words else []
    context = {
        "text": inbound,
        "because": deciding_words(inbound),
        "words_searched": words,
        "found": found,
        "zone": request.user.clinic.timezone,
    }
    return render(request, "console/inbox_whose.j2", context)


def _link(request: StaffRequest, inbound: InboundMessage, patient: Patient) -> HttpResponse:
    try:
        is_linked = services.link_to_patient(
            inbound_id=inbound.pk, patient=patient, clinician=request.user, now=clock.now()
        )
    except ReminderError as error:
        messages.error(request, str(error))
        return redirect("inbox")
    if is_linked:
        messages.success(request, f"The text now stands in the conversation of {patient.display_name}.")
    else:
        messages.error(request, "Somebody has said already whose text this is.")
    return redirect("inbox")
