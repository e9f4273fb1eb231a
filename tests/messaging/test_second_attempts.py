"""What the carrier took and could not deliver is tried once more."""

from datetime import datetime, timedelta

import pytest
from django.db.models.expressions import RawSQL

from reminders import clock
from reminders.clinic.consent import revoke_consent
from reminders.clinic.models import AuditEvent, Clinic, Patient, TreatmentSession
from reminders.conversations.check_ins import close_answered, open_asked_check_ins
from reminders.conversations.models import CheckIn
from reminders.delivery.twilio_carrier import TwilioCarrier
from reminders.messaging.cancelling import cancel_course
from reminders.messaging.models import AftercarePlan, Message, Sender
from reminders.messaging.outbox import send_claimed
from reminders.messaging.receipts import ask_for_receipts
from reminders.messaging.second_attempts import make_second_attempts
from reminders.messaging.status import record_status
from tests.factories import make_check_in, make_inbound, make_message, make_plan, make_treatment_session
from tests.messaging.carriers import PaperCarrier
from tests.messaging.conftest import NOON
from tests.messaging.outbox_steps import again, claim_all, send_due
from tests.sandbox.harness import ACCOUNT, TOKEN, sandbox

pytestmark = pytest.mark.django_db

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def session(patient: Patient) -> TreatmentSession:
    """A treatment of an hour ago."""
    return make_treatment_session(patient=patient, now=NOON - HOUR, ended_at=NOON - HOUR)


@pytest.fixture
def plan(session: TreatmentSession) -> AftercarePlan:
    """Its plan; the heat advice left at noon."""
    plan = make_plan(treatment_session=session, now=NOON - HOUR, states={"heat": "accepted"})
    plan.messages.filter(step_key="heat").update(carrier_sid="SM1", changed_at=NOON)
    return plan


@pytest.fixture
def heat(plan: AftercarePlan) -> Message:
    """That heat advice."""
    return plan.messages.get(step_key="heat")


def hear(message: Message, status: str, code: int | None = None, at: datetime = NOON) -> None:
    """The carrier's word about it."""
    sid = again(message).carrier_sid
    assert record_status(public_id=message.public_id, carrier_sid=sid, status=status, error_code=code, now=at)


def second_of(message: Message) -> Message | None:
    """The text in its place, if there is one."""
    return Message.objects.filter(sends_again=message).first()


def failed(message: Message, code: int = 30008, at: datetime = NOON) -> Message:
    """It is heard to have failed, and the round has passed by; the text in its place."""
    hear(message, "undelivered", code, at)
    make_second_attempts(now=at + 2 * MINUTE)
    second = second_of(message)
    assert second is not None
    return second


def test_it_leaves_once_more_after_a_while_with_the_same_words_and_on_record(
    heat: Message, carrier: PaperCarrier
) -> None:
    hear(heat, "undelivered", 30008)
    assert make_second_attempts(now=NOON + MINUTE / 2) == 0
    assert make_second_attempts(now=NOON + MINUTE) == 1
    assert make_second_attempts(now=NOON + HOUR) == 0

    second = second_of(heat)
    assert second is not None
    assert (second.state, second.reason, second.due_at) == ("scheduled", "second_attempt", NOON + 30 * MINUTE)
    assert (second.body, second.expires_at, second.plan, second.step_key) == (
        heat.body, heat.expires_at, heat.plan, "heat"
    )  # fmt: skip
    event = AuditEvent.objects.get(verb="second_attempt")
    assert (event.actor, event.subject_id, event.details) == (
        "system",
        heat.pk,
        {"as_message": second.pk, "code": 30008},
    )
    send_due(carrier, now=NOON + 29 * MINUTE)
    assert carrier.asked_for == []
    send_due(carrier, now=NOON + 30 * MINUTE)
    assert [item.message_id for item in carrier.asked_for] == [second.public_id]


def test_what_the_time_does_not_suffice_for_is_left_to_the_next_call(heat: Message) -> None:
    hear(heat, "undelivered", 30008)

    assert make_second_attempts(now=NOON + MINUTE, within_seconds=0) == 0
    assert make_second_attempts(now=NOON + MINUTE) == 1


