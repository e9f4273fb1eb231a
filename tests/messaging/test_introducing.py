"""Whoever gets a first text learns who writes and how to stop, whatever became of the text laid out as first."""

from datetime import timedelta

import pytest

from reminders.clinic.models import Patient, TreatmentSession
from reminders.content.services import load_starters
from reminders.messaging.models import Message
from reminders.messaging.planning import plan_aftercare
from tests.factories import make_clinic, make_patient, make_treatment_session
from tests.messaging.carriers import PaperCarrier
from tests.messaging.conftest import NOON
from tests.messaging.outbox_steps import again, send_due

pytestmark = pytest.mark.django_db


@pytest.fixture
def session() -> TreatmentSession:
    """A session that ended at noon, laid out with the starter texts."""
    clinic = make_clinic(name="Northside Physio")
    clinic.senders.update(parts_per_second=1000)
    load_starters(clinic=clinic, now=NOON - timedelta(days=30))
    patient: Patient = make_patient(clinic=clinic)
    session = make_treatment_session(patient=patient, ended_at=NOON, now=NOON)
    plan_aftercare(treatment_session_id=session.pk, now=NOON)
    return session


def texts(session: TreatmentSession) -> list[Message]:
    return list(session.messages.order_by("due_at"))


def bodies(carrier: PaperCarrier) -> list[str]:
    return [sent.body for sent in carrier.asked_for if hasattr(sent, "body")]


def has_introduction(body: str) -> bool:
    return "STOP" in body and "Northside Physio" in body


@pytest.mark.parametrize(
    ("state", "reason"),
    [("expired", "found_past_expiry"), ("rejected", "content"), ("undelivered", "unreachable"), ("failed", "blocked")],
)
def test_where_the_first_text_fell_away_the_next_one_introduces_itself(
    session: TreatmentSession, state: str, reason: str
) -> None:
    heat, exercise, *_ = texts(session)
    Message.objects.filter(pk=heat.pk).update(state="expired" if state == "expired" else "sending", reason=reason)
    if state != "expired":
        Message.objects.filter(pk=heat.pk).update(state="rejected" if state == "rejected" else state)
    carrier = PaperCarrier()

    send_due(carrier, now=exercise.due_at)

    [body] = bodies(carrier)
    assert has_introduction(body)
    assert (again(exercise).body, again(exercise).introduces) == (body, True)


def test_of_a_batch_only_the_first_introduces_itself(session: TreatmentSession) -> None:
    heat, _exercise, otc, _question = texts(session)
    Message.objects.filter(pk=heat.pk).update(state="expired", reason="found_past_expiry")
    carrier = PaperCarrier()

    send_due(carrier, now=otc.due_at)

    assert [has_introduction(body) for body in bodies(carrier)] == [True, False]


def test_what_follows_a_text_that_left_keeps_its_words(session: TreatmentSession) -> None:
    heat, exercise, *_ = texts(session)
    carrier = PaperCarrier()

    send_due(carrier, now=heat.due_at)
    send_due(carrier, now=exercise.due_at)

    assert [has_introduction(body) for body in bodies(carrier)] == [True, False]
    assert bodies(carrier) == [heat.body, exercise.body]
