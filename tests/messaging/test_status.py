"""Status callbacks: rank only rises, and whatever order they come in, the end is the same."""

from datetime import timedelta
from itertools import permutations
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from reminders.clinic.consent import newest_decision
from reminders.clinic.models import AuditEvent, Clinic, Patient, PatientPhone
from reminders.delivery.port import Unknown
from reminders.messaging.cancelling import take_back
from reminders.messaging.models import CarrierEvent, Kind, Message
from reminders.messaging.outbox import claim_due, send_claimed
from reminders.messaging.status import record_status
from tests.factories import make_clinician, make_message, phone_of
from tests.messaging.carriers import PaperCarrier, new_sid
from tests.messaging.conftest import NOON
from tests.messaging.outbox_steps import again, claimed_text, send_due, sending_state
from tests.messaging.threads import run_at_once

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def tell(message: Message, status: str, *, code: int | None = None, sid: str = "", channel: str = "sms") -> bool:
    """The carrier reports on a message, by its own id unless told otherwise."""
    return record_status(
        public_id=message.public_id,
        carrier_sid=sid or message.carrier_sid,
        status=status,
        error_code=code,
        now=NOON + MINUTE,
        channel=channel,
    )


@pytest.fixture
def accepted(patient: Patient) -> Message:
    """A text that the carrier took."""
    return make_message(patient=patient, state="accepted", due_at=NOON)


@pytest.mark.parametrize("order", list(permutations(["queued", "sending", "sent", "delivered"])))
def test_any_order_ends_as_delivered(accepted: Message, order: tuple[str, ...]) -> None:
    for status in [*order, *order]:
        tell(accepted, status)

    assert again(accepted).state == "delivered"
    assert CarrierEvent.objects.filter(message=accepted).count() == 8


@pytest.mark.parametrize("order", list(permutations(["queued", "sent", "undelivered"])))
def test_any_order_ends_as_undelivered_with_its_code(accepted: Message, order: tuple[str, ...]) -> None:
    for status in order:
        tell(accepted, status, code=30003 if status == "undelivered" else None)

    assert (again(accepted).state, again(accepted).reason, again(accepted).error_code) == (
        "undelivered",
        "unreachable",
        30003,
    )


def test_a_doubled_callback_is_kept_and_changes_nothing(accepted: Message) -> None:
    assert tell(accepted, "sent") is True
    assert tell(accepted, "sent") is False

    assert list(CarrierEvent.objects.values_list("applied", flat=True).order_by("id")) == [True, False]


def test_a_doubled_callback_adds_the_code_that_came_without_one(accepted: Message) -> None:
    tell(accepted, "undelivered")
    assert tell(accepted, "undelivered", code=30005) is True
    assert tell(accepted, "undelivered", code=30003) is False

    assert (again(accepted).error_code, again(accepted).reason) == (30005, "number_dead")


def test_a_late_delivered_is_believed(accepted: Message) -> None:
    tell(accepted, "undelivered", code=30008)
    tell(accepted, "delivered")

    assert (again(accepted).state, again(accepted).reason) == ("delivered", "")


@pytest.mark.parametrize("status", ["partially_delivered", "", "a new word", "DELIVERED"])
def test_an_unknown_word_is_kept_and_changes_nothing(accepted: Message, status: str) -> None:
    assert tell(accepted, status) is False

    assert again(accepted).state == "accepted"
    assert CarrierEvent.objects.get().status == status


def test_a_message_nobody_knows_is_kept_without_effect(accepted: Message) -> None:
    moved = record_status(public_id=uuid4(), carrier_sid=new_sid(), status="delivered", error_code=None, now=NOON)

    assert moved is False
    assert CarrierEvent.objects.get().message is None
    assert again(accepted).state == "accepted"


def test_a_report_without_an_id_changes_nothing(patient: Patient) -> None:
    message = make_message(patient=patient, state="ambiguous", attempts=1, due_at=NOON)

    assert record_status(public_id=message.public_id, carrier_sid="", status="sent", error_code=None, now=NOON) is False
    assert again(message).state == "ambiguous"


@pytest.mark.parametrize("code", [10**12, -1, 0])
def test_a_code_that_is_none_is_not_kept(accepted: Message, code: int) -> None:
    assert tell(accepted, "failed", code=code) is True
    assert again(accepted).error_code is None


@pytest.mark.parametrize("state", ["sending", "ambiguous", "unresolved"])
@pytest.mark.parametrize(("status", "end"), [("queued", "accepted"), ("sent", "sent"), ("delivered", "delivered")])
def test_a_callback_with_our_id_heals_what_was_not_known(patient: Patient, state: str, status: str, end: str) -> None:
    message = make_message(patient=patient, state=state, attempts=1, due_at=NOON)
    sid = new_sid()

    assert tell(message, status, sid=sid) is True

    healed = again(message)
    assert (healed.state, healed.carrier_sid, healed.accepted_at) == (end, sid, NOON + MINUTE)


