"""Small tables for the statements and their twins: few senders, few phones, rows in all states, times at the edges."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection
from hypothesis import strategies as st

from reminders.clinic.models import ConsentRecord
from reminders.messaging.models import Message, OutboxRow, Sender
from tests.factories import make_clinic, make_patient
from tests.messaging.conftest import NOON

Row = dict[str, Any]

TICK: Final = timedelta(microseconds=1)
EDGES: Final = (timedelta(0), -TICK, TICK, timedelta(hours=-1), timedelta(hours=1))
"""Exactly now, and just before and after."""

DB_NOW: Final = NOON + timedelta(days=3)
"""The database's unmoved time: another one than the product's, so that mixing them up is seen."""

DECISIONS: Final = ((), ("granted",), ("granted", "revoked"), ("revoked", "granted"))
IN_OUTBOX: Final = ("scheduled", "claimed", "sending", "ambiguous", "unresolved")

edge = st.sampled_from(EDGES)
# Most of what is looked at lets a row pass, or no row would pass all of it.
_LATE_OR_ON_EDGE: Final = (*EDGES[::-1], EDGES[-1], EDGES[-1], EDGES[-1])


def _texts(often: Sequence[str]) -> st.SearchStrategy[list[Row]]:
    rows = {
        "sender": st.integers(0, 2),
        "phone": st.integers(0, len(DECISIONS) - 1),
        "state": st.sampled_from((*often, *often, *often, *IN_OUTBOX, "accepted", "replaced")),
        "priority": st.integers(0, 3),
        "segments": st.sampled_from([1, 1, 2, 7]),
        "consent_rule": st.sampled_from(["granted", "not_revoked", "none"]),
        "unknown_policy": st.sampled_from(["settle", "resend"]),
        "due": edge,
        "expires": st.sampled_from(_LATE_OR_ON_EDGE),
        "lease": st.sampled_from(_LATE_OR_ON_EDGE),
        "fence": st.integers(1, 2),
        "attempts": st.integers(1, 2),
        "is_new": st.booleans(),
        "unknown_tries": st.sampled_from([0, 1, 1, 2, 3, 4]),
        "withdrawn": st.sampled_from(["", "", "voided"]),
    }
    return st.lists(st.fixed_dictionaries(rows), min_size=12, max_size=16)


senders = st.lists(
    st.fixed_dictionaries(
        {
            "rate": st.sampled_from([1000.0, 30.0, 10.0, 1.0]),
            "claimed": st.sampled_from([-5.0, -5.0, 0.0, 0.1, 0.05]),
            "turns": st.sampled_from([-5.0, 0.0, 0.3, 0.5, 9.0]),
            "paused": st.sampled_from([None, None, None, *EDGES[:3]]),
        }
    ),
    min_size=3,
    max_size=3,
)


def tables(*often: str) -> st.SearchStrategy[tuple[list[Row], list[Row]]]:
    """Rows for all tables, most of the messages in one of these states."""
    return st.tuples(senders, _texts(often))


@dataclass
class Tables:
    """The rows of three tables by id, and the log of tries as it was written."""

    senders: dict[int, Row]
    outbox: dict[int, Row]
    messages: dict[int, Row]
    decisions: Mapping[tuple[int, str], str]
    log: list[tuple[Any, ...]] = field(default_factory=list)

    def copy(self) -> "Tables":
        """The same once more, for a twin to write into."""
        return deepcopy(self)


@dataclass(frozen=True)
class Ground:
    """Two clinics that know the same numbers, with other decisions about them; three senders."""

    sender_ids: Sequence[int]
    clinic_ids: Sequence[int]
    patient_ids: Sequence[int]
    numbers: Sequence[str]
    decisions: Mapping[tuple[int, str], str]


def lay_ground() -> Ground:
    """What stays the same for all tables."""
    first, second = make_clinic(), make_clinic()
    third = Sender.objects.create(clinic=first, number="+13125550999")
    numbers = [f"+1312555090{place}" for place in range(len(DECISIONS))]
    newest = {}
    for clinic, histories in ((first, DECISIONS), (second, DECISIONS[::-1])):
        for number, history in zip(numbers, histories, strict=True):
            newest[clinic.pk, number] = history[-1] if history else "never"
            for decision in history:
                ConsentRecord.objects.create(
                    clinic=clinic, number=number, channel="sms", decision=decision, method="paper", recorded_at=NOON
                )
    return Ground(
        [first.senders.exclude(pk=third.pk).get().pk, third.pk, second.senders.get().pk],
        [first.pk, first.pk, second.pk],
        [make_patient(clinic=clinic, now=NOON).pk for clinic in (first, first, second)],
        numbers,
        newest,
    )


def fill(ground: Ground, drawn: tuple[list[Row], list[Row]]) -> Tables:
    """Write these rows, and return them as they stand."""
    for pk, row in zip(ground.sender_ids, drawn[0], strict=True):
        paused_until = None if row["paused"] is None else DB_NOW + row["paused"]
        Sender.objects.filter(pk=pk).update(
            parts_per_second=row["rate"],
            claimed_until=later(DB_NOW, row["claimed"]),
            turns_until=later(DB_NOW, row["turns"]),
            paused_until=paused_until,
        )
    messages = Message.objects.bulk_create([_message(ground, place, row) for place, row in enumerate(drawn[1])])
    claimed = [row["state"] == "claimed" for row in drawn[1]]
    leases = [DB_NOW + row["lease"] if row["state"] in ("claimed", "sending") else None for row in drawn[1]]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE reminders_outbox o SET fence = d.fence, unknown_tries = d.unknown, lease_until = d.lease, "
            "state = CASE WHEN d.claimed THEN 'claimed' ELSE o.state END "
            "FROM unnest(%s::bigint[], %s::int[], %s::int[], %s::timestamptz[], %s::boolean[]) "
            "AS d(id, fence, unknown, lease, claimed) WHERE o.message_id = d.id",
            [
                [message.pk for message in messages],
                [row["fence"] for row in drawn[1]],
                [row["unknown_tries"] for row in drawn[1]],
                leases,
                claimed,
            ],
        )
    return read(ground)


def _message(ground: Ground, place: int, row: Row) -> Message:
    is_new = row["is_new"] and row["state"] in ("scheduled", "claimed")
    due_at = NOON + row["due"]
    return Message(
        clinic_id=ground.clinic_ids[row["sender"]],
        patient_id=ground.patient_ids[row["sender"]],
        sender_id=ground.sender_ids[row["sender"]],
        dedupe_key=f"twin:{place}",
        kind="reply",
        to_number=ground.numbers[row["phone"]],
        body=f"Text {place}",
        state="scheduled" if row["state"] == "claimed" else row["state"],
        first_due_at=due_at,
        due_at=due_at,
        expires_at=NOON + row["expires"],
        attempts=0 if is_new else row["attempts"],
        created_at=NOON - timedelta(days=1),
        changed_at=NOON - timedelta(hours=2),
        **{name: row[name] for name in ("priority", "segments", "consent_rule", "unknown_policy", "withdrawn")},
    )


_MESSAGE: Final = (
    *("id", "clinic_id", "state", "reason", "due_at", "expires_at", "attempts", "withdrawn", "carrier_sid"),
    *("carrier_rank", "error_code", "accepted_at", "changed_at"),
)
_OUTBOX: Final = tuple(column.column for column in OutboxRow._meta.concrete_fields)
_SENDER: Final = ("id", "parts_per_second", "claimed_until", "turns_until", "paused_until")
_LOG: Final = "clinic_id, message_id, number, started_at, ended_at, outcome, error_code, carrier_sid"


def read(ground: Ground) -> Tables:
    """Return all rows as they stand."""
    return Tables(
        senders=_rows("reminders_sender", _SENDER),
        outbox=_rows("reminders_outbox", _OUTBOX),
        messages=_rows("reminders_message", _MESSAGE),
        decisions=ground.decisions,
        log=_select(f"SELECT {_LOG} FROM reminders_deliveryattempt ORDER BY message_id, id"),  # noqa: S608
    )


def _rows(table: str, columns: Sequence[str]) -> dict[int, Row]:
    found = _select(f"SELECT {', '.join(columns)} FROM {table}")  # noqa: S608
    return {row[0]: dict(zip(columns, row, strict=True)) for row in found}


def _select(statement: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


def run(statement: str, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Run one statement of the engine at `DB_NOW`: word for word, but for the one clock that it reads."""
    with connection.cursor() as cursor:
        cursor.execute(statement.replace("clock_timestamp()", "%(db_now)s::timestamptz"), {**params, "db_now": DB_NOW})
        return list(cursor.fetchall()) if cursor.description else []


def differences(found: Tables, expected: Tables) -> list[str]:
    """Compare all rows of all tables; return a line for each that is not as the twin left it."""
    lines = []
    for name in ("senders", "outbox", "messages"):
        is_, should = getattr(found, name), getattr(expected, name)
        for pk in sorted(is_.keys() | should.keys()):
            lines += [f"{name} {pk}: {line}" for line in _changes(is_.get(pk), should.get(pk))]
    if sorted(found.log, key=str) != sorted(expected.log, key=str):
        lines.append(f"log is {found.log}, not {expected.log}")
    return lines


def _changes(is_: Row | None, should: Row | None) -> list[str]:
    if is_ is None or should is None:
        return [] if is_ is should else [f"is {is_}, not {should}"]
    return [f"{key} is {is_[key]}, not {should[key]}" for key in is_ if is_[key] != should[key]]


def later(at: datetime, value: float) -> datetime:
    """So many seconds after a moment."""
    return at + timedelta(seconds=value)
