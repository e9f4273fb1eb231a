"""Taking back what has not left. These run inside the transaction of the opt-out, cancel or void that causes them.

The update waits for a worker that is passing the commit point with the same row, and then finds the row gone from the
unsent states: so once the cause has committed, no further create can start.
"""

from collections.abc import Collection
from datetime import datetime

from reminders.clinic.models import Clinic, Patient, TreatmentSession
from reminders.core.states import UNSENT, MessageState
from reminders.messaging.models import AftercarePlan, Kind, Message

# What belongs to the course of one session; answers and notices do not.
COURSE = (Kind.ADVICE, Kind.CHECK_IN, Kind.NUDGE, Kind.RECHECK)


def cancel_course(
    *, treatment_session: TreatmentSession, reason: str, now: datetime, kinds: Collection[Kind] = COURSE
) -> int:
    """Cancel the unsent texts of one session, of the kinds given; return how many."""
    return Message.objects.filter(
        treatment_session=treatment_session, kind__in=list(kinds), state__in=list(UNSENT)
    ).update(state=MessageState.CANCELLED, reason=reason, changed_at=now, lease_until=None)


def suppress_phone(*, clinic: Clinic, number: str, now: datetime) -> int:
    """Suppress every unsent text of a phone after its opt-out, but the confirmation; they are never restored."""
    return (
        Message.objects.filter(clinic=clinic, to_number=number, state__in=list(UNSENT), patient__isnull=False)
        .exclude(kind=Kind.CONFIRMATION)
        .update(state=MessageState.SUPPRESSED, reason="opted_out", changed_at=now, lease_until=None)
    )


def withhold_advice(*, treatment_session: TreatmentSession, now: datetime) -> int:
    """Withhold the unsent advice of a session after a danger sign: no heat, exercise or pills until a human looked."""
    AftercarePlan.objects.filter(treatment_session=treatment_session, state=AftercarePlan.State.ACTIVE).update(
        state=AftercarePlan.State.WITHHELD
    )
    return cancel_course(treatment_session=treatment_session, reason="red_flag", now=now, kinds=[Kind.ADVICE])


def cancel_older_advice(*, patient: Patient, newest: TreatmentSession, now: datetime) -> int:
    """Cancel the unsent advice of the patient's earlier sessions: the newer session's advice takes its place."""
    return Message.objects.filter(
        patient=patient,
        kind=Kind.ADVICE,
        state__in=list(UNSENT),
        treatment_session__ended_at__lt=newest.ended_at,
    ).update(state=MessageState.CANCELLED, reason="newer_session", changed_at=now, lease_until=None)
