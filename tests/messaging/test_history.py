"""The log of tries and callbacks by month: made ahead, kept as long as agreed, never dropped while it is needed."""

from datetime import datetime, timedelta

import psycopg
import pytest
from django.db import connection, transaction

from reminders import clock
from reminders.clinic.models import AuditEvent, Patient
from reminders.messaging import history
from reminders.messaging.history import HistoryStand, history_stand, look_after_history
from reminders.messaging.models import CarrierEvent, DeliveryAttempt, Message
from tests.factories import make_message

pytestmark = pytest.mark.django_db
LATER = timedelta(days=370)


@pytest.fixture
def now() -> datetime:
    """The product's present: the migration made the months around it."""
    return clock.now()


def tried(message: Message, *, at: datetime) -> DeliveryAttempt:
    """One try and one callback of that moment."""
    CarrierEvent.objects.create(
        clinic=message.clinic, message=message, carrier_sid="SM1", status="sent", received_at=at
    )
    return DeliveryAttempt.objects.create(
        clinic=message.clinic, message=message, number=1, started_at=at, ended_at=at, outcome="accepted"
    )


def lies_in(attempt: DeliveryAttempt) -> str:
    """The table in which a try is stored."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM reminders_deliveryattempt WHERE id = %s", [attempt.pk])
        return str(cursor.fetchone()[0])


def test_months_are_made_ahead_and_only_once(now: datetime) -> None:
    ahead = now + LATER

    assert history_stand(now=ahead) == HistoryStand(months_ahead=0, rows_in_rest=0)
    assert look_after_history(now=ahead, keep_months=0) == {"made": 8, "dropped": 0}
    assert look_after_history(now=ahead, keep_months=0) == {"made": 0, "dropped": 0}
    assert history_stand(now=ahead) == HistoryStand(months_ahead=3, rows_in_rest=0)


def test_rows_of_a_month_that_was_not_made_get_it_and_stay_the_same(patient: Patient, now: datetime) -> None:
    message = make_message(patient=patient, state="delivered")
    attempt = tried(message, at=now + LATER)
    assert lies_in(attempt) == "reminders_deliveryattempt_rest"
    assert history_stand(now=now).rows_in_rest == 2

    look_after_history(now=now, keep_months=0)

    assert lies_in(attempt) == f"reminders_deliveryattempt_{now + LATER:%Y_%m}"
    assert history_stand(now=now).rows_in_rest == 0
    kept = message.attempt_log.get()
    assert (kept.pk, kept.ended_at, kept.outcome) == (attempt.pk, now + LATER, "accepted")
    assert tried(message, at=now + LATER).pk not in (None, attempt.pk)
    with pytest.raises(Exception, match="append-only"), transaction.atomic():
        message.attempt_log.update(outcome="refused")


def test_a_month_goes_as_a_whole_once_it_is_old_enough_and_that_is_on_record(patient: Patient, now: datetime) -> None:
    finished = make_message(patient=patient, state="delivered")
    old, new = tried(finished, at=now), tried(finished, at=now + LATER)

    assert look_after_history(now=now + LATER, keep_months=13)["dropped"] == 0
    assert look_after_history(now=now + LATER, keep_months=2)["dropped"] >= 2

    assert list(DeliveryAttempt.objects.all()) == [new]
    assert CarrierEvent.objects.count() == 1
    records = AuditEvent.objects.filter(verb="history_dropped").order_by("id")
    assert [event.details for event in records] == [
        {"table": table, "month": f"{old.ended_at:%Y-%m}", "rows": 1}
        for table in ("reminders_deliveryattempt", "reminders_carrierevent")
    ]


def test_what_evidence_still_needs_is_kept_whatever_its_age(patient: Patient, now: datetime) -> None:
    unsure = make_message(patient=patient, state="ambiguous", attempts=1, changed_at=now)
    attempt = tried(unsure, at=now)

    look_after_history(now=now + LATER, keep_months=1)

    assert unsure.attempt_log.get() == attempt


def test_with_no_limit_everything_is_kept(patient: Patient, now: datetime) -> None:
    attempt = tried(make_message(patient=patient, state="delivered"), at=now)

    look_after_history(now=now + LATER * 20, keep_months=0)

    assert DeliveryAttempt.objects.get() == attempt


@pytest.mark.django_db(transaction=True)
def test_while_another_scheduler_is_at_it_nothing_is_done_twice(now: datetime) -> None:
    parameters = connection.get_connection_params()
    parameters.pop("cursor_factory", None)
    parameters.pop("context", None)
    with psycopg.connect(**parameters) as other:
        other.execute("SELECT pg_advisory_xact_lock(hashtextextended('reminders_history', 0))")

        assert look_after_history(now=now + LATER, keep_months=2) == {"made": 0, "dropped": 0}


@pytest.mark.django_db(transaction=True)
def test_a_log_that_is_busy_is_left_for_later(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "LOCK_MILLISECONDS", 1)
    parameters = connection.get_connection_params()
    parameters.pop("cursor_factory", None)
    parameters.pop("context", None)
    with psycopg.connect(**parameters) as reader:
        reader.execute("SELECT COUNT(*) FROM reminders_carrierevent")

        assert look_after_history(now=now + LATER, keep_months=0)["made"] == 0

    assert history_stand(now=now + LATER).months_ahead == 0
