"""What follows from each answer of the carrier."""

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from reminders.clinic.consent import newest_decision
from reminders.clinic.models import Clinic, Patient, PatientPhone, TreatmentSession
from reminders.core.carrier_errors import Fault
from reminders.delivery.port import Accepted, CreateResult, NotProcessed, Refused, Unknown
from reminders.messaging.cancelling import cancel_course, take_back
from reminders.messaging.models import DeliveryAttempt, Kind, Message, Sender
from reminders.messaging.outbox import claim_due, send_claimed, sweep_leases
from reminders.messaging.status import record_status
from tests.factories import make_clinic, make_message, make_patient, make_plan, make_treatment_session, phone_of
from tests.messaging.carriers import PaperCarrier, new_sid
from tests.messaging.conftest import NOON
from tests.messaging.outbox_steps import again, claimed_text, end_leases, send_due, sending_state

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


def settled(patient: Patient, result: CreateResult, **fields: object) -> Message:
    """A text as it stands after the carrier has given this answer."""
    message, held = claimed_text(patient, **fields)
    send_claimed(held=held, now=NOON, carrier=PaperCarrier(answers={phone_of(patient): result}))
    return again(message)


def log_of(message: Message) -> list[tuple[int, str, int | None, str, bool]]:
    """The tries of a message: number, outcome, code, id, and whether its end is known."""
    return [
        (one.number, one.outcome, one.error_code, one.carrier_sid, one.ended_at is not None)
        for one in DeliveryAttempt.objects.filter(message=message).order_by("number", "id")
    ]


def test_accepted(patient: Patient) -> None:
    sid = new_sid()
    message = settled(patient, Accepted(sid))

    assert (message.state, message.carrier_sid, message.attempts) == ("accepted", sid, 1)
    assert sending_state(message) == ""
    assert message.accepted_at is not None
    assert NOON <= message.accepted_at < NOON + 5 * SECOND
    assert log_of(message) == [(1, "accepted", None, sid, True)]


@pytest.mark.parametrize(
    "fault", [Fault.NUMBER_INVALID, Fault.NO_ROUTE, Fault.BLOCKED, Fault.CONTENT, Fault.UNKNOWN, Fault.UNREACHABLE]
)
def test_refused_for_good(patient: Patient, fault: Fault) -> None:
    message = settled(patient, Refused(fault, 21999))

    assert (message.state, message.reason, message.error_code) == ("rejected", fault, 21999)
    assert log_of(message) == [(1, "refused", 21999, "", True)]
    assert not patient.clinic.senders.filter(paused_until__isnull=False).exists()


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        (Fault.NUMBER_INVALID, "dead"),
        (Fault.NUMBER_DEAD, "dead"),
        (Fault.NUMBER_CANNOT_TEXT, "landline"),
    ],
)
def test_a_phone_that_cannot_be_texted_gets_nothing_more(patient: Patient, fault: Fault, state: str) -> None:
    later = make_message(patient=patient, due_at=NOON + timedelta(hours=2))

    settled(patient, Refused(fault, 21211))

    assert PatientPhone.objects.get(patient=patient).state == state
    assert (again(later).state, again(later).reason) == ("suppressed", f"phone_{state}")


def test_the_carriers_opt_out_is_ours_at_once(patient: Patient) -> None:
    later = make_message(patient=patient, due_at=NOON + timedelta(hours=2))

    message = settled(patient, Refused(Fault.OPTED_OUT, 21610))

    decision = newest_decision(patient.clinic, phone_of(patient))
    assert decision is not None
    assert (decision.decision, decision.method) == ("revoked", "carrier")
    assert (message.state, message.reason) == ("suppressed", "opted_out")
    assert (again(later).state, again(later).reason) == ("suppressed", "opted_out")


