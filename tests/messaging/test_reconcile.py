"""What is not known is settled from evidence: the carrier's own list, or a person."""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from structlog.testing import capture_logs

from reminders.clinic.models import Clinic, Patient
from reminders.delivery.port import CarrierRecord
from reminders.messaging.models import CarrierEvent, DeliveryAttempt, Kind, Message
from reminders.messaging.reconcile import is_look_due, reconcile_ambiguous
from tests.factories import make_clinician, make_message, make_patient
from tests.messaging.carriers import PaperCarrier, new_sid
from tests.messaging.conftest import NOON
from tests.messaging.outbox_steps import again
from tests.messaging.threads import run_at_once

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def not_known(patient: Patient | None, **fields: Any) -> Message:
    """A text whose create was never answered."""
    message = make_message(
        **{"patient": patient, "state": "ambiguous", "attempts": 1, "due_at": NOON, "now": NOON, **fields}
    )
    DeliveryAttempt.objects.create(
        clinic=message.clinic, message=message, number=1, started_at=NOON, ended_at=NOON, outcome="unknown"
    )
    return message


def record_of(message: Message, **fields: Any) -> CarrierRecord:
    """How the carrier would list this text."""
    record = CarrierRecord(
        sid=new_sid(), status="sent", body=message.body, created_at=NOON + timedelta(seconds=1), error_code=None
    )
    return replace(record, **fields)


def reconcile(*listed: CarrierRecord, after: timedelta = MINUTE, carrier: PaperCarrier | None = None) -> dict[str, int]:
    """Look once, some time after the try; return the counts that are not zero."""
    counts = reconcile_ambiguous(now=NOON + after, carrier=carrier or PaperCarrier(listed=listed))
    return {name: count for name, count in counts.items() if count}


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("queued", "accepted"),
        ("sent", "sent"),
        ("delivered", "delivered"),
        ("undelivered", "undelivered"),
        ("x", "accepted"),
    ],
)
def test_the_one_that_fits_is_adopted_as_it_stands(patient: Patient, status: str, state: str) -> None:
    message = not_known(patient)
    record = record_of(message, status=status)

    assert reconcile(record) == {"adopted": 1}
    assert (again(message).state, again(message).carrier_sid) == (state, record.sid)


@pytest.mark.parametrize(
    "unlike",
    [
        {"body": "other words"},
        {"created_at": NOON - MINUTE},
    ],
)
def test_what_does_not_fit_is_not_adopted(patient: Patient, unlike: dict[str, Any]) -> None:
    message = not_known(patient)

    assert reconcile(record_of(message, **unlike)) == {"waiting": 1}
    assert again(message).state == "ambiguous"


def test_a_clock_that_differs_by_a_little_does_not_matter(patient: Patient) -> None:
    message = not_known(patient)

    assert reconcile(record_of(message, created_at=NOON - timedelta(seconds=20))) == {"adopted": 1}


def test_an_id_that_is_known_already_is_no_evidence(patient: Patient) -> None:
    twin = make_message(patient=patient, state="delivered", due_at=NOON, body="the same words")
    heard_of = make_message(patient=patient, state="delivered", due_at=NOON, body="the same words")
    CarrierEvent.objects.create(
        clinic=patient.clinic, message=heard_of, carrier_sid="SM" + "e" * 32, status="sent", received_at=NOON
    )
    message = not_known(patient, body="the same words")

    counts = reconcile(record_of(message, sid=twin.carrier_sid), record_of(message, sid="SM" + "e" * 32))

    assert counts == {"waiting": 1}


def test_absence_counts_only_after_a_while(patient: Patient) -> None:
    message = not_known(patient)

    assert reconcile(after=14 * MINUTE) == {"waiting": 1}
    assert reconcile(after=15 * MINUTE) == {"unresolved": 1}
    assert again(message).state == "unresolved"
    assert reconcile(after=60 * MINUTE) == {}


