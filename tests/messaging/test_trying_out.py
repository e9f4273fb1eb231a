"""The first test text of a clinic takes the way of all texts, once."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from reminders.clinic.consent import revoke_consent
from reminders.clinic.models import Clinic, Clinician
from reminders.messaging.models import Message
from reminders.messaging.pausing import set_paused
from reminders.messaging.trying_out import write_test
from tests.factories import make_clinic, make_clinician
from tests.messaging.carriers import PaperCarrier
from tests.messaging.conftest import NOON
from tests.messaging.outbox_steps import again, send_due

pytestmark = pytest.mark.django_db
NIGHT = datetime(2025, 3, 5, 5, 0, tzinfo=UTC)  # 23:00 in Chicago
STRANGE = "+13125550177"


@pytest.fixture
def clinic() -> Clinic:
    return make_clinic()


@pytest.fixture
def owner(clinic: Clinic) -> Clinician:
    return make_clinician(clinic=clinic, role="owner")


def _write(owner: Clinician, number: str, now: datetime = NOON) -> Message:
    sender = owner.clinic.senders.get()
    return write_test(sender=sender, number=number, clinician=owner, now=now, key=uuid4())


def test_it_leaves_from_the_chosen_number_once(owner: Clinician, carrier: PaperCarrier) -> None:
    message = _write(owner, STRANGE)

    assert [send_due(carrier) for _round in range(3)] == [1, 0, 0]

    [asked] = carrier.asked_for
    assert (asked.from_number, asked.to_number) == (message.sender.number, STRANGE)
    assert again(message).state == "accepted"


def test_a_colleague_gets_it_at_night_and_while_texts_are_paused(owner: Clinician, carrier: PaperCarrier) -> None:
    set_paused(clinic=owner.clinic, paused=True, clinician=owner, now=NIGHT)
    _write(owner, owner.phone, NIGHT)

    assert send_due(carrier, now=NIGHT) == 1


def test_anybody_else_waits_for_the_morning_and_for_the_pause_to_end(owner: Clinician, carrier: PaperCarrier) -> None:
    message = _write(owner, STRANGE, NIGHT)
    assert send_due(carrier, now=NIGHT + timedelta(minutes=5)) == 0
    set_paused(clinic=owner.clinic, paused=True, clinician=owner, now=NIGHT)
    assert send_due(carrier, now=message.due_at) == 0

    set_paused(clinic=owner.clinic, paused=False, clinician=owner, now=message.due_at)

    assert send_due(carrier, now=again(message).due_at + timedelta(minutes=10)) == 1


def test_a_stop_that_comes_meanwhile_holds_it_back(owner: Clinician, carrier: PaperCarrier) -> None:
    message = _write(owner, STRANGE)
    revoke_consent(clinic=owner.clinic, number=STRANGE, method="keyword_stop", now=NOON)

    assert send_due(carrier) == 0
    assert again(message).state == "suppressed"
