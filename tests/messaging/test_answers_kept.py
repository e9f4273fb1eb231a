"""What the carrier answered is known to one worker alone: a database that goes away meanwhile must not cost it."""

from functools import partial

import psycopg
import pytest
from django.db import OperationalError, connection

from reminders.clinic.models import Patient
from reminders.core.carrier_errors import Fault
from reminders.delivery.port import Accepted, CreateResult, NotProcessed, Refused
from reminders.messaging import settling
from reminders.messaging.outbox import send_claimed
from tests.factories import phone_of
from tests.messaging.carriers import PaperCarrier
from tests.messaging.conftest import NOON
from tests.messaging.outbox_steps import again, claimed_text

pytestmark = pytest.mark.django_db(transaction=True)


def cut(backend: int) -> None:
    """End a connection from outside, as a database that is restarted does."""
    parameters = connection.get_connection_params()
    parameters.pop("cursor_factory", None)
    parameters.pop("context", None)
    with psycopg.connect(**parameters, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [backend])


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (Accepted("SM" + "0" * 32), "accepted"),
        (NotProcessed("back_off"), "scheduled"),
        (Refused(Fault.NUMBER_DEAD, 21211), "rejected"),
    ],
)
def test_a_connection_that_is_cut_while_the_carrier_is_asked(
    patient: Patient, answer: CreateResult, state: str
) -> None:
    message, held = claimed_text(patient)
    assert connection.connection is not None
    carrier = PaperCarrier(
        answers={phone_of(patient): answer}, meanwhile=partial(cut, connection.connection.info.backend_pid)
    )

    assert send_claimed(held=held, now=NOON, carrier=carrier) == 1

    assert again(message).state == state
    assert len(carrier.asked_for) == 1


def test_a_database_that_stays_away_is_given_up_in_time(
    patient: Patient, carrier: PaperCarrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_words: object) -> None:
        raise OperationalError("the database is away")

    monkeypatch.setattr(settling, "act_on_refusals", refuse)
    monkeypatch.setattr(settling, "STORE_WITHIN_SECONDS", 0.0)
    message, held = claimed_text(patient)

    with pytest.raises(OperationalError):
        send_claimed(held=held, now=NOON, carrier=carrier)

    assert again(message).state == "sending", "its lease ends, and evidence decides"
