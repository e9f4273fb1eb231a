"""The numbers a clinic texts from: what waits for each, and letting a held one go on."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.contrib.postgres.expressions import ArraySubquery
from django.db import transaction
from django.db.models import Func, IntegerField, OuterRef, Q
from django.db.models.expressions import RawSQL

from reminders.clinic import audit
from reminders.clinic.errors import ConflictError
from reminders.clinic.models import AuditEvent, Clinic, Clinician
from reminders.core.states import MessageState
from reminders.messaging.compose import announce
from reminders.messaging.models import PRIORITY, OutboxRow, Sender

# Pauses are on the database's unmoved time, as all pacing is.
_UNMOVED = RawSQL("clock_timestamp()", [])  # a constant


COUNTED: Final = 10_000
"""Of what waits for a sender, so many are counted: a page must not take longer where a million wait."""


@dataclass(frozen=True, slots=True)
class Queue:
    """One sender with what waits for it, each figure cut at `COUNTED`. `held_for`: its pause still lasts so long."""

    sender: Sender
    due_now: int
    later: int
    held_for: timedelta | None


def queues(*, clinic: Clinic, now: datetime) -> list[Queue]:
    """Return each sender of the clinic with how many messages are due and how many wait for their time; one query."""
    senders = clinic.senders.annotate(
        unmoved_now=_UNMOVED, due_now=_count(Q(due_at__lte=now)), later=_count(Q(due_at__gt=now))
    )
    return [
        Queue(sender, sender.due_now, sender.later, held_for=_held_for(sender.paused_until, sender.unmoved_now))
        for sender in senders.order_by("id")
    ]


def _count(when: Q) -> Func:
    """Count what waits for a sender, as far as `COUNTED`, along the index that the claim uses."""
    waiting = OutboxRow.objects.filter(
        when, sender=OuterRef("pk"), state=MessageState.SCHEDULED, priority__in=sorted(PRIORITY.values())
    )
    return Func(ArraySubquery(waiting.values("pk")[:COUNTED]), function="cardinality", output_field=IntegerField())


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
