"""What a worker holds of the outbox, and what it has to know of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import connection

from reminders.core.quiet_hours import QuietWindow
from reminders.core.states import LEFT, MessageState
from reminders.messaging import sql
from reminders.messaging.models import PRIORITY

# The carrier may have brought these to the phone; an undelivered text introduced nobody.
MAY_HAVE_ARRIVED = LEFT - {MessageState.UNDELIVERED}


@dataclass(frozen=True, slots=True)
class Held:
    """A claimed row: its id and the fence that proves who holds it."""

    id: int
    fence: int


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a worker must know of a claimed message to judge and to send it.

    `segments` are SMS parts; `is_first_to_arrive` tells of a planned text that does not say who writes, and that no
    other text of its session has left before.
    """

    id: int
    fence: int
    public_id: UUID
    clinic_id: int
    channel: str
    to_number: str
    body: str
    quiet_exempt: bool
    expires_at: datetime
    unknown_policy: str
    attempts: int
    consent_rule: str
    priority: int
    segments: int
    sender_id: int
    sender_number: str
    is_paused: bool
    unknown_tries: int
    is_first_to_arrive: bool
    quiet: QuietWindow
    zone: ZoneInfo | None


_ARRIVED = sorted(MAY_HAVE_ARRIVED)
# The columns of INSPECT in their order; quiet start, quiet end and the names of the zones follow them.
_COLUMNS = tuple(field.name for field in fields(Claimed))[:-2]


def inspect(held: Sequence[Held]) -> list[Claimed]:
    """Return those of the rows that are still held, in the order in which they leave."""
    with connection.cursor() as cursor:
        cursor.execute(sql.INSPECT, {**keys(held), "arrived": _ARRIVED})
        return [
            Claimed(
                **dict(zip(_COLUMNS, row, strict=False)),
                quiet=QuietWindow(row[-4], row[-3]),
                zone=_zone_of(row[-2:]),
            )
            for row in cursor.fetchall()
        ]


def _zone_of(names: Sequence[str | None]) -> ZoneInfo | None:
    """Return the first zone that is one: the patient's, else the clinic's."""
    for name in names:
        try:
            return ZoneInfo(name or "")
        except (ZoneInfoNotFoundError, ValueError):
            continue
    return None


def known_zone(row: Claimed) -> ZoneInfo:
    """Return where the patient's night is. Raises LookupError where no zone of theirs or the clinic's is known."""
    if row.zone is None:
        raise LookupError("no time zone is known")
    return row.zone


def is_urgent(row: Claimed) -> bool:
    """Tell whether someone may be in danger: such a row waits for nothing that can be helped."""
    return row.priority == PRIORITY["urgent"]


def keys(rows: Iterable[Held | Claimed]) -> dict[str, Any]:
    """Return the parameters by which a statement names rows that are held; `due` keeps the time they have."""
    rows = list(rows)
    return {"ids": [row.id for row in rows], "fences": [row.fence for row in rows], "due": [None] * len(rows)}
