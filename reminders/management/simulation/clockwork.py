"""The next moment at which anything happens: exactly for what rings people, by the half hour for everything else."""

import heapq
from datetime import datetime, timedelta
from itertools import count
from typing import Generic, TypeVar

Item = TypeVar("Item")

# Quiet hours begin on full hours, so each half hour is looked at a minute before its end.
LOOKS_AT = (29, 59)
LAST_SECOND = timedelta(minutes=59, seconds=58)
A_LITTLE = timedelta(seconds=20)


def next_look(at: datetime) -> datetime:
    """Return when to look for what is due at `at`: at minute 29 or 59; in the last minute of an hour, within it."""
    hour = at.replace(minute=0, second=0, microsecond=0)
    looks = [hour + timedelta(minutes=minute) for minute in LOOKS_AT]
    return next((look for look in looks if at <= look), max(at, min(at + A_LITTLE, hour + LAST_SECOND)))


class Calendar(Generic[Item]):
    """What is going to happen, soonest first; of two at one moment, the one that was entered first."""

    def __init__(self) -> None:
        self._items: list[tuple[datetime, int, Item]] = []
        self._numbers = count()

    def add(self, at: datetime, item: Item) -> None:
        """Enter something."""
        heapq.heappush(self._items, (at, next(self._numbers), item))

    def next_at(self) -> datetime | None:
        """Return when the next thing happens."""
        return self._items[0][0] if self._items else None

    def due(self, now: datetime) -> list[Item]:
        """Take out everything that happens by now, in order."""
        found = []
        while self._items and self._items[0][0] <= now:
            found.append(heapq.heappop(self._items)[2])
        return found
