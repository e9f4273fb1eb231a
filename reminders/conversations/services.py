"""Verbs of conversations that staff and edges call."""

from datetime import datetime

from reminders.clinic import audit
from reminders.clinic.errors import NotFoundError
from reminders.clinic.models import AuditEvent, Clinic, Clinician, Patient
from reminders.conversations.inbound import IncomingText, read_phone, receive, unread
from reminders.conversations.models import InboundMessage

__all__ = ["IncomingText", "link_to_patient", "mark_inbox_done", "put_back", "read_phone", "receive", "unread"]


def mark_inbox_done(*, inbound_id: int, clinic: Clinic, clinician: Clinician, now: datetime) -> None:
    """Take a text out of the inbox. Doing it twice changes nothing. Raises NotFoundError for another clinic's text."""
    _move(inbound_id, clinic, clinician, now, InboundMessage.Inbox.OPEN, InboundMessage.Inbox.DONE, "read_in_inbox")


def put_back(*, inbound_id: int, clinic: Clinic, clinician: Clinician, now: datetime) -> None:
    """Put a handled text into the inbox again; twice changes nothing. Raises NotFoundError as above."""
    _move(inbound_id, clinic, clinician, now, InboundMessage.Inbox.DONE, InboundMessage.Inbox.OPEN, "put_back_in_inbox")


def link_to_patient(*, inbound_id: int, patient: Patient, clinician: Clinician, now: datetime) -> bool:
    """Say whose text it is where nobody knew; it then stands in that patient's conversation.

    Nothing follows from it by itself: the number is not put on file, no consent is given by it, and no answer leaves.
    Returns False where somebody has said so already. Raises NotFoundError where the text is of another clinic.
    """
    inbound = _of_clinic(inbound_id, patient.clinic)
    linked = InboundMessage.objects.filter(pk=inbound_id, patient__isnull=True).update(patient=patient)
    if linked:
        audit.record(
            clinic=patient.clinic,
            actor=AuditEvent.Actor.CLINICIAN,
            clinician=clinician,
            verb="linked_to_patient",
            subject=inbound,
            patient=patient,
            now=now,
        )
    return bool(linked)


def _of_clinic(inbound_id: int, clinic: Clinic) -> InboundMessage:
    inbound = InboundMessage.objects.filter(pk=inbound_id, clinic=clinic).select_related("patient").first()
    if inbound is None:
        raise NotFoundError("There is no such text in this clinic.")
    return inbound


def _move(
    inbound_id: int, clinic: Clinic, clinician: Clinician, now: datetime, before: str, after: str, verb: str
) -> None:
    inbound = _of_clinic(inbound_id, clinic)
    if InboundMessage.objects.filter(pk=inbound_id, inbox=before).update(inbox=after):
        audit.record(
            clinic=clinic,
            actor=AuditEvent.Actor.CLINICIAN,
            clinician=clinician,
            verb=verb,
            subject=inbound,
            patient=inbound.patient,
            now=now,
        )
