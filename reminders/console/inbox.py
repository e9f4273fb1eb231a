"""The inbox: texts that only a person can answer, and whose they are."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from reminders import clock
from reminders.clinic.errors import ReminderError
from reminders.clinic.models import Clinician, Patient
from reminders.console.access import ROLES, May, StaffRequest, access_inbound, access_patient, allows, room
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
    show = request.GET.get("show", "")
    is_done, is_mine = show == "done", show == "mine"
    can_handle = allows(clinician=request.user, may=May.HANDLE_INBOX)
    rows = (
        selectors.inbox_handled(clinic=clinic, now=now, limit=SHOWN)
        if is_done
        else selectors.inbox(
            clinic=clinic, limit=SHOWN, reason="" if is_mine else reason, assigned_to=request.user if is_mine else None
        )
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
        "is_mine": is_mine,
        "mine": selectors.inbox_of_one(clinician=request.user) if can_handle else 0,
        "colleagues": _readers(request) if can_handle and rows and not is_done else [],
        "shown": SHOWN,
        "zone": clinic.timezone,
        "can_handle": can_handle,
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
def assign(request: StaffRequest, inbound_id: int) -> HttpResponse:
    """Say who takes one text on; an empty choice gives it back to everybody."""
    inbound = access_inbound(request, inbound_id)
    chosen = request.POST.get("to", "")
    to = next((one for one in _readers(request) if str(one.pk) == chosen), None)
    if chosen and to is None:
        messages.error(request, "That person cannot take on texts here. Choose somebody from the list.")
        return redirect("inbox")
    services.assign(inbound_id=inbound.pk, to=to, clinic=request.user.clinic, clinician=request.user, now=clock.now())
    whom = "nobody yet" if to is None else "you" if to.pk == request.user.pk else to.display_name
    messages.success(request, f"The text is now with {whom}.")
    return redirect("inbox")


def _readers(request: StaffRequest) -> list[Clinician]:
    """Return the staff who may deal with the inbox, the reader first, then by name."""
    active = Clinician.objects.filter(clinic=request.user.clinic_id, is_active=True, role__in=ROLES[May.HANDLE_INBOX])
    return sorted(active, key=lambda one: (one.pk != request.user.pk, one.display_name.casefold()))


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
