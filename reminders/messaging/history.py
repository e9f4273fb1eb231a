"""The log of tries and callbacks, by month: months ahead are made, and months that are old enough go as a whole.

Both tables are partitioned by the month of the moment a row tells of, so keeping years of them costs the newest month
nothing, and letting an old month go is one short statement, not millions of deleted rows. Rows of a month that has no
partition land in `_rest` (the clock was moved, or rows are older than the partitions): they are given one.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import structlog
from django.db import OperationalError, connection, transaction
from psycopg import sql

from reminders.clinic import audit
from reminders.clinic.models import AuditEvent, Clinic

# Each table, and the column whose month decides.
TABLES: Final = {"reminders_deliveryattempt": "ended_at", "reminders_carrierevent": "received_at"}
MONTHS_AHEAD: Final = 3
REST_COUNTED: Final = 10_000
# Making and detaching a month locks the whole table for a moment. Whoever cannot have that at once tries again later,
# because every writer would queue up behind.
LOCK_MILLISECONDS: Final = 1000
_MONTH = re.compile(r"_(\d{4})_(\d{2})$")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class HistoryStand:
    """For how many months after the present one both tables have room, and how many rows have no month of their own."""

    months_ahead: int
    rows_in_rest: int


def look_after_history(*, now: datetime, keep_months: int) -> dict[str, int]:
    """Make the months ahead, give rows in `_rest` their month, and let months go that ended `keep_months` ago.

    Returns how many months were `made` and `dropped`. With `keep_months` 0 nothing is ever dropped; nor is a month that
    holds anything about a message which has not come to its end. Any number of schedulers may call it at once.
    """
    counts = {"made": 0, "dropped": 0}
    for table in TABLES:
        # Each in a transaction of its own: who reads the log meanwhile waits for one month at most. And each is looked
        # at again once no other scheduler can be at it.
        for month in _months_in_rest(table):
            with _alone(table) as cursor:
                if cursor is not None and month not in _months(table):
                    _give_room(cursor, table, month)
                    counts["made"] += 1
    with _alone("reminders_make_partitions") as cursor:
        if cursor is not None:
            cursor.execute("SELECT reminders_make_partitions(%s, %s)", [now, MONTHS_AHEAD])
            counts["made"] += cursor.fetchone()[0]
    if keep_months:
        oldest_kept = _shifted(_month_of(now), -keep_months)
        for table in TABLES:
            for month in [month for month in _months(table) if month < oldest_kept]:
                counts["dropped"] += _drop(table, month, now)
    return counts


def history_stand(*, now: datetime) -> HistoryStand:
    """Return how the two tables stand, for monitoring."""
    ahead = []
    rest = 0
    with connection.cursor() as cursor:
        for table in TABLES:
            months = set(_months(table))
            month, count = _shifted(_month_of(now), 1), 0
            while month in months:
                month, count = _shifted(month, 1), count + 1
            ahead.append(count)
            some = sql.SQL("SELECT COUNT(*) FROM (SELECT FROM {} LIMIT {}) AS rows")
            cursor.execute(some.format(_rest(table), sql.Literal(REST_COUNTED)))
            rest += cursor.fetchone()[0]
    return HistoryStand(months_ahead=min(ahead), rows_in_rest=rest)


@contextmanager
def _alone(what: str) -> Iterator[Any]:
    """Give a cursor in a transaction, or None where another scheduler is at it. Who must wait for a lock gives up."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_try_advisory_xact_lock(hashtextextended('reminders_history', 0)),"
                " set_config('lock_timeout', %s, true), set_config('statement_timeout', '0', true)",
                [str(LOCK_MILLISECONDS)],
            )
            yield cursor if cursor.fetchone()[0] else None
    except OperationalError as error:
        log.warning("history_busy", what=what, kind=type(error).__name__)


def _months(table: str) -> list[datetime]:
    """Return the months that have a partition, the oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
            " WHERE i.inhparent = %s::regclass",
            [table],
        )
        found = [_MONTH.search(name) for (name,) in cursor.fetchall()]
    return sorted(datetime(int(match[1]), int(match[2]), 1, tzinfo=UTC) for match in found if match)


def _months_in_rest(table: str) -> list[datetime]:
    statement = sql.SQL("SELECT DISTINCT date_trunc('month', {at}, 'UTC') FROM {rest} ORDER BY 1")
    with connection.cursor() as cursor:
        cursor.execute(statement.format(at=sql.Identifier(TABLES[table]), rest=_rest(table)))
        return [month for (month,) in cursor.fetchall()]


def _give_room(cursor: Any, table: str, month: datetime) -> None:
    """Make the partition of a month out of what lies in `_rest`. A writer waits meanwhile."""
    names = {
        "table": sql.Identifier(table),
        "rest": _rest(table),
        "new": _partition(table, month),
        "at": sql.Identifier(TABLES[table]),
        "start": sql.Literal(month),
        "end": sql.Literal(_shifted(month, 1)),
    }
    for statement in (
        "LOCK TABLE {rest} IN SHARE ROW EXCLUSIVE MODE",
        "CREATE TABLE {new} (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)",
        "INSERT INTO {new} SELECT * FROM {rest} WHERE {at} >= {start} AND {at} < {end}",
        "DELETE FROM {rest} WHERE {at} >= {start} AND {at} < {end}",
        "ALTER TABLE {table} ATTACH PARTITION {new} FOR VALUES FROM ({start}) TO ({end})",
    ):
        cursor.execute(sql.SQL(statement).format(**names))


def _drop(table: str, month: datetime, now: datetime) -> int:
    """Detach one month and drop it, on each clinic's record; return 1, or 0 where it is still needed or busy."""
    dropped = 0
    with _alone(table) as cursor:
        if cursor is not None and month in _months(table):
            dropped = _drop_alone(cursor, table, month, now)
    return dropped


def _drop_alone(cursor: Any, table: str, month: datetime, now: datetime) -> int:
    names = {"table": sql.Identifier(table), "month": _partition(table, month)}
    needed = "SELECT EXISTS (SELECT FROM {month} h JOIN reminders_outbox o ON o.message_id = h.message_id)"
    cursor.execute(sql.SQL(needed).format(**names))
    if cursor.fetchone()[0]:
        log.warning("history_still_needed", table=table, month=month.strftime("%Y-%m"))
        return 0
    cursor.execute(sql.SQL("SELECT clinic_id, COUNT(*) FROM {month} GROUP BY clinic_id").format(**names))
    rows = dict(cursor.fetchall())
    cursor.execute(sql.SQL("ALTER TABLE {table} DETACH PARTITION {month}").format(**names))
    cursor.execute(sql.SQL("DROP TABLE {month}").format(**names))
    for clinic in Clinic.objects.filter(pk__in=[pk for pk in rows if pk is not None]):
        audit.record(
            clinic=clinic,
            actor=AuditEvent.Actor.SYSTEM,
            verb="history_dropped",
            subject=clinic,
            now=now,
            table=table,
            month=month.strftime("%Y-%m"),
            rows=rows[clinic.pk],
        )
    log.info("history_dropped", table=table, month=month.strftime("%Y-%m"), rows=sum(rows.values()))
    return 1


def _rest(table: str) -> sql.Identifier:
    return sql.Identifier(f"{table}_rest")


def _partition(table: str, month: datetime) -> sql.Identifier:
    return sql.Identifier(f"{table}_{month:%Y_%m}")


def _month_of(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _shifted(month: datetime, months: int) -> datetime:
    years, index = divmod(month.month - 1 + months, 12)
    return month.replace(year=month.year + years, month=index + 1)
