"""The commit point: the last moment at which anything can still keep a text from leaving."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from reminders.clinic.consent import grant_consent, revoke_consent
from reminders.clinic.models import Clinic, Patient
from reminders.delivery.port import CreateResult, OutgoingCall, OutgoingText
from reminders.messaging import outbox
from reminders.messaging.claimed import Claimed
from reminders.messaging.models import ConsentRule, DeliveryAttempt, Kind
from reminders.messaging.outbox import claim_due, send_claimed, sweep_leases
from tests.factories import make_clinic, make_clinician, make_consent, make_message, make_patient, phone_of
from tests.messaging.carriers import PaperCarrier
from tests.messaging.conftest import NOON
from tests.messaging.outbox_steps import again, claimed_text, end_leases, send_due, sending_state

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def test_a_text_that_may_leave_is_created_once_with_its_words_and_our_id(
    patient: Patient, carrier: PaperCarrier
) -> None:
    message, held = claimed_text(patient, body="How sore are you now, 0 to 10?")

    assert send_claimed(held=held, now=NOON, carrier=carrier) == 1

    [asked] = carrier.asked_for
    assert isinstance(asked, OutgoingText)
    assert (asked.message_id, asked.to_number, asked.body) == (
        message.public_id,
        phone_of(patient),
        "How sore are you now, 0 to 10?",
    )
    assert asked.from_number == message.sender.number
    assert asked.status_callback_url.startswith(f"http://testserver/webhooks/sms/status/{message.public_id}/#")
    assert again(message).state == "accepted"


def test_the_same_task_delivered_again_does_nothing(patient: Patient, carrier: PaperCarrier) -> None:
    _, held = claimed_text(patient)

    counts = [send_claimed(held=held, now=NOON, carrier=carrier) for _ in range(5)]

    assert counts == [1, 0, 0, 0, 0]
    assert len(carrier.asked_for) == 1


def test_a_task_that_comes_while_the_first_is_asking_does_nothing(patient: Patient) -> None:
    _, held = claimed_text(patient)
    second = PaperCarrier()
    first = PaperCarrier(meanwhile=lambda: send_claimed(held=held, now=NOON, carrier=second))

    send_claimed(held=held, now=NOON, carrier=first)

    assert len(first.asked_for) == 1
    assert second.asked_for == []


def test_a_worker_whose_lease_ended_sends_nothing(patient: Patient, carrier: PaperCarrier) -> None:
    message, held = claimed_text(patient)
    end_leases()

    assert send_claimed(held=held, now=NOON, carrier=carrier) == 0
    assert sending_state(message) == "claimed", "the sweep decides, not the worker that came late"

    sweep_leases(now=NOON)
    assert send_claimed(held=held, now=NOON, carrier=carrier) == 0
    assert carrier.asked_for == []


def test_a_worker_that_was_overtaken_sends_nothing(patient: Patient, carrier: PaperCarrier) -> None:
    message, old = claimed_text(patient)
    end_leases()
    sweep_leases(now=NOON)
    new = claim_due(now=NOON)

    assert send_claimed(held=old, now=NOON, carrier=carrier) == 0
    assert send_claimed(held=new, now=NOON, carrier=carrier) == 1
    assert again(message).attempts == 1


def test_a_text_found_past_its_expiry_is_expired(patient: Patient, carrier: PaperCarrier) -> None:
    message, held = claimed_text(patient, expires_at=NOON + MINUTE)

    assert send_claimed(held=held, now=NOON + MINUTE, carrier=carrier) == 0
    assert (again(message).state, again(message).reason) == ("expired", "found_past_expiry")


@pytest.mark.parametrize(
    ("rule", "decision", "leaves"),
    [
        (ConsentRule.GRANTED, "granted", True),
        (ConsentRule.GRANTED, "revoked", False),
        (ConsentRule.GRANTED, None, False),
        (ConsentRule.NOT_REVOKED, "granted", True),
        (ConsentRule.NOT_REVOKED, "revoked", False),
        (ConsentRule.NOT_REVOKED, None, True),
        (ConsentRule.NONE, "revoked", True),
    ],
)
def test_the_newest_decision_about_the_phone_counts(
    clinic: Clinic, carrier: PaperCarrier, rule: ConsentRule, decision: str | None, leaves: bool
) -> None:
    patient = make_patient(clinic=clinic, consented=False)
    message, held = claimed_text(patient, consent_rule=rule)
    if decision:
        make_consent(patient=patient, decision="revoked" if decision == "granted" else "granted", now=NOON)
        make_consent(patient=patient, decision=decision, now=NOON)

    assert bool(send_claimed(held=held, now=NOON, carrier=carrier)) is leaves
    if not leaves:
        assert (again(message).state, again(message).reason) == ("suppressed", "no_consent")


def test_consent_given_to_another_clinic_or_for_calls_is_not_consent_here(
    clinic: Clinic, carrier: PaperCarrier
) -> None:
    patient = make_patient(clinic=clinic, consented=False)
    make_patient(clinic=make_clinic(), phone=phone_of(patient))
    grant_consent(clinic=clinic, number=phone_of(patient), method="paper_form", channel="voice", now=NOON)
    _, held = claimed_text(patient)

    assert send_claimed(held=held, now=NOON, carrier=carrier) == 0


def test_one_that_may_not_leave_keeps_no_other_of_its_batch(clinic: Clinic, carrier: PaperCarrier) -> None:
    patients = [make_patient(clinic=clinic) for _ in range(5)]
    messages = [make_message(patient=patient, due_at=NOON) for patient in patients]
    held = claim_due(now=NOON)
    make_consent(patient=patients[2], decision="revoked")

    assert send_claimed(held=held, now=NOON, carrier=carrier) == 4
    assert [again(message).state for message in messages] == [
        "accepted",
        "accepted",
        "suppressed",
        "accepted",
        "accepted",
    ]


def test_a_paused_clinic_holds_its_texts_but_answers_who_wrote(
    clinic: Clinic, patient: Patient, carrier: PaperCarrier
) -> None:
    advice = make_message(patient=patient, due_at=NOON)
    answer = make_message(patient=patient, due_at=NOON, kind=Kind.REPLY, quiet_exempt=True)
    clinic.is_paused = True
    clinic.save()

    assert send_due(carrier) == 1
    assert again(answer).state == "accepted"
    assert (again(advice).state, again(advice).due_at) == ("scheduled", NOON + 5 * MINUTE)


def test_a_paused_clinic_does_not_keep_texts_beyond_their_expiry(
    clinic: Clinic, patient: Patient, carrier: PaperCarrier
) -> None:
    clinic.is_paused = True
    clinic.save()
    message = make_message(patient=patient, due_at=NOON, expires_at=NOON + 2 * MINUTE)

    send_due(carrier)
    assert again(message).due_at == NOON + 2 * MINUTE
    send_due(carrier, now=NOON + 3 * MINUTE)

    assert (again(message).state, carrier.asked_for) == ("expired", [])


def test_a_text_that_fell_into_the_night_waits_for_the_morning(patient: Patient, carrier: PaperCarrier) -> None:
    evening = datetime(2026, 5, 14, 1, 0, tzinfo=UTC)  # 20:00 in Chicago
    message = make_message(patient=patient, due_at=evening - MINUTE, expires_at=evening + timedelta(hours=14))

    assert send_due(carrier, now=evening) == 0
    assert (again(message).state, again(message).due_at) == ("scheduled", evening + timedelta(hours=13))


def test_a_text_that_the_night_would_make_stale_is_expired_at_once(patient: Patient, carrier: PaperCarrier) -> None:
    evening = datetime(2026, 5, 14, 1, 0, tzinfo=UTC)
    message = make_message(patient=patient, due_at=evening - MINUTE, expires_at=evening + timedelta(hours=12))

    assert send_due(carrier, now=evening) == 0
    assert (again(message).state, again(message).reason) == ("expired", "found_past_expiry")


def test_the_night_is_the_patients_not_the_clinics(clinic: Clinic, carrier: PaperCarrier) -> None:
    abroad = make_patient(clinic=clinic, timezone="Pacific/Auckland")
    message = make_message(patient=abroad, due_at=NOON, expires_at=NOON + timedelta(days=1))

    assert send_due(carrier) == 0
    assert again(message).due_at == datetime(2026, 5, 13, 21, 0, tzinfo=UTC)  # 09:00 on the 14th there


def test_an_answer_leaves_at_night_too(patient: Patient, carrier: PaperCarrier) -> None:
    night = datetime(2026, 5, 14, 8, 0, tzinfo=UTC)
    make_message(patient=patient, due_at=night, kind=Kind.EMERGENCY, quiet_exempt=True)

    assert send_due(carrier, now=night) == 1


@pytest.mark.parametrize(
    ("expires_in", "seconds"),
    [(timedelta(minutes=20), 1200), (timedelta(seconds=5), 60), (timedelta(hours=12), 8 * 3600)],
)
def test_the_carrier_may_hold_a_text_until_it_expires_or_the_night_begins(
    patient: Patient, carrier: PaperCarrier, expires_in: timedelta, seconds: int
) -> None:
    make_message(patient=patient, due_at=NOON, expires_at=NOON + expires_in)

    send_due(carrier)

    [asked] = carrier.asked_for
    assert isinstance(asked, OutgoingText)
    assert asked.validity_seconds == seconds


def test_a_call_says_where_its_words_are(clinic: Clinic, carrier: PaperCarrier) -> None:
    message = make_message(
        clinician=make_clinician(clinic=clinic), kind=Kind.STAFF_CALL, channel="voice", due_at=NOON, quiet_exempt=True
    )

    send_due(carrier)

    [asked] = carrier.asked_for
    assert isinstance(asked, OutgoingCall)
    assert asked.answer_url == f"http://testserver/webhooks/voice/answer/{message.public_id}/"
    assert "/webhooks/voice/status/" in asked.status_callback_url


def test_an_opt_out_suppresses_what_waits_and_what_is_held(patient: Patient, carrier: PaperCarrier) -> None:
    message, held = claimed_text(patient)
    later = make_message(patient=patient, due_at=NOON + timedelta(hours=3))

    revoke_consent(clinic=patient.clinic, number=phone_of(patient), method="keyword_stop", now=NOON, patient=patient)

    assert send_claimed(held=held, now=NOON, carrier=carrier) == 0
    for one in (message, later):
        assert (again(one).state, again(one).reason, sending_state(one)) == ("suppressed", "opted_out", "")


def test_a_worker_that_stood_still_at_the_commit_point_lets_the_create_be(
    patient: Patient, carrier: PaperCarrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    message, held = claimed_text(patient)
    monkeypatch.setattr("reminders.messaging.outbox.START_WITHIN_SECONDS", -1)

    send_claimed(held=held, now=NOON, carrier=carrier)

    assert carrier.asked_for == []
    assert (again(message).state, again(message).reason) == ("scheduled", "stood_still")


def test_a_text_that_cannot_be_prepared_waits_alone_and_its_neighbours_leave(
    clinic: Clinic, patient: Patient, carrier: PaperCarrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = make_message(patient=make_patient(clinic=clinic), due_at=NOON, expires_at=NOON + 5 * MINUTE, body="odd")
    fine = make_message(patient=patient, due_at=NOON)

    def outgoing(row: Claimed, now: datetime) -> OutgoingText | OutgoingCall:
        if row.body == "odd":
            raise RuntimeError("what the words may hold")
        return prepare(row, now)

    prepare = outbox._outgoing
    monkeypatch.setattr(outbox, "_outgoing", outgoing)
    with capture_logs() as logs:
        assert send_due(carrier) == 1

    assert again(fine).state == "accepted"
    assert (again(odd).state, again(odd).due_at) == ("scheduled", NOON + MINUTE)
    [told] = [entry for entry in logs if entry["event"] == "message_not_prepared"]
    assert (told["kind"], "words" in str(told)) == ("RuntimeError", False)


def test_a_zone_that_nobody_knows_is_that_of_the_clinic(clinic: Clinic, carrier: PaperCarrier) -> None:
    night = datetime(2026, 5, 14, 8, 0, tzinfo=UTC)
    patient = make_patient(clinic=clinic, timezone="Mars/Olympus_Mons")
    message = make_message(patient=patient, due_at=night, expires_at=night + timedelta(days=1))

    assert send_due(carrier, now=night) == 0
    assert again(message).due_at == datetime(2026, 5, 14, 14, 0, tzinfo=UTC), "09:00 in Chicago"


def test_texts_that_leave_at_different_moments_pass_the_commit_point_shortly_before_each(
    clinic: Clinic, patient: Patient
) -> None:
    clinic.senders.update(parts_per_second=10)
    first, second = (make_message(patient=patient, due_at=NOON, priority=0) for _ in range(2))
    seen: list[str] = []

    class Looking(PaperCarrier):
        """Notes how long each has to wait still; the last group is asked in this very thread."""

        def create(self, outgoing: Sequence[OutgoingText | OutgoingCall]) -> list[CreateResult]:
            seen.extend(f"{item.message_id} {item.wait_seconds < 0.02}" for item in outgoing)
            return super().create(outgoing)

    assert send_due(Looking()) == 2
    assert seen == [f"{first.public_id} True", f"{second.public_id} True"]
    assert {again(one).state for one in (first, second)} == {"accepted"}
    tries = DeliveryAttempt.objects.filter(message__in=[first, second]).order_by("message").values_list("started_at")
    assert tries[1][0] >= NOON + timedelta(milliseconds=90), "a tenth of a second later, less what the commit takes"


def test_no_create_begins_after_the_text_has_expired(patient: Patient, carrier: PaperCarrier) -> None:
    make_message(patient=patient, due_at=NOON, expires_at=NOON + timedelta(seconds=3))

    send_due(carrier)

    [asked] = carrier.asked_for
    assert 0 < asked.begin_within_seconds <= 3
