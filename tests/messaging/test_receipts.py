"""Receipts that never came are asked for, a few times."""

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from reminders.clinic.models import Patient
from reminders.delivery.port import CarrierRecord
from reminders.delivery.twilio_carrier import TwilioCarrier
from reminders.messaging.models import CarrierEvent, Kind, Message
from reminders.messaging.receipts import ask_for_receipts
from reminders.messaging.status import record_status
from tests.factories import make_clinician, make_message, phone_of
from tests.messaging.carriers import PaperCarrier
from tests.messaging.conftest import NOON
from tests.messaging.outbox_steps import again
from tests.sandbox.harness import ACCOUNT, TOKEN, sandbox

pytestmark = pytest.mark.django_db
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def left(patient: Patient | None, state: str = "accepted", **fields: object) -> Message:
    """A text that the carrier took at noon."""
    return make_message(**{"patient": patient, "state": state, "due_at": NOON, "now": NOON, **fields})  # type: ignore[arg-type]


def says(message: Message, status: str, error_code: int | None = None) -> PaperCarrier:
    """A carrier that says this of it."""
    record = CarrierRecord(
        sid=message.carrier_sid, status=status, body=message.body, created_at=NOON, error_code=error_code
    )
    return PaperCarrier(listed=[record])


def ask(carrier: PaperCarrier, after: timedelta) -> dict[str, int]:
    """One round, some time after noon; the counts that are not zero."""
    return {name: count for name, count in ask_for_receipts(now=NOON + after, carrier=carrier).items() if count}


@pytest.mark.parametrize("state", ["accepted", "sent"])
@pytest.mark.parametrize(
    ("status", "error_code", "becomes"),
    [("delivered", None, "delivered"), ("undelivered", 30005, "undelivered"), ("failed", 30008, "failed")],
)
def test_a_lost_callback_is_made_up_for(
    patient: Patient, state: str, status: str, error_code: int | None, becomes: str
) -> None:
    message = left(patient, state)

    assert ask(says(message, status, error_code), MINUTE) == {}
    assert ask(says(message, status, error_code), 2 * MINUTE) == {"asked": 1, "moved": 1}

    assert (again(message).state, again(message).error_code) == (becomes, error_code)
    if error_code == 30005:
        assert patient.phones.get(number=phone_of(patient)).state == "dead"


def test_what_never_gets_a_receipt_is_asked_for_four_times_and_stays_sent(patient: Patient) -> None:
    message = left(patient, "sent")
    carrier = says(message, "sent")

    asked = [minutes for minutes in range(600) if ask(carrier, minutes * MINUTE)]

    assert asked == [2, 10, 60, 360]
    assert again(message).state == "sent"
    assert not CarrierEvent.objects.exists()


def test_where_the_callback_came_nobody_asks(patient: Patient) -> None:
    message = left(patient)
    carrier = says(message, "delivered")
    record_status(
        public_id=message.public_id, carrier_sid=message.carrier_sid, status="delivered", error_code=None, now=NOON
    )

    assert ask(carrier, HOUR) == {}
    assert carrier.looked_up == []


def test_calls_and_what_staff_marked_as_sent_have_nothing_to_ask_for(patient: Patient) -> None:
    left(patient, carrier_sid="")
    left(None, clinician=make_clinician(clinic=patient.clinic), kind=Kind.STAFF_CALL, channel="voice")
    carrier = PaperCarrier()

    assert ask(carrier, HOUR) == {}
    assert carrier.looked_up == []


def test_a_carrier_that_cannot_be_asked_is_asked_later_for_the_same_ones(patient: Patient) -> None:
    message = left(patient)
    away = PaperCarrier(can_be_asked=False)

    with capture_logs() as logs:
        assert ask(away, 5 * MINUTE) == {}
    assert [entry["event"] for entry in logs] == ["carrier_not_asked"]
    assert len(away.looked_up) == 1

    assert ask(says(message, "delivered"), 6 * MINUTE) == {"asked": 1, "moved": 1}


def test_a_text_that_the_carrier_does_not_know_any_more_stays_as_it_is(patient: Patient) -> None:
    message = left(patient, "sent")

    assert ask(PaperCarrier(), 2 * MINUTE) == {"asked": 1}
    assert again(message).state == "sent"


def test_what_the_sandbox_carrier_delivered_without_a_callback_is_found_out(patient: Patient) -> None:
    with sandbox() as server:
        sid = server.send().sid
        message = left(patient, carrier_sid=sid)
        server.events(until="message.status", sid=sid, status="delivered")
        carrier = TwilioCarrier(account_sid=ACCOUNT, auth_token=TOKEN, base_url=server.url)

        assert ask_for_receipts(now=NOON + 2 * MINUTE, carrier=carrier) == {"asked": 1, "moved": 1}

    assert again(message).state == "delivered"
