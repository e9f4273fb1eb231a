"""Sending through the real adapter to the sandbox carrier: what is not known is found again, and nothing goes twice."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from reminders import clock
from reminders.clinic.models import Clinic, Patient
from reminders.delivery.twilio_carrier import TwilioCarrier
from reminders.messaging.models import Message
from reminders.messaging.outbox import claim_due, send_claimed
from reminders.messaging.reconcile import reconcile_ambiguous
from tests.factories import make_message, make_patient
from tests.messaging.outbox_steps import again
from tests.sandbox.harness import ACCOUNT, TOKEN, Sandbox, sandbox

pytestmark = pytest.mark.django_db


@pytest.fixture
def server() -> Iterator[Sandbox]:
    """A running sandbox carrier."""
    with sandbox() as one:
        yield one


def carrier_of(server: Sandbox) -> TwilioCarrier:
    """The adapter, pointed at the sandbox."""
    return TwilioCarrier(account_sid=ACCOUNT, auth_token=TOKEN, base_url=server.url, timeout_seconds=2)


def send(server: Sandbox, *patients: Patient) -> list[Message]:
    """Send each patient a text that is due now."""
    now = clock.now()
    messages = [
        make_message(patient=one, due_at=now, now=now, quiet_exempt=True, body="How sore, 0 to 10?") for one in patients
    ]
    send_claimed(held=claim_due(now=now), now=now, carrier=carrier_of(server))
    return [again(message) for message in messages]


def creates(server: Sandbox) -> int:
    """How many creates the carrier processed."""
    count: int = server.control("GET", "tally")["creates"]
    return count


def test_a_batch_is_accepted_with_the_carriers_ids(server: Sandbox, clinic: Clinic) -> None:
    messages = send(server, *[make_patient(clinic=clinic) for _ in range(20)])

    assert {(message.state, message.reason) for message in messages} == {("accepted", "")}
    assert {message.carrier_sid for message in messages} == {
        one["sid"] for one in server.control("GET", "messages")["messages"]
    }


@pytest.mark.parametrize(
    "fault",
    [
        {"effect": "error", "processed": True},
        {"effect": "reset", "processed": True},
        {"effect": "hang", "processed": True},
        {"effect": "truncate"},
    ],
)
def test_what_was_processed_without_an_answer_is_found_in_the_list(
    server: Sandbox, patient: Patient, fault: dict[str, object]
) -> None:
    server.control("POST", "faults", {**fault, "operation": "messages.create"})
    [message] = send(server, patient)
    assert message.state == "ambiguous"

    reconcile_ambiguous(now=clock.now(), carrier=carrier_of(server))

    assert again(message).state in ("accepted", "sent", "delivered")
    assert again(message).carrier_sid
    assert creates(server) == 1


@pytest.mark.parametrize("effect", ["error", "reset", "hang"])
def test_what_was_never_processed_is_for_a_person_and_not_sent_again(
    server: Sandbox, patient: Patient, effect: str
) -> None:
    server.control("POST", "faults", {"effect": effect, "processed": False, "first": 1})
    [message] = send(server, patient)

    reconcile_ambiguous(now=clock.now(), carrier=carrier_of(server))
    assert again(message).state == "ambiguous"
    reconcile_ambiguous(now=clock.now() + timedelta(minutes=16), carrier=carrier_of(server))

    assert again(message).state == "unresolved"
    assert creates(server) == 0


def test_a_storm_of_429_ends_with_one_text_each(server: Sandbox, clinic: Clinic) -> None:
    server.control("POST", "faults", {"effect": "too_many", "first": 15, "retry_after": 1})
    messages = send(server, *[make_patient(clinic=clinic) for _ in range(10)])
    later = clock.now()
    for _ in range(3):
        later += timedelta(seconds=5)
        send_claimed(held=claim_due(now=later), now=later, carrier=carrier_of(server))

    assert {again(message).state for message in messages} == {"accepted"}
    assert creates(server) == 10
