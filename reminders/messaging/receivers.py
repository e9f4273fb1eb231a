"""What messaging does, in the same transaction, when something happens in the clinic."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.dispatch import receiver

from reminders.clinic import events
from reminders.clinic.models import Clinic, Patient, TreatmentSession
from reminders.messaging.cancelling import cancel_course, make_way_for_new_plan, suppress_phone
from reminders.messaging.gathering import ask_for_plan
from reminders.messaging.models import AftercarePlan, Message


@receiver(events.treatment_session_recorded, dispatch_uid="messaging")
def plan_recorded(sender: object, *, treatment_session: TreatmentSession, **_: Any) -> None:
    """Plan the new session once it is stored; the sweep plans what a lost task missed."""
    transaction.on_commit(lambda: ask_for_plan(treatment_session.pk), robust=True)


@receiver(events.treatment_session_corrected, dispatch_uid="messaging")
def replan_corrected(sender: object, *, treatment_session: TreatmentSession, now: datetime, **_: Any) -> None:
    """Take back what the old facts put on its way, and lay out the rest anew."""
    make_way_for_new_plan(treatment_session=treatment_session, now=now)
    transaction.on_commit(lambda: ask_for_plan(treatment_session.pk), robust=True)


@receiver(events.treatment_session_voided, dispatch_uid="messaging")
def cancel_voided(sender: object, *, treatment_session: TreatmentSession, now: datetime, **_: Any) -> None:
    """Take back everything of a session that never was."""
    cancel_course(treatment_session=treatment_session, reason="voided", now=now)
    AftercarePlan.objects.filter(treatment_session=treatment_session).update(state=AftercarePlan.State.CANCELLED)


@receiver(events.consent_revoked, dispatch_uid="messaging")
def suppress_revoked(sender: object, *, clinic: Clinic, number: str, now: datetime, **_: Any) -> None:
    """Suppress whatever this phone would still get."""
    suppress_phone(clinic=clinic, number=number, now=now)


@receiver(events.patients_merged, dispatch_uid="messaging")
def move_messages(sender: object, *, kept: Patient, duplicate: Patient, **_: Any) -> None:
    """Bring the duplicate's texts over; what has not left of a running course is planned anew after that."""
    Message.objects.filter(patient=duplicate).update(patient=kept)
