"""The product's own clock, phonebook and outbox as the sandbox sees them: through the database, without Django."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString

import psycopg

from reminders.sandbox.clock import PhoneEntry

NOW = "SELECT reminders_now()"
ADVANCE = """
INSERT INTO reminders_clockoffset (id, "offset") VALUES (1, %s)
ON CONFLICT (id) DO UPDATE SET "offset" = reminders_clockoffset."offset" + EXCLUDED."offset"
"""
# The next thing that makes a phone ring or buzz: a text that is laid out, or the next rung of a ladder.
NEXT = """
SELECT LEAST(
    (SELECT MIN(due_at) FROM reminders_outbox WHERE state = 'scheduled'),
    (SELECT MIN(next_ring_at) FROM reminders_escalation WHERE state = 'open')
)
"""
PHONEBOOK = """
SELECT f.number, trim(p.given_name || ' ' || left(p.family_name, 1)) AS name, 'patient' AS role, p.timezone
FROM reminders_patientphone f JOIN reminders_patient p ON p.id = f.patient_id
UNION ALL
SELECT c.phone, COALESCE(NULLIF(trim(c.first_name || ' ' || c.last_name), ''), c.username), 'clinician', k.timezone
FROM reminders_clinician c JOIN reminders_clinic k ON k.id = c.clinic_id WHERE c.phone <> ''
UNION ALL
SELECT s.number, k.name, 'clinic', k.timezone FROM reminders_sender s JOIN reminders_clinic k ON k.id = s.clinic_id
"""


class ProductClock:
    """A clock control on the product's database; each call opens a connection, so a restarted database is no matter."""

    def __init__(self, *, dsn: str) -> None:
        self._dsn = dsn

    async def _rows(self, statement: LiteralString, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        async with await psycopg.AsyncConnection.connect(self._dsn, autocommit=True) as connection:
            cursor = await connection.execute(statement, parameters)
            return await cursor.fetchall() if cursor.description else []

    async def now(self) -> datetime:
        """Return the product's present instant, in UTC."""
        [(instant,)] = await self._rows(NOW)
        return _aware(instant)

    async def advance(self, by: timedelta) -> None:
        """Move the clock of all processes, and wake the schedulers. Raises ValueError for a negative step."""
        if by < timedelta():
            raise ValueError("the clock only moves forward")
        await self._rows(ADVANCE, (by,))
        await self._rows("NOTIFY reminders_outbox")

    async def next_message_at(self) -> datetime | None:
        """Return when the next text leaves or the next rung rings, or None where nothing is planned."""
        [(instant,)] = await self._rows(NEXT)
        return None if instant is None else _aware(instant)

    async def phonebook(self) -> Mapping[str, PhoneEntry]:
        """Return the phones of patients, clinicians and clinics; those who share a number are all named."""
        book: dict[str, PhoneEntry] = {}
        for number, name, role, zone in await self._rows(PHONEBOOK):
            known = book.get(number)
            book[number] = PhoneEntry(f"{known.label}, {name}" if known else name, role, zone)
        return book


def _aware(instant: datetime) -> datetime:
    return instant.astimezone(UTC)