def test_a_sender_at_fault_is_held_with_its_queue_as_it_was(patient: Patient, clinic: Clinic) -> None:
    other_clinic = make_clinic()
    message = settled(patient, Refused(Fault.SENDER_FAULT, 21606))
    waiting = make_message(patient=patient, due_at=NOON + SECOND)

    assert (message.state, message.reason, message.due_at) == ("scheduled", "sender_fault", NOON)
    assert claim_due(now=NOON + 10 * SECOND) == []
    assert other_clinic.senders.get().paused_until is None
    clinic.senders.update(paused_until=None)
    assert [held.id for held in claim_due(now=NOON + 10 * SECOND)] == [message.pk, waiting.pk]


def test_a_stopped_account_holds_all_senders_with_one_alarm(clinic: Clinic) -> None:
    patients = [make_patient(clinic=clinic) for _ in range(4)]
    for patient in patients:
        make_message(patient=patient, due_at=NOON)
    elsewhere = make_clinic()
    carrier = PaperCarrier(answers={phone_of(patient): Refused(Fault.ACCOUNT_STOPPED, 20003) for patient in patients})

    with capture_logs() as logs:
        send_due(carrier)

    assert [entry["event"] for entry in logs if entry["log_level"] == "error"] == ["sender_paused"]
    assert Sender.objects.filter(paused_reason="account_stopped").count() == 2
    assert elsewhere.senders.get().paused_until is not None
    assert set(Message.objects.values_list("state", flat=True)) == {"scheduled"}


def test_an_operators_longer_pause_is_not_cut_short(patient: Patient, clinic: Clinic) -> None:
    message, held = claimed_text(patient)
    clinic.senders.update(paused_reason="by hand", paused_until=NOON + timedelta(days=9000))

    send_claimed(
        held=held,
        now=NOON,
        carrier=PaperCarrier(answers={phone_of(patient): Refused(Fault.ACCOUNT_STOPPED, 20003)}),
    )

    assert clinic.senders.get().paused_reason == "by hand"
    assert again(message).state == "scheduled"


def test_one_never_processed_waits_again_longer_each_time(patient: Patient) -> None:
    message = make_message(patient=patient, due_at=NOON, now=NOON)
    carrier = PaperCarrier(answers={phone_of(patient): NotProcessed("no_connection")})
    now, waits = NOON, []
    for _ in range(7):
        send_due(carrier, now=now)
        waits.append(round((again(message).due_at - now) / SECOND))
        now = again(message).due_at

    assert [wait - waits[0] % 10 for wait in waits] == pytest.approx([10, 20, 40, 80, 160, 300, 300], abs=2)
    assert again(message).attempts == 7
    assert {outcome for _, outcome, *_ in log_of(message)} == {"not_processed"}


def test_the_carriers_own_wait_is_kept(patient: Patient) -> None:
    message = settled(patient, NotProcessed("back_off", 90.0))

    assert (message.state, message.reason) == ("scheduled", "back_off")
    assert 90 * SECOND <= message.due_at - NOON < 95 * SECOND


def test_an_emergency_is_back_within_seconds(patient: Patient) -> None:
    message = settled(
        patient, NotProcessed("back_off"), kind=Kind.EMERGENCY, unknown_policy="resend", quiet_exempt=True
    )

    assert message.due_at - NOON < 5 * SECOND


@pytest.mark.parametrize("result", [NotProcessed("back_off", 600.0), Refused(Fault.SENDER_FAULT, 21606)])
def test_one_that_would_wait_past_its_expiry_is_expired_at_once(patient: Patient, result: CreateResult) -> None:
    seconds = 300 if isinstance(result, NotProcessed) else 0.001
    message = settled(patient, result, expires_at=NOON + timedelta(seconds=seconds))

    assert (message.state, message.reason) == ("expired", "found_past_expiry")


def test_unknown_waits_for_evidence_and_is_never_sent_again(patient: Patient) -> None:
    message = settled(patient, Unknown("timeout"))

    assert (message.state, message.reason) == ("ambiguous", "unknown_timeout")
    assert claim_due(now=NOON + timedelta(days=1)) == []
    assert log_of(message) == [(1, "unknown", None, "", True)]


