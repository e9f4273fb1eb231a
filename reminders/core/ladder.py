"""The on-call ladder as arithmetic: who is rung next, and when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

# After the last rung the ladder starts over; the pause keeps a whole team from being rung without a breath.
PAUSE_BETWEEN_ROUNDS = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Ring:
    """One ring: which rung (0-based), in which round (0-based), and whether the round ends with it."""

    rung: int
    round: int
    ends_round: bool


def ring(*, rings_so_far: int, rungs: int) -> Ring:
    """Return the next ring after `rings_so_far` rings on a ladder of `rungs` rungs. Raises ValueError without rungs."""
    if rungs < 1:
        raise ValueError("A ladder without rungs reaches nobody.")
    rung = rings_so_far % rungs
    return Ring(rung=rung, round=rings_so_far // rungs, ends_round=rung == rungs - 1)


def wait_after(*, this: Ring, wait_minutes: Sequence[int]) -> timedelta:
    """Return how long to wait for an acknowledgement before the next ring; longer where a round ends."""
    wait = timedelta(minutes=wait_minutes[this.rung])
    return wait + PAUSE_BETWEEN_ROUNDS if this.ends_round else wait
