"""One clock for every process: the database's, and an offset that only goes forward."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction

from reminders import clock
from reminders.clock.models import ClockOffset
from tests.messaging.threads import run_at_once

pytestmark = pytest.mark.django_db


def database_time() -> datetime:
    """The database's own, unmoved time."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment


def test_it_is_the_databases_time_in_utc() -> None:
    before, now, after = database_time(), clock.now(), database_time()

    assert before <= now <= after
    assert now.tzinfo is UTC
    assert clock.offset() == timedelta()


@pytest.mark.parametrize("wrong_by", [timedelta(days=-400), timedelta(hours=5)])
def test_a_host_whose_clock_is_wrong_changes_nothing(wrong_by: timedelta) -> None:
    with time_machine.travel(datetime.now(UTC) + wrong_by, tick=True):
        assert abs(clock.now() - database_time()) < timedelta(seconds=5)


def test_it_moves_within_a_transaction_too() -> None:
    assert clock.now() < clock.now()


def test_moving_it_adds_up() -> None:
    clock.advance(by=timedelta(hours=2))
    moved = clock.advance(by=timedelta(minutes=30, microseconds=1))

    assert clock.offset() == timedelta(hours=2, minutes=30, microseconds=1)
    assert abs(moved - database_time() - timedelta(hours=2, minutes=30)) < timedelta(seconds=5)


def test_it_never_goes_back() -> None:
    with pytest.raises(ValueError, match="forward"):
        clock.advance(by=timedelta(seconds=-1))

    assert clock.offset() == timedelta()


def test_there_is_one_offset() -> None:
    with pytest.raises(IntegrityError, match="clock_offset_is_one_row"), transaction.atomic():
        ClockOffset.objects.create(id=2, offset=timedelta(hours=1))


@pytest.mark.django_db(transaction=True)
def test_every_connection_sees_the_same_time_once_it_was_moved() -> None:
    clock.advance(by=timedelta(days=2))

    seen = run_at_once([clock.now] * 3)

    assert max(seen) - min(seen) < timedelta(seconds=5)
    assert all(moment - database_time() > timedelta(days=1, hours=23) for moment in seen)