def test_what_is_worse_lost_than_twice_is_sent_again_but_not_without_end(patient: Patient) -> None:
    message = make_message(
        patient=patient, due_at=NOON, kind=Kind.EMERGENCY, unknown_policy="resend", quiet_exempt=True, now=NOON
    )
    carrier = PaperCarrier(answers={phone_of(patient): Unknown("http_500")})
    now = NOON
    for _ in range(10):
        send_due(carrier, now=now)
        now = again(message).due_at + 20 * SECOND

    assert len(carrier.asked_for) == 4
    assert again(message).state == "ambiguous"


def test_refusals_and_failed_connections_do_not_count_against_sending_again(patient: Patient) -> None:
    message = make_message(
        patient=patient, due_at=NOON, kind=Kind.EMERGENCY, unknown_policy="resend", quiet_exempt=True, now=NOON
    )
    now = NOON
    for result in [NotProcessed("no_connection")] * 6 + [Unknown("timeout")]:
        send_due(PaperCarrier(answers={phone_of(patient): result}), now=now)
        now = again(message).due_at

    assert (again(message).state, again(message).attempts) == ("scheduled", 7)


def test_a_lease_that_ends_while_sending_leaves_it_open_what_happened(patient: Patient) -> None:
    message, held = claimed_text(patient)

    def die() -> None:
        end_leases()
        sweep_leases(now=NOON)

    send_claimed(held=held, now=NOON, carrier=PaperCarrier(meanwhile=die, answers={phone_of(patient): Unknown("x")}))

    assert (again(message).state, again(message).reason) == ("ambiguous", "lease_ended")
    assert claim_due(now=NOON + timedelta(days=1)) == []


@pytest.mark.parametrize(
    ("result", "state"),
    [
        (Accepted("SM" + "a" * 32), "accepted"),
        (Refused(Fault.CONTENT, 21617), "rejected"),
        (NotProcessed("no_connection"), "scheduled"),
    ],
)
def test_an_answer_that_comes_after_its_lease_ended_still_counts(
    patient: Patient, result: CreateResult, state: str
) -> None:
    message, held = claimed_text(patient)

    def stand_still() -> None:
        end_leases()
        sweep_leases(now=NOON)
        assert again(message).state == "ambiguous"

    send_claimed(held=held, now=NOON, carrier=PaperCarrier(meanwhile=stand_still, answers={phone_of(patient): result}))

    assert again(message).state == state


def test_a_late_acceptance_keeps_an_emergency_from_being_sent_again(patient: Patient) -> None:
    message, held = claimed_text(patient, kind=Kind.EMERGENCY, unknown_policy="resend", quiet_exempt=True)

    def stand_still() -> None:
        end_leases()
        sweep_leases(now=NOON)
        assert again(message).state == "scheduled"

    send_claimed(held=held, now=NOON, carrier=PaperCarrier(meanwhile=stand_still))

    assert again(message).state == "accepted"
    assert claim_due(now=NOON) == []


def test_the_late_answer_of_an_earlier_try_is_not_taken_for_that_of_a_later_one(patient: Patient) -> None:
    message, held = claimed_text(patient, kind=Kind.EMERGENCY, unknown_policy="resend", quiet_exempt=True)
    second = PaperCarrier(answers={phone_of(patient): Accepted("SM" + "b" * 32)})

    def stand_still() -> None:
        end_leases()
        sweep_leases(now=NOON)
        send_due(second)

    first = PaperCarrier(meanwhile=stand_still, answers={phone_of(patient): Accepted("SM" + "a" * 32)})
    with capture_logs() as logs:
        send_claimed(held=held, now=NOON, carrier=first)

    assert again(message).carrier_sid == "SM" + "b" * 32
    assert [(number, outcome, sid[-1:]) for number, outcome, _, sid, _ in log_of(message)] == [
        (1, "unknown", ""),
        (1, "accepted", "a"),
        (2, "accepted", "b"),
    ]
    assert "sent_again" in [entry["event"] for entry in logs]


