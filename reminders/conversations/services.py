"""Verbs of conversations that staff and edges call."""

from datetime import datetime

from reminders.clinic import audit
from reminders.clinic.errors import NotFoundError
from reminders.clinic.models import AuditEvent, Clinic, Clinician
from reminders.conversations.inbound import IncomingText, read_phone, receive, unread
from reminders.conversations.models import InboundMessage

__all__ = ["IncomingText", "mark_inbox_done", "read_phone", "receive", "unread"]


def mark_inbox_done(*, inbound_id: int, clinic: Clinic, clinician: Clinician, now: datetime) -> None:
    """Take a text out of the inbox. Doing it twice changes nothing. Raises NotFoundError for another clinic's text."""
    inbound = InboundMessage.objects.filter(pk=inbound_id, clinic=clinic).first()
    if inbound is None:
        raise NotFoundError("There is no such text in this clinic.")
    moved = InboundMessage.objects.filter(pk=inbound_id, inbox=InboundMessage.Inbox.OPEN).update(
        inbox=InboundMessage.Inbox.DONE
    )
    if moved:
        audit.record(
            clinic=clinic,
            actor=AuditEvent.Actor.CLINICIAN,
            clinician=clinician,
            verb="read_in_inbox",
            subject=inbound,
            patient=inbound.patient,
            now=now,
        )
