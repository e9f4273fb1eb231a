"""Many requests at once share one transaction: each is answered once the transaction that holds its part committed."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Generic, TypeVar

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")

# Who acts next waits this long for those whose requests are being read just now. It doubles how many share one commit
# while requests come faster than commits, and nobody waits otherwise.
GATHER_SECONDS = 0.002


@dataclass(slots=True)
class _Place(Generic[Item, Outcome]):
    """One caller's part. Its gate opens when the part is done, or when its caller is the next to act for all."""

    item: Item
    gate: Lock = field(default_factory=Lock)
    outcomes: list[Outcome] = field(default_factory=list)
    error: BaseException | None = None

    def __post_init__(self) -> None:
        self.gate.acquire()


class Together(Generic[Item, Outcome]):
    """Lets the threads of one process act together.

    No thread of its own: the first caller acts, whoever comes meanwhile waits, and one of those acts next for all of
    them. So one caller alone never waits for company, and the more there are, the fewer transactions each costs.
    """

    def __init__(self, act: Callable[[Sequence[Item]], Sequence[Outcome]], *, most: int) -> None:
        """`act` does a batch of at most `most` items, in the order they came, and returns an outcome for each."""
        self._act = act
        self._most = most
        self._mutex = Lock()
        self._waiting: list[_Place[Item, Outcome]] = []
        self._is_acting = False

    def do(self, item: Item) -> Outcome:
        """Return the outcome of `item` once it is done. Raises what `act` raised for its batch."""
        mine: _Place[Item, Outcome] = _Place(item)
        with self._mutex:
            self._waiting.append(mine)
            waits, self._is_acting = self._is_acting, True
        if waits:
            mine.gate.acquire()
        if not mine.outcomes and mine.error is None:
            if waits:
                time.sleep(GATHER_SECONDS)
            self._act_for_all()
        if mine.error is not None:
            raise mine.error
        return mine.outcomes[0]

    def _act_for_all(self) -> None:
        """Do the batch that begins with this caller's own item, then let the next caller act."""
        with self._mutex:
            batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
        try:
            for place, outcome in zip(batch, self._act([place.item for place in batch]), strict=True):
                place.outcomes.append(outcome)
        except BaseException as error:  # noqa: BLE001  # each caller raises it in its own thread, also this one
            for place in batch:
                place.error = error
        with self._mutex:
            next_to_act = self._waiting[:1]
            self._is_acting = bool(next_to_act)
        for place in [*batch[1:], *next_to_act]:
            place.gate.release()