def test_several_that_fit_are_for_a_person_with_an_alarm(patient: Patient) -> None:
    message = not_known(patient)

    with capture_logs() as logs:
        assert reconcile(record_of(message), record_of(message)) == {"unresolved": 1}

    assert [entry["event"] for entry in logs if entry["log_level"] == "error"] == ["several_candidates"]
    assert again(message).carrier_sid == ""


def test_two_unknown_twins_never_share_one_id(patient: Patient) -> None:
    first, second = not_known(patient, body="twins"), not_known(patient, body="twins")

    assert reconcile(record_of(first)) == {"adopted": 1, "waiting": 1}
    assert sorted([again(first).state, again(second).state]) == ["ambiguous", "sent"]


def test_a_carrier_that_cannot_be_asked_is_asked_once_a_round_and_proves_nothing(clinic: Clinic) -> None:
    for _ in range(3):
        not_known(make_patient(clinic=clinic))
    away = PaperCarrier(can_be_asked=False)

    assert reconcile(carrier=away, after=30 * MINUTE) == {"waiting": 3}
    assert away.looks == 1
    assert reconcile(carrier=away, after=60 * MINUTE) == {"unresolved": 3}


def test_a_call_is_never_looked_for_and_waits_for_its_callback(clinic: Clinic) -> None:
    call = not_known(
        None,
        clinician=make_clinician(clinic=clinic),
        kind=Kind.STAFF_CALL,
        channel="voice",
    )
    carrier = PaperCarrier(can_be_asked=False)

    assert reconcile(carrier=carrier) == {"waiting": 1}
    assert reconcile(carrier=carrier, after=15 * MINUTE) == {"unresolved": 1}
    assert (carrier.looks, again(call).state) == (0, "unresolved")


def test_a_look_is_taken_once_however_often_the_task_runs(patient: Patient) -> None:
    not_known(patient)
    carrier = PaperCarrier()

    assert reconcile(carrier=carrier) == {"waiting": 1}
    assert reconcile(carrier=carrier) == {}
    assert carrier.looks == 1


def test_looks_are_further_and_further_apart(patient: Patient) -> None:
    not_known(patient)
    carrier = PaperCarrier()

    looked = [
        second
        for second in range(0, 5 * 60, 5)
        if is_look_due(now=NOON + timedelta(seconds=second))
        and reconcile(carrier=carrier, after=timedelta(seconds=second))
    ]

    assert looked == [0, 5, 10, 20, 40, 80, 160, 280]
    assert carrier.looks == len(looked)


@pytest.mark.django_db(transaction=True)
def test_rounds_at_the_same_time_share_the_looks(clinic: Clinic) -> None:
    for _ in range(8):
        not_known(make_patient(clinic=clinic))
    carriers = [PaperCarrier(), PaperCarrier(), PaperCarrier()]

    rounds = run_at_once([partial(reconcile, carrier=carrier) for carrier in carriers])

    assert sum(carrier.looks for carrier in carriers) == 8
    assert sum(counts.get("waiting", 0) for counts in rounds) == 8


def test_a_round_ends_and_the_next_one_goes_on_where_it_ended(clinic: Clinic) -> None:
    for _ in range(3):
        not_known(make_patient(clinic=clinic))
    now, carrier = NOON + MINUTE, PaperCarrier()

    assert reconcile_ambiguous(now=now, carrier=carrier, limit=2)["waiting"] == 2
    assert reconcile_ambiguous(now=now, carrier=carrier, within_seconds=0)["waiting"] == 0
    assert reconcile_ambiguous(now=now, carrier=carrier)["waiting"] == 1


def test_an_emergency_answer_that_was_created_twice_is_adopted_without_an_alarm(patient: Patient) -> None:
    message = not_known(patient, kind=Kind.EMERGENCY, unknown_policy="resend")
    first = record_of(message)
    second = record_of(message, created_at=NOON + MINUTE)

    with capture_logs() as logs:
        assert reconcile(second, first) == {"adopted": 1}

    assert again(message).carrier_sid == second.sid
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [("sent_again", "warning")]
