"""Delivery: what nobody knows the fate of, the numbers on both ends, and what patients missed."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from reminders import clock
from reminders.clinic.errors import ReminderError
from reminders.clinic.numbers import failing_numbers, number_is_fine
from reminders.console.access import May, StaffRequest, access_message, access_phone, access_sender, allows, room
from reminders.console.moments import span
from reminders.insights import delivery as insights
from reminders.messaging.deciding import STAFF, mark_as_not_arrived, mark_as_sent, send_again
from reminders.messaging.models import Message
from reminders.messaging.reconcile import UNRESOLVED_AFTER, UNRESOLVED_UNASKED_AFTER
from reminders.messaging.senders import COUNTED, Queue, queues, resume_sender

PERIODS: Final = {1: "1 day", 7: "7 days", 30: "30 days", 90: "90 days"}
DEFAULT_DAYS: Final = 7
NUMBERS_SHOWN: Final = 50


@room(may=May.READ)
def delivery_room(request: StaffRequest) -> HttpResponse:
    """Show the room; `?days=` and `?page=` choose what of the register, and the address holds nothing else."""
    clinic, now = request.user.clinic, clock.now()
    days = _whole(request.GET.get("days", ""), DEFAULT_DAYS)
    days = days if days in PERIODS else DEFAULT_DAYS
    undecided, looked_for = insights.undecided(clinic=clinic), insights.looked_for(clinic=clinic)
    senders = queues(clinic=clinic, now=now)
    numbers = failing_numbers(clinic=clinic, limit=NUMBERS_SHOWN + 1)
    context = {
        "clinic": clinic,
        "now": now,
        "zone": clinic.timezone,
        "headline": _headline(undecided, looked_for, senders),
        "undecided": [(row, _why_not_again(row, now)) for row in undecided],
        "looked_for": [(row, span(now - row.changed_at)) for row in looked_for],
        "patience": span(UNRESOLVED_AFTER),
        "patience_unasked": span(UNRESOLVED_UNASKED_AFTER),
        "numbers": numbers[:NUMBERS_SHOWN],
        "more_numbers": len(numbers) > NUMBERS_SHOWN,
        "senders": senders,
        "counted": COUNTED,
        "missed": insights.missed(
            clinic=clinic, since=now - timedelta(days=days), page=_whole(request.GET.get("page", ""), 1)
        ),
        "second_tries": insights.second_tries(clinic=clinic, since=now - timedelta(days=days)),
        "periods": PERIODS,
        "days": days,
        "can_decide": allows(clinician=request.user, may=May.DECIDE_DELIVERY),
    }
    return render(request, "console/delivery.j2", context)


@room(may=May.DECIDE_DELIVERY, methods=("POST",))
def mark_sent(request: StaffRequest, message_id: int) -> HttpResponse:
    """Let one unresolved text count as sent."""
    row = access_message(request, message_id)
    return _done(
        request,
        lambda: mark_as_sent(message_id=row.pk, clinic=request.user.clinic, clinician=request.user, now=clock.now()),
        "It counts as sent. Nothing was sent now.",
    )


@room(may=May.DECIDE_DELIVERY, methods=("POST",))
def mark_not_arrived(request: StaffRequest, message_id: int) -> HttpResponse:
    """Let one unresolved text count as failed."""
    row, user = access_message(request, message_id), request.user
    return _done(
        request,
        lambda: mark_as_not_arrived(message_id=row.pk, clinic=user.clinic, clinician=user, now=clock.now()),
        "It counts as not arrived. Nothing was sent now.",
    )


@room(may=May.DECIDE_DELIVERY, methods=("POST",))
def again(request: StaffRequest, message_id: int) -> HttpResponse:
    """Send one unresolved text again, as a new one."""
    row = access_message(request, message_id)
    return _done(
        request,
        lambda: send_again(message_id=row.pk, clinic=request.user.clinic, clinician=request.user, now=clock.now()),
        "A new text takes its place. It leaves now, or when the patient’s quiet hours are over.",
    )


@room(may=May.DECIDE_DELIVERY, methods=("POST",))
def number_fine(request: StaffRequest, phone_id: int) -> HttpResponse:
    """Let texts go to a patient's number again."""
    row = access_phone(request, phone_id)
    return _done(
        request,
        lambda: number_is_fine(phone_id=row.pk, clinic=request.user.clinic, clinician=request.user, now=clock.now()),
        "The number counts as fine. Texts planned from now on go there; withheld ones stay withheld.",
    )


@room(may=May.DECIDE_DELIVERY, methods=("POST",))
def resume(request: StaffRequest, sender_id: int) -> HttpResponse:
    """End the pause of one of the clinic's numbers."""
    row = access_sender(request, sender_id)
    return _done(
        request,
        lambda: resume_sender(sender_id=row.pk, clinic=request.user.clinic, clinician=request.user, now=clock.now()),
        "The number sends again. If the carrier still refuses, it is held anew and shown here.",
    )


def _done(request: StaffRequest, verb: Callable[[], object], success: str) -> HttpResponse:
    """Do it and say so, or say who or what was faster; in both cases back to the room."""
    try:
        verb()
    except ReminderError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, success)
    return redirect("delivery")


def _whole(words: str, otherwise: int) -> int:
    """Return a small whole number from an address, or `otherwise`."""
    return int(words) if words.isascii() and words.isdigit() and len(words) < 7 else otherwise


def _headline(undecided: list[Message], looked_for: list[Message], senders: list[Queue]) -> str:
    """Return the one true sentence the page begins with, about what most needs a person."""
    held = sum(queue.held_for is not None for queue in senders)
    if undecided:
        many = f"{len(undecided)}{'+' if len(undecided) == insights.UNKNOWN_SHOWN else ''}"
        return "1 text waits for a decision." if len(undecided) == 1 else f"{many} texts wait for a decision."
    if held:
        return "One of our numbers is held." if held == 1 else f"{held} of our numbers are held."
    if looked_for:
        return "Proof is still looked for; nothing to decide yet."
    return "We know what became of every text."


def _why_not_again(message: Message, now: datetime) -> str:
    """Return why this one is not offered to be sent again; empty where it is."""
    if message.kind in STAFF:
        return "An open case rings on by itself, so notices to staff are not sent again by hand."
    if message.expires_at <= now:
        return "It is too late for this text to be of use. Call the patient if it matters."
    return ""
