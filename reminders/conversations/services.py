"""Verbs of conversations that staff and edges call."""

from datetime import datetime

from django.db.models import Q

from reminders.clinic import audit
from reminders.clinic.errors import NotFoundError
from reminders.clinic.models import AuditEvent, Clinic, Clinician, Patient
from reminders.conversations.inbound import IncomingText, read_phone, receive, unread
from reminders.conversations.models import InboundMessage

__all__ = [
    "IncomingText",
    "assign",
    "link_to_patient",
    "mark_inbox_done",
    "put_back",
    "read_phone",
    "receive",
    "unread",
]


def mark_inbox_done(*, inbound_id: int, clinic: Clinic, clinician: Clinician, now: datetime) -> None:
    """Take a text out of the inbox. Doing it twice changes nothing. Raises NotFoundError for another clinic's text."""
    _move(inbound_id, clinic, clinician, now, InboundMessage.Inbox.OPEN, InboundMessage.Inbox.DONE, "read_in_inbox")


def put_back(*, inbound_id: int, clinic: Clinic, clinician: Clinician, now: datetime) -> None:
    """Put a handled text into the inbox again; twice changes nothing. Raises NotFoundError as above."""
    _move(inbound_id, clinic, clinician, now, InboundMessage.Inbox.DONE, InboundMessage.Inbox.OPEN, "put_back_in_inbox")


def assign(*, inbound_id: int, to: Clinician | None, clinic: Clinic, clinician: Clinician, now: datetime) -> bool:
    """Say who takes on a text that waits in the inbox, or with None that nobody does; `clinician` is who says so.

    Returns False where that changes nothing or the text waits no more. Raises NotFoundError where the text or the
    member of staff is not of this clinic or no longer works there.
    """
    inbound = _of_clinic(inbound_id, clinic)
    if to is not None and (to.clinic_id != clinic.pk or not to.is_active):
        raise NotFoundError("There is no such member of staff in this clinic.")
    waiting = InboundMessage.objects.filter(pk=inbound_id, inbox=InboundMessage.Inbox.OPEN)
    same = Q(assigned_to=to) if to else Q(assigned_to__isnull=True)
    changed = waiting.exclude(same).update(assigned_to=to)
    if changed:
        audit.record(
            clinic=clinic,
            actor=AuditEvent.Actor.CLINICIAN,
            clinician=clinician,
            verb="assigned_in_inbox",
            subject=inbound,
            patient=inbound.patient,
            now=now,
            to=to.pk if to else None,
        )
    return bool(changed)


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
