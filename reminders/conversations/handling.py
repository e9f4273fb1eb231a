"""What follows one text: read it, find its question, apply the policy, all in the caller's transaction."""

from dataclasses import asdict, replace
from datetime import datetime, timedelta

import structlog

from reminders.clinic.models import Clinic, Patient
from reminders.clinic.selectors import patients_by_number
from reminders.content.selectors import step_of_kind
from reminders.conversations.check_ins import (
    answerable,
    close_answered,
    drop_rechecks,
    lay_out_step,
    open_asked_check_ins,
    recent_sessions,
)
from reminders.conversations.danger import answer_danger, raise_alarm
from reminders.conversations.keywords import give_help, opt_in, opt_out, wants_out
from reminders.conversations.models import CheckIn, InboundMessage, Understanding, WhoseAnswer
from reminders.conversations.replies import answer
from reminders.conversations.situations import situation_of
from reminders.conversations.staff import case_named, say_unknown_code, take_case
from reminders.conversations.trends import handle_trend, people_followed_up
from reminders.conversations.whose import ask_whose, give_up_for, give_up_on, person_named, settle, waiting_for
from reminders.conversations.wrong_numbers import is_quarantined, is_wrong_number, quarantine
from reminders.core.other_texts import is_from_machine
from reminders.core.schedule import StepKind
from reminders.core.triage import Decision, decide
from reminders.core.understanding import Intent, Reading, read
from reminders.escalations.services import raise_escalation
from reminders.logs import place_of

log = structlog.get_logger(__name__)


def read_text(inbound: InboundMessage) -> Reading | None:
    """Read a text; None where the reader itself failed, which is logged, and never loses the text.

    What a text says of which a part is lost is not sure: "all fine" may have gone on with "until last night".
    """
    try:
        reading = read(inbound.body)
        return replace(reading, sure=False) if inbound.is_cut_short else reading
    except Exception as error:  # noqa: BLE001  # whatever broke in the reader, a person has to see the text
        log.error("text_not_readable", inbound_id=inbound.pk, kind=type(error).__name__, where=place_of(error))
        return None


def handle(*, inbound: InboundMessage, now: datetime) -> None:
    """Do everything that follows one stored text, once. The caller holds the phone's turn and the transaction."""
    clinic = inbound.clinic
    if clinic is None or inbound.handled_at is not None:
        return
    people = patients_by_number(clinic=clinic, number=inbound.from_number)
    inbound.patient = next(iter(people), None)
    reading = read_text(inbound)
    if reading is not None:
        _keep_reading(inbound, reading, now)
    if inbound.media:
        # Nobody here judges a picture: a person looks, whatever the words beside it say.
        _to_inbox(inbound, "photo")
    if inbound.is_cut_short:
        _to_inbox(inbound, "cut_short")
    case = case_named(inbound)
    if case is not None and inbound.clinician is not None:
        handled_as = take_case(inbound=inbound, clinician=inbound.clinician, case=case, now=now)
        # A clinician who is also a patient may speak of a danger sign of their own.
        if not people or reading is None or reading.intent is not Intent.RED_FLAG:
            _done(inbound, handled_as, now)
            return
    if reading is None:
        _done(inbound, _hand_to_people(inbound, clinic, people, now), now)
        return
    for patient in people:
        open_asked_check_ins(now=now, patient=patient)
    _done(inbound, _apply(inbound, clinic, reading, people, now), now)


def _keep_reading(inbound: InboundMessage, reading: Reading, now: datetime) -> None:
    understanding = Understanding(
        inbound=inbound,
        clinic=inbound.clinic,
        intent=reading.intent,
        score=reading.score,
        flags=sorted(reading.flags),
        because=[asdict(because) for because in reading.because],
        is_sure=reading.sure,
        read_at=now,
    )
    # One statement: of a text that is handled again after a failure, the first reading stays.
    Understanding.objects.bulk_create([understanding], ignore_conflicts=True)


def _done(inbound: InboundMessage, handled_as: str, now: datetime) -> None:
    inbound.handled_as, inbound.handled_at = handled_as, now
    inbound.save(update_fields=["patient", "handled_as", "handled_at", "inbox", "inbox_reason"])


def _to_inbox(inbound: InboundMessage, reason: str) -> None:
    """Put a text before a person; the first reason stays."""
    if not inbound.inbox:
        inbound.inbox, inbound.inbox_reason = InboundMessage.Inbox.OPEN, reason


def _hand_to_people(inbound: InboundMessage, clinic: Clinic, people: list[Patient], now: datetime) -> str:
    """Nobody could read the text, so nobody knows that it is harmless: people are rung."""
    _to_inbox(inbound, "unreadable")
    raise_alarm(inbound=inbound, clinic=clinic, reading=None, people=people, now=now)
    answer(inbound=inbound, key="person_will_look", patient=inbound.patient, now=now)
    return "unreadable"


def give_up(*, inbound: InboundMessage, now: datetime) -> None:
    """Put a text that cannot be handled before a person, so that it does not wait for ever."""
    _to_inbox(inbound, "not_handled")
    _done(inbound, "not_handled", now)


