"""What every verb of a case needs: its row, and the record of who did what."""

from datetime import datetime
from typing import Any

from reminders.clinic import audit
from reminders.clinic.models import AuditEvent, Clinic, Clinician
from reminders.core.states import EscalationState
from reminders.escalations.errors import AlreadyTakenError, EscalationNotFoundError
from reminders.escalations.models import Escalation
from reminders.messaging.cancelling import take_back


def get_case(escalation_id: int, clinic: Clinic) -> Escalation:
    """Return the case of this clinic. Raises EscalationNotFoundError where there is none."""
    escalation = (
        Escalation.objects.select_related("clinic", "patient", "treatment_session", "owner", "inbound")
        .filter(pk=escalation_id, clinic=clinic)
        .first()
    )
    if escalation is None:
        raise EscalationNotFoundError("There is no such case in this clinic.")
    return escalation


def hold_case(escalation_id: int, clinic: Clinic) -> Escalation:
    """Return the case with its row locked until the transaction ends.

    Raises EscalationNotFoundError where this clinic has no such case, AlreadyTakenError where it is closed.
    """
    Escalation.objects.select_for_update().filter(pk=escalation_id, clinic=clinic).first()
    escalation = get_case(escalation_id, clinic)
    if escalation.state == EscalationState.RESOLVED:
        raise AlreadyTakenError("This case is closed already.")
    return escalation


def stop_notices(escalation: Escalation, now: datetime) -> None:
    """Take back notices to staff that have not left: who has the case has changed."""
    take_back(escalation.notices.filter(clinician__isnull=False), reason="acknowledged", now=now)


def record(
    escalation: Escalation, verb: str, now: datetime, *, clinician: Clinician | None = None, **details: Any
) -> None:
    """Append one event of the case; without a clinician it happened by itself."""
    audit.record(
        clinic=escalation.clinic,
        actor=AuditEvent.Actor.CLINICIAN if clinician else AuditEvent.Actor.SYSTEM,
        clinician=clinician,
        verb=verb,
        subject=escalation,
        patient=escalation.patient,
        now=now,
        **details,
    )