def test_a_callback_that_overtakes_the_answer_wins(patient: Patient) -> None:
    message, held = claimed_text(patient)
    sid = new_sid()

    def delivered() -> None:
        record_status(
            public_id=message.public_id, carrier_sid=sid, status="delivered", error_code=None, now=NOON + SECOND
        )

    send_claimed(
        held=held, now=NOON, carrier=PaperCarrier(meanwhile=delivered, answers={phone_of(patient): Accepted(sid)})
    )

    assert (again(message).state, again(message).carrier_sid) == ("delivered", sid)
    assert log_of(message) == [(1, "accepted", None, sid, True)]


def test_two_ids_for_one_text_raise_the_alarm(patient: Patient) -> None:
    message, held = claimed_text(patient)

    def other_id() -> None:
        record_status(public_id=message.public_id, carrier_sid=new_sid(), status="sent", error_code=None, now=NOON)

    with capture_logs() as logs:
        send_claimed(held=held, now=NOON, carrier=PaperCarrier(meanwhile=other_id))

    assert [entry["event"] for entry in logs if entry["log_level"] == "error"] == ["second_carrier_id"]


def test_an_id_that_another_text_has_spoils_no_other_of_the_batch(clinic: Clinic) -> None:
    patients = [make_patient(clinic=clinic) for _ in range(3)]
    taken = make_message(patient=patients[0], state="delivered", due_at=NOON)
    messages = [make_message(patient=patient, due_at=NOON) for patient in patients]
    carrier = PaperCarrier(answers={phone_of(patients[1]): Accepted(taken.carrier_sid)})

    send_due(carrier)

    assert [again(message).state for message in messages] == ["accepted", "ambiguous", "accepted"]
    assert again(messages[1]).reason == "carrier_id_taken"


@pytest.fixture
def session(patient: Patient) -> TreatmentSession:
    """A session whose heat text is due now."""
    session = make_treatment_session(patient=patient, ended_at=NOON - timedelta(hours=1), now=NOON)
    make_plan(treatment_session=session, now=NOON)
    return session


def test_what_was_cancelled_in_flight_does_not_wait_again(session: TreatmentSession, patient: Patient) -> None:
    def void() -> None:
        assert cancel_course(treatment_session=session, reason="voided", now=NOON) == 3

    send_due(PaperCarrier(meanwhile=void, answers={phone_of(patient): NotProcessed("back_off", 30.0)}))

    heat = session.messages.get(step_key="heat")
    assert (heat.state, heat.reason) == ("cancelled", "voided")
    assert not session.messages.filter(state="scheduled").exists()


@pytest.mark.parametrize(
    ("result", "state"), [(Accepted("SM" + "c" * 32), "accepted"), (Unknown("reset"), "ambiguous")]
)
def test_what_was_cancelled_in_flight_and_may_have_left_says_so(
    session: TreatmentSession, patient: Patient, result: CreateResult, state: str
) -> None:
    def void() -> None:
        cancel_course(treatment_session=session, reason="voided", now=NOON)

    send_due(PaperCarrier(meanwhile=void, answers={phone_of(patient): result}))

    assert session.messages.get(step_key="heat").state == state


@pytest.mark.parametrize("why", ["withdrawn", "too late"])
@pytest.mark.parametrize("last", [Unknown("timeout"), NotProcessed("no_connection")])
def test_a_try_that_may_have_arrived_and_must_not_be_repeated_waits_for_evidence(
    patient: Patient, why: str, last: CreateResult
) -> None:
    message = make_message(
        patient=patient, due_at=NOON, now=NOON, kind=Kind.EMERGENCY, unknown_policy="resend", quiet_exempt=True
    )
    send_due(PaperCarrier(answers={phone_of(patient): Unknown("timeout")}))
    until = again(message).due_at

    def meanwhile() -> None:
        if why == "withdrawn":
            take_back(Message.objects.filter(pk=message.pk), reason="voided", now=until)
        else:
            Message.objects.filter(pk=message.pk).update(expires_at=until)

    send_due(PaperCarrier(answers={phone_of(patient): last}, meanwhile=meanwhile), now=until)

    assert (again(message).state, sending_state(message)) == ("ambiguous", "ambiguous")