def _apply(inbound: InboundMessage, clinic: Clinic, reading: Reading, people: list[Patient], now: datetime) -> str:
    """Go through the intents in their order of precedence; return how the text was handled."""
    leaves = wants_out(inbound, reading)
    if leaves:
        opt_out(inbound=inbound, clinic=clinic, language=reading.language, now=now)
    # Before the emergency answer is written, which this must not take back.
    is_wrong = is_wrong_number(inbound, reading, people)
    is_news = is_wrong and quarantine(inbound=inbound, clinic=clinic, people=people, now=now)
    if leaves or is_wrong or reading.intent is Intent.RED_FLAG:
        give_up_for(clinic=clinic, number=inbound.from_number, now=now)
    if reading.intent is Intent.RED_FLAG:
        answer_danger(inbound=inbound, clinic=clinic, reading=reading, people=people, now=now)
        return "red_flag"
    if leaves:
        return "opted_out"
    if is_wrong or (people and is_quarantined(clinic=clinic, number=inbound.from_number)):
        return _from_somebody_else(inbound, reading, now, is_news=is_news)
    if people and (inbound.opt_out_type == "START" or reading.intent is Intent.OPT_IN):
        opt_in(inbound=inbound, clinic=clinic, language=reading.language, now=now)
        return "opted_in"
    if not inbound.opt_out_type and is_from_machine(text=inbound.body, reading=reading):
        return "from_machine"
    if inbound.opt_out_type == "HELP" or reading.intent is Intent.HELP:
        give_help(inbound=inbound, language=reading.language, now=now)
        return "helped"
    if people:
        return _conversation(inbound, clinic, reading, people, now)
    if inbound.clinician_id is not None:
        _to_inbox(inbound, "staff_text")
        return say_unknown_code(inbound=inbound, now=now)
    return _unknown_number(inbound, now)


def _from_somebody_else(inbound: InboundMessage, reading: Reading, now: datetime, *, is_news: bool) -> str:
    """Tell whoever has the phone now nothing about anybody; what they write is for a person alone."""
    inbound.patient = None
    if is_news:  # the case that was raised shows the text
        answer(inbound=inbound, key="wrong_number", language=reading.language, now=now)
        return "wrong_number"
    if inbound.opt_out_type == "HELP" or reading.intent is Intent.HELP:
        give_help(inbound=inbound, language=reading.language, now=now)
        return "helped"
    _to_inbox(inbound, "wrong_number")
    return "wrong_number"


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


def _conversation(
    inbound: InboundMessage, clinic: Clinic, reading: Reading, people: list[Patient], now: datetime
) -> str:
    if inbound.media and not inbound.body.strip():
        answer(inbound=inbound, key="person_will_look", patient=inbound.patient, now=now)
        return "photo"
    question = waiting_for(clinic=clinic, number=inbound.from_number)
    if question is not None:
        said = person_named(question=question, body=inbound.body, people=people)
        if said is not None:
            return _about(said, question, inbound, clinic, now)
        give_up_on(question=question, now=now)
    followed_up = people_followed_up(inbound=inbound, people=people, now=now)
    if len(followed_up) > 1:
        return _whose(inbound, clinic, reading, followed_up, now)
    if handle_trend(inbound=inbound, people=people, now=now):
        return "followed_up"
    asked = [check_in for patient in people if (check_in := answerable(patient=patient, now=now))]
    meant = [check_in.patient for check_in in asked]
    if not asked and reading.intent is Intent.PERSISTS:
        meant = [patient for patient in people if recent_sessions(patient=patient, now=now)]
    if len(meant) > 1:
        return _whose(inbound, clinic, reading, meant, now)
    check_in = asked[0] if asked else None
    inbound.patient = patient = check_in.patient if check_in else people[0]
    situation = situation_of(check_in=check_in, patient=patient, body=inbound.body, now=now)
    decision = decide(reading=reading, situation=situation)
    for key in decision.answers:
        answer(inbound=inbound, key=key, patient=patient, now=now)
    if decision.inbox_reason:
        _to_inbox(inbound, decision.inbox_reason)
    if decision.drop_recheck:
        drop_rechecks(patient=patient, now=now)
    if check_in is not None:
        _move_check_in(check_in, decision, reading, inbound, now)
    if decision.severity is not None:
        sessions = recent_sessions(patient=patient, now=now)
        raise_escalation(
            clinic=clinic,
            patient=patient,
            reason=decision.reason,
            severity=decision.severity,
            now=now,
            treatment_session=check_in.treatment_session if check_in else next(iter(sessions), None),
            check_in_id=check_in.pk if check_in else None,
            inbound_id=inbound.pk,
            details={"flags": [], "score": reading.score, **_why(decision)},
        )
    return "answered_check_in" if check_in else "read_outside_check_in"


def _about(patient: Patient, question: WhoseAnswer, inbound: InboundMessage, clinic: Clinic, now: datetime) -> str:
    """Take the kept text as this patient's, as if it had said so."""
    settle(question=question, now=now)
    inbound.patient, kept = patient, question.inbound
    reading = read_text(kept)
    if reading is not None:
        _done(kept, _conversation(kept, clinic, reading, [patient], now), now)
    return "said_whose"


def _whose(inbound: InboundMessage, clinic: Clinic, reading: Reading, candidates: list[Patient], now: datetime) -> str:
    """Two people share the phone and it may be either's: nobody guesses."""
    inbound.patient = None
    if reading.intent is Intent.QUESTION:
        _to_inbox(inbound, "question")
        answer(inbound=inbound, key="question_received", patient=candidates[0], now=now)
        return "whose_answer"
    if ask_whose(inbound=inbound, clinic=clinic, reading=reading, candidates=candidates, now=now):
        return "asked_whose"
    _to_inbox(inbound, "whose_answer")
    answer(inbound=inbound, key="person_will_look", patient=candidates[0], now=now)
    return "whose_answer"


def _why(decision: Decision) -> dict[str, object]:
    """Return the codes that tell the PT why the case is as serious as it is, and what may help next time."""
    said = {"grounds": list(decision.grounds), "consider": decision.consider}
    return {name: codes for name, codes in said.items() if codes}


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
        step = step_of_kind(
            version=check_in.plan.protocol_version,
            kind=StepKind.RECHECK,
            treatment_session=check_in.treatment_session,
        )
        if step is not None:
            lay_out_step(check_in=check_in, step=step, anchor_at=now, now=now)