def test_a_second_attempt_that_fails_has_none_after_it(heat: Message, carrier: PaperCarrier) -> None:
    second = failed(heat)
    send_due(carrier, now=second.due_at)

    hear(second, "undelivered", 30008, at=second.due_at)

    assert make_second_attempts(now=second.due_at + HOUR) == 0
    assert second_of(second) is None


@pytest.mark.parametrize("code", [30005, 30006, 30007, 12345, None])
def test_what_would_fail_again_is_not_tried_again(heat: Message, code: int | None) -> None:
    hear(heat, "failed", code)

    assert make_second_attempts(now=NOON + HOUR) == 0


def test_a_receipt_that_comes_after_all_takes_back_the_unsent_second(heat: Message) -> None:
    second = failed(heat)

    hear(heat, "delivered", at=NOON + 5 * MINUTE)

    assert again(heat).state == "delivered"
    assert (again(second).state, again(second).reason) == ("cancelled", "first_one_left")


def test_in_quiet_hours_it_waits_for_the_morning_and_is_dropped_where_that_is_too_late(heat: Message) -> None:
    evening, morning = NOON + 8 * HOUR, NOON + 21 * HOUR
    Message.objects.filter(pk=heat.pk).update(expires_at=morning + HOUR)
    assert failed(heat, at=evening).due_at == morning

    Message.objects.filter(sends_again=heat).delete()
    Message.objects.filter(pk=heat.pk).update(expires_at=morning, changed_at=evening + HOUR)
    assert make_second_attempts(now=evening + HOUR + MINUTE) == 0


def test_an_opt_out_wins_before_and_after(heat: Message, clinic: Clinic) -> None:
    second = failed(heat)
    revoke_consent(clinic=clinic, number=heat.to_number, method="keyword_stop", now=NOON + 3 * MINUTE)
    assert again(second).state == "suppressed"

    Message.objects.filter(pk=second.pk).delete()
    assert make_second_attempts(now=NOON + 20 * MINUTE) == 0


@pytest.mark.parametrize("state", ["withheld", "superseded", "cancelled"])
def test_a_plan_that_does_not_go_on_sends_nothing_more(heat: Message, state: str) -> None:
    hear(heat, "undelivered", 30008)
    AftercarePlan.objects.update(state=state)

    assert make_second_attempts(now=NOON + HOUR) == 0


def test_a_void_and_a_newer_session_win_and_what_has_passed_is_found_later(heat: Message, patient: Patient) -> None:
    hear(heat, "undelivered", 30008)
    newer = make_treatment_session(patient=patient, now=NOON, ended_at=NOON)
    assert make_second_attempts(now=NOON + MINUTE) == 0
    newer.delete()
    TreatmentSession.objects.update(status="voided")
    assert make_second_attempts(now=NOON + 15 * MINUTE) == 0
    TreatmentSession.objects.update(status="completed")
    assert make_second_attempts(now=NOON + HOUR) == 1


def test_a_cancel_after_it_takes_it_back(heat: Message, session: TreatmentSession) -> None:
    second = failed(heat)

    cancel_course(treatment_session=session, reason="voided", now=NOON + 3 * MINUTE)

    assert again(second).state == "cancelled"


def test_a_phone_that_turned_out_dead_gets_nothing(heat: Message, patient: Patient) -> None:
    hear(heat, "undelivered", 30003)
    patient.phones.update(state="dead")

    assert make_second_attempts(now=NOON + HOUR) == 0


def test_an_unreachable_phone_is_tried_again_hours_later(heat: Message, patient: Patient) -> None:
    second = failed(heat, code=30003)

    assert second.due_at == NOON + 2 * HOUR
    assert patient.phones.get().state == "unreachable"


def test_an_emergency_answer_is_tried_again_within_minutes_and_notices_to_staff_are_left_to_the_ladder(
    patient: Patient,
) -> None:
    night = NOON + 10 * HOUR
    answer = make_message(
        patient=patient, kind="emergency", priority=0, state="sent", now=night, due_at=night, expires_at=night + HOUR,
        quiet_exempt=True, consent_rule="not_revoked", unknown_policy="resend",
    )  # fmt: skip
    notice = make_message(patient=patient, kind="staff_notice", state="sent", now=night, due_at=night)
    hear(notice, "failed", 30003, at=night)

    assert failed(answer, code=30003, at=night).due_at == night + 2 * MINUTE
    assert second_of(notice) is None


