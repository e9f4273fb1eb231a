"""What keeps the database as quick as on its first day, in figures: cleaning, open transactions, room by month.

PostgreSQL keeps every former version of a row until no transaction can still see it. The outbox turns over all day, so
one transaction that stays open for an hour makes every claim wade through an hour of former versions.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection

from reminders.messaging.history import HistoryStand, history_stand

HOT_TABLES: Final = ("reminders_outbox", "reminders_message")

# Of other roles' sessions a server tells nothing but their number, unless ours may read it (pg_read_all_stats).
# Cleaning itself looks like a long transaction and holds nothing back.
LONGEST_TRANSACTION: Final = """
SELECT pid, COALESCE(state, ''), EXTRACT(EPOCH FROM clock_timestamp() - xact_start)::float8
FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
  AND backend_type = 'client backend' AND NOT query ~* '^(vacuum|analyze|create index concurrently)'
ORDER BY xact_start LIMIT 1
"""
# Each that may keep former versions from being cleaned away: since when, and how many transactions began meanwhile.
OLDEST_HOLDER: Final = """
SELECT holder, who, seconds, transactions FROM (
    SELECT 'session' AS holder, pid::text AS who,
           EXTRACT(EPOCH FROM clock_timestamp() - xact_start)::float8 AS seconds, age(backend_xmin) AS transactions
    FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_xmin IS NOT NULL
      AND backend_type IN ('client backend', 'parallel worker') AND NOT query ~* '^(vacuum|analyze)'
    UNION ALL
    SELECT 'standby', application_name, 0, age(backend_xmin)
    FROM pg_stat_replication WHERE backend_xmin IS NOT NULL
    UNION ALL
    SELECT 'slot', slot_name::text, 0, age(xmin) FROM pg_replication_slots WHERE xmin IS NOT NULL
    UNION ALL
    SELECT 'prepared', transaction::text, EXTRACT(EPOCH FROM clock_timestamp() - prepared)::float8, age(transaction)
    FROM pg_prepared_xacts WHERE database = current_database()
) AS holders
ORDER BY transactions DESC, seconds DESC LIMIT 1
"""
TABLES: Final = """
SELECT relname, n_live_tup, n_dead_tup, pg_total_relation_size(relid),
       EXTRACT(EPOCH FROM clock_timestamp() - GREATEST(last_autovacuum, last_vacuum))::float8
FROM pg_stat_user_tables
WHERE relid = ANY (%s::regclass[]) ORDER BY relname
"""


@dataclass(frozen=True, slots=True)
class LongTransaction:
    """The transaction that has been open for longest, by the number of its server process."""

    pid: int
    state: str
    seconds: float


@dataclass(frozen=True, slots=True)
class OldestHolder:
    """What cleaning waits for: a `session`, a `standby`, a replication `slot` or a `prepared` transaction.

    `seconds` is 0 where the server does not know since when (slots and standbys); `transactions` began since.
    """

    holder: str
    who: str
    seconds: float
    transactions: int


@dataclass(frozen=True, slots=True)
class TableUpkeep:
    """One hot table: rows as the server last estimated them, its size with indexes, and when it was last cleaned."""

    table: str
    live: int
    dead: int
    size_bytes: int
    cleaned_seconds: float | None


@dataclass(frozen=True, slots=True)
class Upkeep:
    """How the database is kept, at one moment."""

    longest: LongTransaction | None
    holder: OldestHolder | None
    tables: tuple[TableUpkeep, ...]
    autovacuum: bool
    history: HistoryStand


def read_upkeep(*, now: datetime) -> Upkeep:
    """Return how the database is kept; a fixed number of queries on the server's own views."""
    longest, holder = _rows(LONGEST_TRANSACTION), _rows(OLDEST_HOLDER)
    ((autovacuum,),) = _rows(
        "SELECT current_setting('autovacuum')::boolean AND current_setting('track_counts')::boolean"
    )
    return Upkeep(
        longest=LongTransaction(*longest[0]) if longest else None,
        holder=OldestHolder(*holder[0]) if holder else None,
        tables=tuple(TableUpkeep(*row) for row in _rows(TABLES, [list(HOT_TABLES)])),
        autovacuum=autovacuum,
        history=history_stand(now=now),
    )


def _rows(statement: str, parameters: Any = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())
