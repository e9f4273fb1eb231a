"""A danger sign: the emergency answer leaves, advice is withheld, and people are rung, for everyone on that phone."""

from collections.abc import Sequence
from datetime import datetime

from reminders.clinic.models import Clinic, Patient
from reminders.clinic.turns import plans_of, take_turns
from reminders.conversations.check_ins import answerable, close_answered, recent_sessions
from reminders.conversations.models import InboundMessage
from reminders.conversations.policy import UNASKED
from reminders.conversations.replies import answer
from reminders.core.schedule import StepKind
from reminders.core.states import EscalationState, Severity
from reminders.core.triage import Decision, Situation, decide
from reminders.core.understanding import Reading
from reminders.escalations.models import Escalation
from reminders.escalations.services import raise_escalation
from reminders.messaging.cancelling import withhold_advice
from reminders.messaging.models import Kind

UNREADABLE = "unreadable"
"""The reason of a case whose text the reader itself failed on: nobody knows what it says, so a person looks now."""


def answer_danger(
    *, inbound: InboundMessage, clinic: Clinic, reading: Reading, people: Sequence[Patient], now: datetime
) -> None:
    """Do all that a danger sign asks for; the caller holds the phone's turn. Two who share a phone both get a case."""
    decision = _send_emergency_answers(inbound, reading, now)
    if not people:
        inbound.inbox, inbound.inbox_reason = InboundMessage.Inbox.OPEN, "unknown_number"
        _raise_for_unknown(inbound, clinic, decision, reading, now)
    # A plan that is being laid out just now is withheld as well: either it, or this, sees the other. All turns at once,
    # because who lays out many plans holds many.
    take_turns(turns=[(clinic.pk, plans_of(patient.pk)) for patient in people])
    for patient in people:
        check_in = answerable(patient=patient, now=now)
        sessions = recent_sessions(patient=patient, now=now)
        for session in sessions:
            withhold_advice(treatment_session=session, now=now)
        if check_in is not None:
            close_answered(
                check_in=check_in,
                outcome=decision.outcome,
                score=reading.score,
                answer=inbound,
                follow_up=False,
                now=now,
            )
        about = check_in.treatment_session if check_in else next(iter(sessions), None)
        raise_escalation(
            clinic=clinic,
            patient=patient,
            reason=decision.reason,
            severity=Severity.URGENT,
            now=now,
            treatment_session=about,
            check_in_id=check_in.pk if check_in else None,
            inbound_id=inbound.pk,
            details=_details(reading),
        )


def raise_alarm(
    *, inbound: InboundMessage, clinic: Clinic, reading: Reading | None, people: Sequence[Patient], now: datetime
) -> None:
    """Ring people and answer, no more: for when doing it properly has failed, or nobody could read the text."""
    everyone: list[Patient | None] = [*people]
    for patient in everyone or [None]:
        raise_escalation(
            clinic=clinic,
            patient=patient,
            reason="red_flag" if reading else UNREADABLE,
            severity=Severity.URGENT,
            now=now,
            inbound_id=inbound.pk,
            details=_details(reading) if reading else {},
        )
    if reading is not None:
        inbound.patient = next(iter(people), None)
        _send_emergency_answers(inbound, reading, now)


def _send_emergency_answers(inbound: InboundMessage, reading: Reading, now: datetime) -> Decision:
    decision = decide(reading=reading, situation=Situation(asked=StepKind.CHECK_IN, thresholds=UNASKED))
    for key in decision.answers:
        answer(
            inbound=inbound,
            key=key,
            kind=Kind.EMERGENCY,
            patient=inbound.patient,
            language=reading.language,
            now=now,
        )
    return decision


def _raise_for_unknown(
    inbound: InboundMessage, clinic: Clinic, decision: Decision, reading: Reading, now: datetime
) -> None:
    """Raise one case per unknown phone at a time: while it is open, more texts belong to it."""
    is_rung = Escalation.objects.filter(
        clinic=clinic,
        patient__isnull=True,
        reason=decision.reason,
        state=EscalationState.OPEN,
        inbound__from_number=inbound.from_number,
    ).exists()
    if not is_rung:
        raise_escalation(
            clinic=clinic,
            patient=None,
            reason=decision.reason,
            severity=Severity.URGENT,
            now=now,
            inbound_id=inbound.pk,
            details=_details(reading),
        )


def _details(reading: Reading) -> dict[str, object]:
    return {"flags": sorted(reading.flags), "score": reading.score}
