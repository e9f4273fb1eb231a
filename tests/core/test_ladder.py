"""The on-call ladder as arithmetic."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminders.core.ladder import PAUSE_BETWEEN_ROUNDS, Ring, ring, wait_after


def test_rungs_are_rung_in_order_and_the_ladder_starts_over() -> None:
    rung = [ring(rings_so_far=n, rungs=3) for n in range(5)]

    assert [(one.round, one.rung, one.ends_round) for one in rung] == [
        (0, 0, False),
        (0, 1, False),
        (0, 2, True),
        (1, 0, False),
        (1, 1, False),
    ]


def test_a_ladder_of_one_rung_ends_its_round_with_every_ring() -> None:
    assert ring(rings_so_far=7, rungs=1) == Ring(rung=0, round=7, ends_round=True)


def test_a_ladder_without_rungs_is_refused_because_it_reaches_nobody() -> None:
    with pytest.raises(ValueError, match="nobody"):
        ring(rings_so_far=0, rungs=0)


def test_each_rung_waits_its_own_time_and_a_round_ends_with_a_breath() -> None:
    waits = [wait_after(this=ring(rings_so_far=n, rungs=2), wait_minutes=[2, 7]) for n in range(2)]

    assert waits == [timedelta(minutes=2), timedelta(minutes=7) + PAUSE_BETWEEN_ROUNDS]


@given(rings_so_far=st.integers(0, 10_000), rungs=st.integers(1, 30))
def test_the_ladder_never_ends_and_leaves_nobody_out(rings_so_far: int, rungs: int) -> None:
    one_round = {ring(rings_so_far=rings_so_far + n, rungs=rungs).rung for n in range(rungs)}

    assert one_round == set(range(rungs))


@given(rings_so_far=st.integers(0, 10_000), waits=st.lists(st.integers(1, 60), min_size=1, max_size=30))
def test_there_is_always_a_next_ring_and_it_lies_ahead(rings_so_far: int, waits: list[int]) -> None:
    this = ring(rings_so_far=rings_so_far, rungs=len(waits))

    assert wait_after(this=this, wait_minutes=waits) >= timedelta(minutes=1)
