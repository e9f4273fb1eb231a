"""One clock for every process: the database's, plus an offset that only the sandbox may set.

So a host whose clock is wrong cannot send early, and a rehearsal can move two days in a minute everywhere at once.
Leases and pacing run on the database's unmoved time: moving the clock must not end a lease.
"""

from datetime import UTC, datetime, timedelta

from django.db import connection


def now() -> datetime:
    """Return the product's present instant, in UTC. One round trip; call it at the edges and pass it down."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT reminders_now()")
        (instant,) = cursor.fetchone()
    if not isinstance(instant, datetime):
        raise TypeError("the database's clock did not answer with a time")
    return instant.astimezone(UTC)


def offset() -> timedelta:
    """Return how far the clock has been moved; zero where it never was."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT COALESCE((SELECT \"offset\" FROM reminders_clockoffset WHERE id = 1), interval '0')")
        (value,) = cursor.fetchone()
    return value if isinstance(value, timedelta) else timedelta()


def advance(*, by: timedelta) -> datetime:
    """Move the clock of all processes forward and return the new instant.

    Only the sandbox calls this. Raises ValueError for a negative step: time never runs backwards.
    """
    if by < timedelta():
        raise ValueError("The clock only moves forward.")
    with connection.cursor() as cursor:
        cursor.execute(
            'INSERT INTO reminders_clockoffset (id, "offset") VALUES (1, %s::interval) '
            'ON CONFLICT (id) DO UPDATE SET "offset" = reminders_clockoffset."offset" + EXCLUDED."offset"',
            [str(by.total_seconds()) + " seconds"],
        )
        cursor.execute("NOTIFY reminders_outbox")
    return now()
