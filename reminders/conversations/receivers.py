"""What conversations do, in the same transaction, when something happens in the clinic."""

from datetime import datetime
from typing import Any

from django.dispatch import receiver

from reminders.clinic import events
from reminders.clinic.models import Clinic, Patient, TreatmentSession
from reminders.conversations.check_ins import close_opted_out
from reminders.conversations.models import CheckIn, InboundMessage, WhoseAnswer
from reminders.core.states import CheckInState


@receiver(events.treatment_session_voided, dispatch_uid="conversations")
def close_voided(sender: object, *, treatment_session: TreatmentSession, now: datetime, **_: Any) -> None:
    """Close the questions about a session that never was."""
    CheckIn.objects.filter(treatment_session=treatment_session, state=CheckInState.OPEN).update(
        state=CheckInState.CLOSED, outcome=CheckIn.Outcome.VOIDED, answered_at=now
    )


@receiver(events.consent_revoked, dispatch_uid="conversations")
def close_questions(sender: object, *, clinic: Clinic, number: str, now: datetime, **_: Any) -> None:
    """Wait no longer for answers of a phone that opted out, by text, through staff or at the carrier."""
    close_opted_out(clinic=clinic, number=number, now=now)


@receiver(events.patients_merged, dispatch_uid="conversations")
def move_conversation(sender: object, *, kept: Patient, duplicate: Patient, **_: Any) -> None:
    """Bring the duplicate's texts and questions over; either number of an open "whose is it?" now names one person."""
    InboundMessage.objects.filter(patient=duplicate).update(patient=kept)
    CheckIn.objects.filter(patient=duplicate).update(patient=kept)
    for question in WhoseAnswer.objects.filter(clinic=kept.clinic, patient_ids__contains=[duplicate.pk]):
        question.patient_ids = [kept.pk if pk == duplicate.pk else pk for pk in question.patient_ids]
        question.save(update_fields=["patient_ids"])
