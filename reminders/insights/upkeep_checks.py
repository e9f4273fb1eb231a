"""What is wrong with how the database is kept, and what to do: judgements over figures that were read already."""

from collections.abc import Iterator
from typing import Final

from reminders.insights.amounts import ago, many, span
from reminders.insights.findings import Problem, attention
from reminders.insights.upkeep import OldestHolder, TableUpkeep, Upkeep

# A backup of a large database takes as long; ours are ended after two minutes (`reminders.database`).
OPEN_TOO_LONG_SECONDS: Final = 600
HELD_TOO_MANY_TRANSACTIONS: Final = 1_000_000
# Cleaning starts by itself within a minute or so; at full speed a minute leaves this many former versions.
DEAD_TOO_MANY: Final = 100_000
DEAD_SHARE: Final = 5
UNCLEANED_SECONDS: Final = 600


def transactions(upkeep: Upkeep) -> Iterator[Problem]:
    """Yield what keeps former versions of rows from being cleaned away; the oldest alone, the rest shows after it."""
    holder, longest = upkeep.holder, upkeep.longest
    if holder and (holder.seconds > OPEN_TOO_LONG_SECONDS or holder.transactions > HELD_TOO_MANY_TRANSACTIONS):
        yield _held_by(holder)
    elif longest and longest.seconds > OPEN_TOO_LONG_SECONDS:
        yield attention(
            f"One transaction has been open for {span(longest.seconds)} (server process {longest.pid}, "
            f"{longest.state or 'state unknown'}).",
            _end_session(str(longest.pid)),
        )


def _held_by(holder: OldestHolder) -> Problem:
    since = span(holder.seconds) if holder.seconds else many(holder.transactions, "transaction")
    what, advice = {
        "session": (f"an open transaction (server process {holder.who})", _end_session(holder.who)),
        "standby": (
            f"a query on the standby {holder.who}",
            "End that query there, or set `hot_standby_feedback = off` on the standby.",
        ),
        "slot": (
            f"the replication slot {holder.who}",
            "Bring its reader back. If it is gone for good: `SELECT pg_drop_replication_slot(...)` with that name.",
        ),
        "prepared": (
            f"the prepared transaction {holder.who}",
            "Nobody of ours prepares any. Find it in `pg_prepared_xacts`, then `ROLLBACK PREPARED` with its gid.",
        ),
    }[holder.holder]
    return attention(f"For {since} nothing can be cleaned away because of {what}: sending slows down.", advice)


def _end_session(pid: str) -> str:
    return (
        f"See in `pg_stat_activity` whose process {pid} is and what it does. A backup may take so long; "
        f"anything else is ended with `SELECT pg_terminate_backend({pid})`."
    )


def cleaning(upkeep: Upkeep) -> Iterator[Problem]:
    """Yield each hot table that is not cleaned as fast as it turns over."""
    if not upkeep.autovacuum:
        yield attention(
            "The database does not clean itself: sending gets slower every day.",
            "Set `autovacuum = on` and `track_counts = on` in PostgreSQL and reload it.",
        )
    for table in upkeep.tables:
        if _is_neglected(table):
            cleaned = (
                "was never cleaned" if table.cleaned_seconds is None else f"was cleaned {ago(table.cleaned_seconds)}"
            )
            yield attention(
                f"{table.table} holds {table.dead:,} former versions beside {table.live:,} rows and {cleaned}.",
                f"See whether something keeps cleaning back (a finding of its own), then run `VACUUM {table.table}`. "
                "Where it comes back, give PostgreSQL more `autovacuum_max_workers`.",
            )


def _is_neglected(table: TableUpkeep) -> bool:
    is_old = table.cleaned_seconds is None or table.cleaned_seconds > UNCLEANED_SECONDS
    return is_old and table.dead > max(DEAD_TOO_MANY, table.live // DEAD_SHARE)


def history(upkeep: Upkeep) -> Iterator[Problem]:
    """Yield what is missing where tries and callbacks are kept by month. None of it loses anything."""
    look = (
        "The scheduler sees to it every few minutes. If this stays, look for `history_busy` and `chore_failed` in "
        "its log."
    )
    if not upkeep.history.months_ahead:
        yield attention("The log of tries and callbacks has no room for the next month yet.", look)
    if upkeep.history.rows_in_rest:
        yield attention(f"{many(upkeep.history.rows_in_rest, 'row')} of the log lie in no month of their own.", look)