def test_a_question_is_one_question_however_often_it_is_sent(patient: Patient, carrier: PaperCarrier) -> None:
    question = asked(patient)
    second = failed(question)
    send_due(carrier, now=second.due_at)
    hear(second, "delivered", at=second.due_at)

    open_asked_check_ins(now=second.due_at + MINUTE)
    open_asked_check_ins(now=second.due_at + MINUTE, patient=patient)

    assert CheckIn.objects.get().message == question


def test_an_answer_takes_back_the_second_question_and_none_follows_it(patient: Patient) -> None:
    question = asked(patient)
    second = failed(question)
    answer(question)
    assert again(second).state == "cancelled"

    Message.objects.filter(pk=second.pk).delete()
    assert make_second_attempts(now=NOON + 20 * MINUTE) == 0


def test_where_the_reminder_comes_first_the_question_is_not_sent_again(patient: Patient) -> None:
    question = asked(patient)
    make_message(patient=patient, plan=question.plan, kind="nudge", step_key="nudge", due_at=NOON + 20 * MINUTE)
    hear(question, "undelivered", 30008)

    assert make_second_attempts(now=NOON + 2 * MINUTE) == 0


def test_a_senders_fault_waits_until_that_sender_delivers_again(heat: Message, patient: Patient) -> None:
    hear(heat, "failed", 30034)
    assert make_second_attempts(now=NOON + 2 * MINUTE) == 0
    make_message(patient=patient, state="delivered", due_at=NOON + 50 * MINUTE, now=NOON + 50 * MINUTE)
    assert make_second_attempts(now=NOON + 59 * MINUTE) == 0  # held for five minutes of the database's own time
    Sender.objects.update(paused_until=RawSQL("clock_timestamp() - interval '1 second'", []))

    assert make_second_attempts(now=NOON + HOUR) == 1

    second = second_of(heat)
    assert second is not None
    assert second.due_at == NOON + HOUR


def test_the_whole_way_at_the_carrier_with_every_callback_lost(patient: Patient) -> None:
    now = clock.now()
    message = make_message(patient=patient, due_at=now, now=now, quiet_exempt=True, expires_at=now + 6 * HOUR)
    with sandbox() as server:
        carrier = TwilioCarrier(account_sid=ACCOUNT, auth_token=TOKEN, base_url=server.url)
        server.control(
            "POST", "numbers", {"number": message.to_number, "outcome": "undelivered", "error_code": 30008, "times": 1}
        )
        send_claimed(held=claim_all(now=now), now=now, carrier=carrier)
        server.events(until="message.status", sid=again(message).carrier_sid, status="undelivered")

        ask_for_receipts(now=now + 3 * MINUTE, carrier=carrier)
        make_second_attempts(now=now + 5 * MINUTE)
        second = second_of(message)
        assert second is not None
        later = second.due_at
        send_claimed(held=claim_all(now=later), now=later, carrier=carrier)
        server.events(until="message.status", sid=again(second).carrier_sid, status="delivered")
        ask_for_receipts(now=later + 3 * MINUTE, carrier=carrier)
        creates = server.control("GET", "tally")["creates"]

    assert (again(message).state, again(second).state, creates) == ("undelivered", "delivered", 2)
    assert make_second_attempts(now=later + HOUR) == 0


def asked(patient: Patient) -> Message:
    """A check-in question that left at noon and waits for its answer."""
    session = make_treatment_session(patient=patient, now=NOON - 24 * HOUR, ended_at=NOON - 24 * HOUR)
    states = {"heat": "delivered", "exercise": "delivered", "otc": "delivered", "check_in": "sent"}
    plan = make_plan(treatment_session=session, now=NOON - 24 * HOUR, states=states)
    check_in = make_check_in(plan=plan, now=NOON)
    return again(check_in.message)


def answer(question: Message) -> None:
    """The patient answers it."""
    check_in = CheckIn.objects.get(message=question)
    inbound = make_inbound(patient=check_in.patient, body="2", now=NOON + 3 * MINUTE)
    assert close_answered(
        check_in=check_in, outcome="resolved", score=2, answer=inbound, follow_up=False, now=NOON + 3 * MINUTE
    )
