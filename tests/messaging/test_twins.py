"""Each hand-written statement does what its slow, obvious twin does: all rows are compared afterwards.

`TWIN_TABLES=2000` tries so many new tables for each, instead of the same few in every run.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reminders.messaging import sql
from reminders.messaging.claimed import MAY_HAVE_ARRIVED
from tests.messaging import twins
from tests.messaging.conftest import NOON
from tests.messaging.twin_tables import (
    Ground,
    Row,
    Tables,
    differences,
    edge,
    fill,
    lay_ground,
    read,
    run,
    tables,
)

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(600)]

MORE = int(os.environ.get("TWIN_TABLES", "0"))
tables_of_few_rows = settings(
    max_examples=MORE or 40,
    derandomize=not MORE,
    database=None,
    deadline=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
LEASE = 30
Drawn = tuple[list[Row], list[Row]]


@pytest.fixture
def ground() -> Ground:
    """Clinics, senders, phones and what their owners decided."""
    return lay_ground()


@contextmanager
def filled(ground: Ground, drawn: Drawn) -> Iterator[tuple[Tables, Tables]]:
    """The tables as they stand, and a copy for the twin; afterwards both must agree, and nothing is left behind."""
    with transaction.atomic():
        before = fill(ground, drawn)
        expected = before.copy()
        yield before, expected
        wrong = differences(read(ground), expected)
        transaction.set_rollback(True)
    assert not wrong, "\n".join(["the statement and its twin differ:", *wrong])


def held_by(before: Tables, old: set[int]) -> dict[int, int]:
    """What a worker believes to hold: some of its fences are old ones, and some rows are not claimed at all."""
    fences = {pk: before.outbox[pk]["fence"] if pk in before.outbox else 1 for pk in sorted(before.messages)}
    return {pk: fence - (place in old) for place, (pk, fence) in enumerate(fences.items())}


def keys(held: Mapping[int, int]) -> dict[str, Any]:
    """The parameters that name them."""
    return {"ids": list(held), "fences": list(held.values()), "due": [None] * len(held)}


mostly_not = st.sampled_from([False, False, True])
old_fences = st.sets(st.integers(0, 15), min_size=2, max_size=6)


@tables_of_few_rows
@given(
    drawn=tables("scheduled"),
    urgent=st.sampled_from([False, False, True]),
    limit=st.sampled_from([3, 4, 5, 6, 7, 100, 0]),
)
def test_claim(ground: Ground, drawn: Drawn, urgent: bool, limit: int) -> None:
    priorities = [0] if urgent else [1, 2, 3]
    with filled(ground, drawn) as (_, expected):
        found = run(
            sql.CLAIM_DUE,
            {"now": NOON, "priorities": priorities, "urgent": urgent, "limit": limit, "lease_seconds": LEASE},
        )
        claimed = twins.claim_due(
            expected, now=NOON, priorities=priorities, urgent=urgent, limit=limit, lease_seconds=LEASE
        )
        assert {pk: (fence, place) for pk, fence, place in found} == claimed


@tables_of_few_rows
@given(drawn=tables("scheduled"))
def test_next_turn(ground: Ground, drawn: Drawn) -> None:
    with filled(ground, drawn) as (_, expected):
        [(found,)] = run(sql.NEXT_TURN, {"now": NOON, "priorities": [0, 1, 2, 3]})
        wait = twins.next_turn(expected, now=NOON, priorities=[0, 1, 2, 3])
        assert (None if found is None else float(found)) == wait


@tables_of_few_rows
@given(drawn=tables("claimed"), old=old_fences)
def test_what_a_worker_still_holds(ground: Ground, drawn: Drawn, old: set[int]) -> None:
    with filled(ground, drawn) as (before, expected):
        held = held_by(before, old)
        found = run(sql.INSPECT, {**keys(held), "arrived": sorted(MAY_HAVE_ARRIVED)})
        assert [row[:2] for row in found] == twins.look(expected, held)


@tables_of_few_rows
@given(drawn=tables("claimed"))
def test_turns(ground: Ground, drawn: Drawn) -> None:
    with filled(ground, drawn) as (before, expected):
        asked = sorted(before.outbox.values(), key=lambda row: (row["priority"], row["message_id"]))
        params = {
            "ids": [row["message_id"] for row in asked],
            "senders": [row["sender_id"] for row in asked],
            "parts": [row["segments"] for row in asked],
            "urgent": [row["priority"] == 0 for row in asked],
        }
        assert dict(run(sql.TAKE_TURNS, params)) == pytest.approx(twins.take_turns(expected, asked), abs=2e-6)


@tables_of_few_rows
@given(drawn=tables("claimed"), old=old_fences)
def test_commit_point(ground: Ground, drawn: Drawn, old: set[int]) -> None:
    with filled(ground, drawn) as (before, expected):
        held = held_by(before, old)
        found = run(sql.COMMIT_TO_SEND, {**keys(held), "now": NOON, "lease_seconds": LEASE})
        assert dict(found) == twins.commit_to_send(expected, held, now=NOON, lease_seconds=LEASE)


@tables_of_few_rows
@given(drawn=tables("claimed"), old=old_fences)
def test_dismissing_what_the_commit_point_refused(ground: Ground, drawn: Drawn, old: set[int]) -> None:
    with filled(ground, drawn) as (before, expected):
        held = held_by(before, old)
        run(sql.DISMISS, {**keys(held), "now": NOON})
        twins.dismiss(expected, held, now=NOON)


@tables_of_few_rows
@given(drawn=tables("claimed"), old=old_fences, due=st.lists(st.none() | edge, min_size=16, max_size=16))
def test_putting_back(ground: Ground, drawn: Drawn, old: set[int], due: list[timedelta | None]) -> None:
    with filled(ground, drawn) as (before, expected):
        held = held_by(before, old)
        moments = [None if one is None else NOON + one for one in due[: len(held)]]
        run(sql.PUT_BACK, {**keys(held), "due": moments, "now": NOON})
        twins.put_back(expected, held, dict(zip(held, moments, strict=True)), now=NOON)


ANSWERS = (
    {"state": "accepted", "outcome": "accepted", "reason": "", "code": None},
    {"state": "scheduled", "outcome": "not_processed", "reason": "no_connection", "code": None},
    {"state": "scheduled", "outcome": "refused", "reason": "sender_fault", "code": 21606},
    {"state": "rejected", "outcome": "refused", "reason": "content", "code": 21617},
    {"state": "suppressed", "outcome": "refused", "reason": "opted_out", "code": 21610},
    {"state": "scheduled", "outcome": "unknown", "reason": "unknown_timeout", "code": None},
    {"state": "ambiguous", "outcome": "unknown", "reason": "unknown_timeout", "code": None},
)
answers = st.lists(
    st.tuples(st.sampled_from(ANSWERS), st.integers(1, 2), st.none() | edge, st.booleans()), min_size=16, max_size=16
)


@tables_of_few_rows
@given(drawn=tables("sending", "ambiguous", "unresolved", "replaced", "scheduled"), answers=answers)
def test_settling(ground: Ground, drawn: Drawn, answers: list[tuple[Row, int, timedelta | None, bool]]) -> None:
    with filled(ground, drawn) as (before, expected):
        told = [
            {
                **answer,
                "id": pk,
                "try": number,
                "due": NOON + due if due is not None and answer["state"] == "scheduled" else None,
                "sid": f"SM{pk:032x}" if answer["state"] == "accepted" else "",
            }
            for pk, (answer, number, due, is_in) in zip(sorted(before.messages), answers, strict=False)
            if is_in
        ]
        names = {"id": "ids", "try": "tries", "state": "states", "reason": "reasons", "outcome": "outcomes"}
        names |= {"sid": "sids", "code": "codes", "due": "due"}
        params = {plural: [answer[name] for answer in told] for name, plural in names.items()}
        began = NOON - timedelta(seconds=2)
        found = dict(run(sql.SETTLE, {**params, "began": began, "now": NOON}))
        assert found == twins.settle(expected, told, began=began, now=NOON)


@tables_of_few_rows
@given(drawn=tables("claimed", "sending", "sending"))
def test_sweeping_leases(ground: Ground, drawn: Drawn) -> None:
    with filled(ground, drawn) as (_, expected):
        found = run(sql.SWEEP_LEASES, {"now": NOON, "limit": 100, "resend_limit": 4})
        assert dict(found) == twins.sweep_leases(expected, now=NOON, resend_limit=4)


@tables_of_few_rows
@given(drawn=tables("scheduled"))
def test_expiring_what_is_overdue(ground: Ground, drawn: Drawn) -> None:
    with filled(ground, drawn) as (_, expected):
        run(sql.EXPIRE_OVERDUE, {"now": NOON, "limit": 100})
        twins.expire_overdue(expected, now=NOON)
