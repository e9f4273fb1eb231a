"""What follows one text: read it, find its question, apply the policy, all in the caller's transaction."""

from dataclasses import asdict
from datetime import datetime, timedelta

from reminders.clinic.consent import KEYWORD_START, grant_consent, revoke_consent
from reminders.clinic.models import Clinic, Patient, TreatmentSession
from reminders.clinic.selectors import patients_by_number
from reminders.content.selectors import step_of_kind
from reminders.conversations.check_ins import (
    answerable,
    close_all,
    close_answered,
    lay_out_step,
    open_asked_check_ins,
    thresholds_of,
)
from reminders.conversations.models import CheckIn, InboundMessage, Understanding
from reminders.conversations.replies import answer
from reminders.conversations.staff import handle_staff_answer, is_staff_answer
from reminders.conversations.trends import handle_trend
from reminders.core.protocols import Thresholds
from reminders.core.schedule import StepKind
from reminders.core.states import CheckInState
from reminders.core.triage import Decision, Situation, decide
from reminders.core.understanding import Intent, Reading, read
from reminders.escalations.services import raise_escalation
from reminders.messaging.cancelling import withhold_advice
from reminders.messaging.models import Kind

# Which treatment a text is about where no question is open: soreness and late signs show within days.
RECENT = timedelta(days=7)
UNASKED = Thresholds(
    persists_score=4,
    same_day_score=7,
    meaningful_change=2,
    silent_after_minutes=1440,
    reply_window_minutes=2880,
    clarify_limit=0,
    recheck_limit=0,
)


def handle(*, inbound: InboundMessage, now: datetime) -> None:
    """Do everything that follows one stored text, once. The caller holds the phone's turn and the transaction."""
    if inbound.clinic is None or inbound.handled_at is not None:
        return
    if is_staff_answer(inbound):
        _done(inbound, handle_staff_answer(inbound=inbound, now=now), now)
        return
    reading = read(inbound.body)
    _keep_reading(inbound, reading, now)
    people = patients_by_number(clinic=inbound.clinic, number=inbound.from_number)
    if people:
        inbound.patient = people[0]
    for patient in people:
        open_asked_check_ins(now=now, patient=patient)
    _done(inbound, _apply(inbound, inbound.clinic, reading, people, now), now)


def _keep_reading(inbound: InboundMessage, reading: Reading, now: datetime) -> None:
    Understanding.objects.get_or_create(
        inbound=inbound,
        defaults={
            "clinic": inbound.clinic,
            "intent": reading.intent,
            "score": reading.score,
            "flags": sorted(reading.flags),
            "because": [asdict(because) for because in reading.because],
            "is_sure": reading.sure,
            "read_at": now,
        },
    )


def _done(inbound: InboundMessage, handled_as: str, now: datetime) -> None:
    inbound.handled_as, inbound.handled_at = handled_as, now
    inbound.save(update_fields=["patient", "handled_as", "handled_at", "inbox", "inbox_reason"])


def _to_inbox(inbound: InboundMessage, reason: str) -> None:
    inbound.inbox, inbound.inbox_reason = InboundMessage.Inbox.OPEN, reason


def _apply(inbound: InboundMessage, clinic: Clinic, reading: Reading, people: list[Patient], now: datetime) -> str:
    handled = ""
    if _wants_out(inbound, reading):
        _opt_out(inbound, clinic, people, now)
        handled = "opted_out"
    if reading.intent is Intent.RED_FLAG:
        _red_flag(inbound, clinic, reading, people, now)
        return "red_flag"
    if handled:
        return handled
    if inbound.opt_out_type == "START" or reading.intent is Intent.OPT_IN:
        return _opt_in(inbound, clinic, people, now)
    if inbound.opt_out_type == "HELP" or reading.intent is Intent.HELP:
        if not inbound.opt_out_type:
            answer(inbound=inbound, key="help", kind=Kind.CONFIRMATION, patient=inbound.patient, now=now)
        return "helped"
    if not people:
        return _unknown_number(inbound, now)
    return _conversation(inbound, reading, people, now)


def _wants_out(inbound: InboundMessage, reading: Reading) -> bool:
    """An opt-out counts also where a danger sign outranks it in the reading: both happen."""
    says_so = any(because.rule.startswith("opt_out") for because in reading.because)
    return inbound.opt_out_type == "STOP" or reading.intent is Intent.OPT_OUT or says_so


def _opt_out(inbound: InboundMessage, clinic: Clinic, people: list[Patient], now: datetime) -> None:
    method = "carrier_keyword" if inbound.opt_out_type else "text"
    is_new = revoke_consent(clinic=clinic, number=inbound.from_number, method=method, now=now, patient=inbound.patient)
    for patient in people:
        close_all(patient=patient, outcome=CheckIn.Outcome.OPTED_OUT, now=now)
    # One confirmation, and none where the carrier has sent its own.
    if is_new and not inbound.opt_out_type:
        answer(inbound=inbound, key="opt_out_confirmed", kind=Kind.CONFIRMATION, patient=inbound.patient, now=now)


def _opt_in(inbound: InboundMessage, clinic: Clinic, people: list[Patient], now: datetime) -> str:
    if not people:
        return _unknown_number(inbound, now)
    grant_consent(clinic=clinic, number=inbound.from_number, method=KEYWORD_START, now=now, patient=inbound.patient)
    if not inbound.opt_out_type:
        answer(inbound=inbound, key="opt_in_confirmed", kind=Kind.CONFIRMATION, patient=inbound.patient, now=now)
    return "opted_in"


