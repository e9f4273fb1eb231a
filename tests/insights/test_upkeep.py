"""How the database is kept, as the server itself tells it."""

from collections.abc import Iterator
from datetime import datetime

import psycopg
import pytest
from django.db import connection

from reminders.clinic.models import Patient
from reminders.insights.upkeep import read_upkeep
from tests.factories import make_message

pytestmark = pytest.mark.django_db


@pytest.fixture
def somebody_else(db: None) -> Iterator[psycopg.Connection]:
    """Another session on the same database, which forgets its transaction."""
    parameters = connection.get_connection_params()
    parameters.pop("cursor_factory", None)
    parameters.pop("context", None)
    with psycopg.connect(**parameters) as other:
        other.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        other.execute("SELECT COUNT(*) FROM reminders_outbox")
        yield other
        other.rollback()


def test_a_forgotten_transaction_is_seen_and_named_by_its_server_process(
    somebody_else: psycopg.Connection, now: datetime
) -> None:
    read = read_upkeep(now=now)

    assert read.longest is not None
    assert (read.longest.pid, read.longest.state) == (somebody_else.info.backend_pid, "idle in transaction")
    assert read.longest.seconds >= 0
    assert read.holder is not None
    assert (read.holder.holder, read.holder.who) == ("session", str(somebody_else.info.backend_pid))
    assert read.holder.transactions >= 0


def test_our_own_reading_is_no_long_transaction(now: datetime) -> None:
    read = read_upkeep(now=now)

    ours = connection.connection.info.backend_pid
    assert read.longest is None or read.longest.pid != ours
    assert read.holder is None or read.holder.who != str(ours)


def test_the_hot_tables_are_measured(patient: Patient, now: datetime) -> None:
    make_message(patient=patient)

    read = read_upkeep(now=now)

    assert [table.table for table in read.tables] == ["reminders_message", "reminders_outbox"]
    assert all(table.size_bytes > 0 and table.live >= 0 <= table.dead for table in read.tables)
    assert read.autovacuum
    assert read.history.months_ahead >= 1
    assert read.history.rows_in_rest == 0
