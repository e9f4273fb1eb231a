"""The numbers a clinic texts from: what waits for each, and letting a held one go on."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, Q
from django.db.models.expressions import RawSQL

from reminders.clinic import audit
from reminders.clinic.errors import ConflictError
from reminders.clinic.models import AuditEvent, Clinic, Clinician
from reminders.core.states import MessageState
from reminders.messaging.compose import announce
from reminders.messaging.models import OutboxRow, Sender

# Pauses are on the database's unmoved time, as all pacing is.
_UNMOVED = RawSQL("clock_timestamp()", [])  # a constant


@dataclass(frozen=True, slots=True)
class Queue:
    """One sender with what waits for it. `held_for` is how long its pause still lasts, None where it runs."""

    sender: Sender
    due_now: int
    later: int
    held_for: timedelta | None


def queues(*, clinic: Clinic, now: datetime) -> list[Queue]:
    """Return each sender of the clinic with how many messages are due and how many wait for their time; two queries."""
    numbers = clinic.senders.values("id")
    waiting = OutboxRow.objects.filter(sender__in=numbers, state=MessageState.SCHEDULED).order_by()
    counts = {
        sender_id: (due_now, later)
        for sender_id, due_now, later in waiting.values("sender")
        .annotate(due_now=Count("pk", filter=Q(due_at__lte=now)), later=Count("pk", filter=Q(due_at__gt=now)))
        .values_list("sender", "due_now", "later")
    }
    senders = clinic.senders.annotate(unmoved_now=_UNMOVED).order_by("id")
    return [
        Queue(sender, *counts.get(sender.pk, (0, 0)), held_for=_held_for(sender.paused_until, sender.unmoved_now))
        for sender in senders
    ]


def _held_for(until: datetime | None, unmoved_now: datetime) -> timedelta | None:
    return until - unmoved_now if until is not None and until > unmoved_now else None


def resume_sender(*, sender_id: int, clinic: Clinic, clinician: Clinician, now: datetime) -> None:
    """End the pause of a sender, on record; what is due leaves at once, at the sender's pace.

    Where the cause has not gone, the next refusal holds it again. Raises ConflictError where it is not held (any more).
    """
    with transaction.atomic():
        sender = clinic.senders.select_for_update(no_key=True).filter(pk=sender_id).first()
        held = Sender.objects.filter(pk=sender_id, clinic=clinic, paused_until__gt=_UNMOVED)
        if sender is None or not held.update(paused_until=None, paused_reason=""):
            raise ConflictError("This number is not held any more.")
        audit.record(
            clinic=clinic,
            actor=AuditEvent.Actor.CLINICIAN,
            clinician=clinician,
            verb="sender_resumed",
            subject=sender,
            now=now,
            reason=sender.paused_reason,
        )
        announce()
