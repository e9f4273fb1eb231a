"""Verbs of a case that somebody has: put it aside for a while, take it up again, hand it over, tell the patient."""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from reminders.clinic.models import Clinic, Clinician, LadderRung, Role
from reminders.clinic.selectors import next_opening
from reminders.core.states import EscalationState, Severity
from reminders.escalations.cases import hold_case, record, stop_notices
from reminders.escalations.errors import CannotHandOverError, CannotSnoozeError, CannotTellPatientError
from reminders.escalations.models import Escalation
from reminders.escalations.notices import notify
from reminders.escalations.patient_texts import CallPromise, promise_call
from reminders.messaging.compose import announce

LONGEST_SNOOZE: Final = timedelta(days=14)


def why_not_snoozed(*, escalation: Escalation) -> str:
    """Return why the case cannot be put aside, as a sentence to act on; empty where it can."""
    if escalation.severity == Severity.URGENT:
        return "An urgent case cannot be put aside: somebody has to look at it now. If you cannot, hand it over."
    if escalation.state == EscalationState.OPEN and escalation.severity != Severity.ROUTINE:
        return "Take this case before you put it aside, so that everybody knows whose it is."
    return ""


def snooze(*, escalation_id: int, clinic: Clinic, clinician: Clinician, until: datetime, now: datetime) -> Escalation:
    """Put a case aside until then, at most 14 days; it comes back by itself, and sooner where the patient writes again.

    Raises CannotSnoozeError for an urgent case, one that is not routine and that nobody has, and another time;
    AlreadyTakenError where it is closed, and EscalationNotFoundError where this clinic has no such case.
    """
    with transaction.atomic():
        escalation = hold_case(escalation_id, clinic)
        reason = why_not_snoozed(escalation=escalation)
        if reason:
            raise CannotSnoozeError(reason)
        if not now < until <= now + LONGEST_SNOOZE:
            raise CannotSnoozeError("Choose a time to come, within the next 14 days.")
        escalation.snoozed_until = until
        escalation.save(update_fields=["snoozed_until"])
        record(escalation, "put_aside", now, clinician=clinician, until=until.isoformat())
    return escalation


def end_snooze(*, escalation_id: int, clinic: Clinic, clinician: Clinician, now: datetime) -> Escalation:
    """Take up a case that was put aside, before or after its time; one that was not stays as it is.

    Raises AlreadyTakenError where it is closed, and EscalationNotFoundError where this clinic has no such case.
    """
    with transaction.atomic():
        escalation = hold_case(escalation_id, clinic)
        if escalation.snoozed_until is not None:
            escalation.snoozed_until = None
            escalation.save(update_fields=["snoozed_until"])
            record(escalation, "taken_up_again", now, clinician=clinician)
    return escalation


def hand_over(*, escalation_id: int, clinic: Clinic, clinician: Clinician, to: Clinician, now: datetime) -> Escalation:
    """Make `to` the owner of a case that somebody has, and tell them by text where they have a phone.

    The text leaves at once for an urgent case, for another when the clinic is open. Raises CannotHandOverError where
    nobody has the case or `to` cannot handle it; AlreadyTakenError and EscalationNotFoundError as the other verbs.
    """
    with transaction.atomic():
        escalation = hold_case(escalation_id, clinic)
        if escalation.state != EscalationState.ACKNOWLEDGED:
            raise CannotHandOverError("Take this case before you hand it over: until then the others are called too.")
        if to.clinic_id != clinic.pk or not to.is_active or to.role == Role.VIEWER:
            raise CannotHandOverError("Choose a colleague who handles cases.")
        if escalation.owner_id == to.pk:
            return escalation
        escalation.owner, escalation.snoozed_until = to, None
        escalation.handed_over_at, escalation.handed_over_by = now, clinician
        escalation.save(update_fields=["owner", "snoozed_until", "handed_over_at", "handed_over_by"])
        stop_notices(escalation, now)
        record(escalation, "handed_over", now, clinician=clinician, clinician_id=to.pk)
        if to.phone and to.pk != clinician.pk:
            _tell_colleague(escalation, to, now)
        announce()
    return escalation


def tell_patient(
    *, escalation_id: int, clinic: Clinic, clinician: Clinician, promise: CallPromise, now: datetime
) -> Escalation:
    """Tell the patient of a case that somebody has who will call and by when; each time of day once.

    Raises CannotTellPatientError where nobody has the case, they opted out, or there is no phone to write to.
    """
    with transaction.atomic():
        escalation = hold_case(escalation_id, clinic)
        if escalation.state != EscalationState.ACKNOWLEDGED:
            raise CannotTellPatientError("Take this case before you say who will call.")
        if not promise_call(escalation=escalation, promise=promise, clinician=clinician, now=now):
            raise CannotTellPatientError("The patient was not told: no text may go to this phone. Call them instead.")
        announce()
    return escalation


def _tell_colleague(escalation: Escalation, to: Clinician, now: datetime) -> None:
    is_urgent = escalation.severity == Severity.URGENT
    notify(
        escalation=escalation,
        clinician=to,
        channel=LadderRung.Channel.SMS,
        dedupe=f"handed:{to.pk}:{int(now.timestamp())}",
        due_at=now if is_urgent else next_opening(clinic=escalation.clinic, at=now) or now,
        now=now,
    )