def test_a_text_that_waits_again_after_a_try_and_turns_out_to_have_arrived_is_not_sent_again(patient: Patient) -> None:
    waiting = make_message(patient=patient, attempts=1, due_at=NOON, unknown_policy="resend")
    held = make_message(patient=patient, attempts=1, due_at=NOON, unknown_policy="resend", body="held")
    carrier = PaperCarrier()
    holds = [one for one in claim_due(now=NOON) if one.id == held.pk]
    Message.objects.filter(pk=waiting.pk).update(state="scheduled")

    for message in (waiting, held):
        assert tell(message, "delivered", sid=new_sid()) is True

    assert send_claimed(held=holds, now=NOON, carrier=carrier) == 0
    assert claim_due(now=NOON) == []
    assert carrier.asked_for == []


def test_what_was_never_tried_cannot_have_arrived(patient: Patient) -> None:
    message, _held = claimed_text(patient)

    assert tell(message, "delivered", sid=new_sid()) is False
    assert (again(message).state, sending_state(message)) == ("scheduled", "claimed")


@pytest.mark.parametrize("state", ["cancelled", "expired", "suppressed", "rejected"])
def test_what_has_ended_without_leaving_stays_so(patient: Patient, state: str) -> None:
    message = make_message(patient=patient, state=state, reason="voided", due_at=NOON)

    assert tell(message, "delivered", sid=new_sid()) is False
    assert again(message).state == state


def test_a_second_id_for_one_text_raises_the_alarm_and_changes_nothing(accepted: Message) -> None:
    with capture_logs() as logs:
        assert tell(accepted, "delivered", sid=new_sid()) is False

    assert [(entry["event"], entry["log_level"]) for entry in logs] == [("second_carrier_id", "error")]
    assert again(accepted).state == "accepted"
    assert AuditEvent.objects.get(verb="second_carrier_id").subject_id == accepted.pk


def test_a_second_id_is_expected_where_twice_is_better_than_lost(patient: Patient) -> None:
    message = make_message(patient=patient, kind=Kind.EMERGENCY, state="accepted", unknown_policy="resend", due_at=NOON)

    with capture_logs() as logs:
        tell(message, "delivered", sid=new_sid())

    assert [(entry["event"], entry["log_level"]) for entry in logs] == [("sent_again", "warning")]


@pytest.mark.parametrize(("code", "state"), [(30005, "dead"), (30006, "landline"), (30003, "unreachable")])
def test_a_failure_marks_the_phone(accepted: Message, patient: Patient, code: int, state: str) -> None:
    tell(accepted, "undelivered", code=code)

    assert PatientPhone.objects.get(patient=patient).state == state


def test_a_phone_out_of_reach_still_gets_what_comes_next(accepted: Message, patient: Patient) -> None:
    later = make_message(patient=patient, due_at=NOON + timedelta(hours=3))

    tell(accepted, "undelivered", code=30003)

    assert again(later).state == "scheduled"


def test_an_opt_out_told_late_is_an_opt_out(accepted: Message, patient: Patient) -> None:
    later = make_message(patient=patient, due_at=NOON + timedelta(hours=3))

    tell(accepted, "failed", code=21610)

    decision = newest_decision(patient.clinic, phone_of(patient))
    assert decision is not None
    assert decision.decision == "revoked"
    assert again(later).state == "suppressed"


def test_a_sender_without_its_registration_is_held(accepted: Message, clinic: Clinic) -> None:
    tell(accepted, "failed", code=30034)

    assert clinic.senders.get().paused_reason == "sender_fault"


@pytest.mark.parametrize(
    ("statuses", "end"),
    [
        (["initiated", "ringing", "in-progress", "completed"], "delivered"),
        (["completed", "ringing", "initiated"], "delivered"),
        (["ringing", "busy"], "undelivered"),
        (["ringing", "no-answer"], "undelivered"),
        (["failed"], "failed"),
    ],
)
def test_a_call_ends_as_it_ended(clinic: Clinic, statuses: list[str], end: str) -> None:
    call = make_message(
        clinician=make_clinician(clinic=clinic), kind=Kind.STAFF_CALL, channel="voice", state="accepted", due_at=NOON
    )

    for status in statuses:
        tell(call, status, channel="voice")

    assert again(call).state == end


@pytest.mark.django_db(transaction=True)
def test_callbacks_at_once_end_where_the_highest_rank_is(patient: Patient) -> None:
    message = make_message(patient=patient, state="sending", attempts=1, due_at=NOON)
    sid = new_sid()

    run_at_once(
        [
            lambda status=status: tell(message, status, sid=sid)  # type: ignore[misc]
            for status in ["delivered", "queued", "sent", "sending", "delivered", "sent"]
        ]
    )

    assert again(message).state == "delivered"
    assert CarrierEvent.objects.filter(message=message).count() == 6


def test_one_that_was_dropped_while_it_waited_for_another_try_may_have_arrived_with_the_first(patient: Patient) -> None:
    message = make_message(patient=patient, kind=Kind.EMERGENCY, unknown_policy="resend", due_at=NOON, now=NOON)
    send_due(PaperCarrier(answers={phone_of(patient): Unknown("timeout")}))
    take_back(Message.objects.filter(pk=message.pk), reason="voided", now=NOON)
    assert again(message).state == "cancelled"

    assert tell(message, "delivered", sid=new_sid()) is True
    assert again(message).state == "delivered"