def _unknown_number(inbound: InboundMessage, now: datetime) -> str:
    """List the text for staff, and answer once a day at most: two machines must not talk to each other."""
    _to_inbox(inbound, "unknown_number")
    told_lately = InboundMessage.objects.filter(
        clinic=inbound.clinic,
        from_number=inbound.from_number,
        handled_as="unknown_number",
        received_at__gt=now - timedelta(days=1),
    ).exists()
    if not told_lately:
        answer(inbound=inbound, key="unknown_number", now=now)
    return "unknown_number"


def _red_flag(inbound: InboundMessage, clinic: Clinic, reading: Reading, people: list[Patient], now: datetime) -> None:
    """Answer at once, withhold advice and ring a human, for everyone who shares the phone."""
    decision = decide(reading=reading, situation=Situation(asked=StepKind.CHECK_IN, thresholds=UNASKED))
    language = inbound.patient.language if inbound.patient else (reading.language or clinic.language)
    answer(
        inbound=inbound,
        key=decision.answer,
        kind=Kind.EMERGENCY,
        patient=inbound.patient,
        language=language,
        now=now,
    )
    if not people:
        _to_inbox(inbound, "unknown_number")
        _escalate(inbound, None, None, None, decision, reading, now)
    for patient in people:
        check_in = answerable(patient=patient, now=now)
        session = check_in.treatment_session if check_in else _recent_session(patient, now)
        if session is not None:
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
        _escalate(inbound, patient, session, check_in, decision, reading, now)


def _escalate(
    inbound: InboundMessage,
    patient: Patient | None,
    session: TreatmentSession | None,
    check_in: CheckIn | None,
    decision: Decision,
    reading: Reading,
    now: datetime,
) -> None:
    if decision.severity is None or inbound.clinic is None:
        return
    raise_escalation(
        clinic=inbound.clinic,
        patient=patient,
        reason=decision.reason,
        severity=decision.severity,
        now=now,
        treatment_session=session,
        check_in_id=check_in.pk if check_in else None,
        inbound_id=inbound.pk,
        details={"flags": sorted(reading.flags), "score": reading.score},
    )


def _recent_session(patient: Patient, now: datetime) -> TreatmentSession | None:
    return (
        patient.treatment_sessions.filter(status=TreatmentSession.Status.COMPLETED, ended_at__gt=now - RECENT)
        .select_related("clinician")
        .order_by("-ended_at")
        .first()
    )


def _conversation(inbound: InboundMessage, reading: Reading, people: list[Patient], now: datetime) -> str:
    if handle_trend(inbound=inbound, people=people, now=now):
        return "followed_up"
    asked = [check_in for patient in people if (check_in := answerable(patient=patient, now=now))]
    if len(asked) > 1:
        # Two people share the phone and both were asked: nobody guesses whose answer this is.
        _to_inbox(inbound, "whose_answer")
        answer(inbound=inbound, key="person_will_look", patient=inbound.patient, now=now)
        return "whose_answer"
    check_in = asked[0] if asked else None
    patient = check_in.patient if check_in else people[0]
    inbound.patient = patient
    decision = decide(reading=reading, situation=_situation(check_in))
    session = check_in.treatment_session if check_in else _recent_session(patient, now)
    if decision.answer:
        answer(inbound=inbound, key=decision.answer, patient=patient, now=now)
    if decision.inbox_reason:
        _to_inbox(inbound, decision.inbox_reason)
    if check_in is not None:
        _move_check_in(check_in, decision, reading, inbound, now)
    _escalate(inbound, patient, session, check_in, decision, reading, now)
    return "answered_check_in" if check_in else "read_outside_check_in"


def _situation(check_in: CheckIn | None) -> Situation:
    if check_in is None:
        return Situation(asked=None, thresholds=UNASKED)
    earlier = (
        CheckIn.objects.filter(
            treatment_session=check_in.treatment_session, state=CheckInState.ANSWERED, asked_at__lt=check_in.asked_at
        )
        .order_by("-asked_at")
        .first()
    )
    return Situation(
        asked=StepKind(check_in.kind),
        thresholds=thresholds_of(check_in),
        clarifications=check_in.clarifications,
        earlier_score=earlier.score if earlier else None,
        rechecks=CheckIn.objects.filter(treatment_session=check_in.treatment_session, kind=StepKind.RECHECK).count(),
    )


def _move_check_in(
    check_in: CheckIn, decision: Decision, reading: Reading, inbound: InboundMessage, now: datetime
) -> None:
    if decision.ask_again:
        CheckIn.objects.filter(pk=check_in.pk).update(clarifications=check_in.clarifications + 1)
    if decision.outcome:
        close_answered(
            check_in=check_in,
            outcome=decision.outcome,
            score=reading.score,
            answer=inbound,
            follow_up=decision.follow_up,
            now=now,
        )
    if decision.recheck:
        step = step_of_kind(version=check_in.plan.protocol_version, kind=StepKind.RECHECK)
        if step is not None:
            lay_out_step(check_in=check_in, step=step, anchor_at=now, now=now)
