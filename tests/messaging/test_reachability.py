"""A phone that was out of reach is back once a text to it has been delivered."""

from datetime import datetime, timedelta

import pytest

from reminders.clinic.models import Patient
from reminders.messaging.reachability import note_reached_phones
from reminders.messaging.status import record_status
from tests.factories import make_message
from tests.messaging.conftest import NOON

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def heard(patient: Patient, status: str, at: datetime, code: int | None = None) -> None:
    """A text to the patient, and what the carrier says of it."""
    message = make_message(patient=patient, state="sent", due_at=NOON, now=NOON)
    record_status(public_id=message.public_id, carrier_sid=message.carrier_sid, status=status, error_code=code, now=at)


def state_of_phone(patient: Patient) -> str:
    """What is known of the patient's phone."""
    state: str = patient.phones.get().state
    return state


def test_a_later_receipt_brings_it_back(patient: Patient) -> None:
    heard(patient, "undelivered", NOON, code=30003)
    assert state_of_phone(patient) == "unreachable"
    heard(patient, "delivered", NOON + 5 * MINUTE)

    assert note_reached_phones(now=NOON + 5 * MINUTE) == 0
    assert note_reached_phones(now=NOON + 6 * MINUTE) == 1
    assert state_of_phone(patient) == "ok"
    assert note_reached_phones(now=NOON + 60 * MINUTE) == 0


def test_an_earlier_receipt_does_not(patient: Patient) -> None:
    heard(patient, "delivered", NOON)
    heard(patient, "undelivered", NOON + MINUTE, code=30003)

    assert note_reached_phones(now=NOON + 10 * MINUTE) == 0
    assert state_of_phone(patient) == "unreachable"


@pytest.mark.parametrize("state", ["dead", "landline", "quarantined"])
def test_what_only_a_person_can_take_back_stays(patient: Patient, state: str) -> None:
    patient.phones.update(state=state, state_changed_at=NOON)
    heard(patient, "delivered", NOON + MINUTE)

    assert note_reached_phones(now=NOON + 10 * MINUTE) == 0
    assert state_of_phone(patient) == state
