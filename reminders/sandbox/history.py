"""Everything that happened, numbered, so that tests and the demo can wait for an event and need no sleep."""

import asyncio
from collections import deque
from typing import Any

from reminders.sandbox.journal import Journal

KEPT_EVENTS = 50_000


class History:
    """Numbered events: the newest stay in memory, all go to the journal where there is one."""

    def __init__(self, journal: Journal | None) -> None:
        self._journal = journal
        self._events: deque[dict[str, Any]] = deque(maxlen=KEPT_EVENTS)
        self._arrived: asyncio.Event | None = None
        self.last = 0

    def add(self, event: dict[str, Any], *, durable: bool = False) -> None:
        """Number and keep an event; with `durable` it outlives a kill of this process once this returns."""
        self.last += 1
        event["n"] = self.last
        self._events.append(event)
        if self._journal:
            self._journal.append(event, now=durable)
        if self._arrived:
            self._arrived.set()
            self._arrived = None

    def replayed(self, event: dict[str, Any]) -> None:
        """Keep an event read back from the journal under its old number."""
        self.last = event["n"]
        self._events.append(event)

    def clear(self) -> None:
        """Forget all events but go on counting, so that a waiting reader is not sent back."""
        self._events.clear()
        if self._journal:
            self._journal.clear()

    def since(self, n: int, *, limit: int = 1000) -> list[dict[str, Any]]:
        """Return the oldest kept events numbered above `n`, at most `limit`."""
        if not self._events or n >= self.last:
            return []
        start = max(0, n + 1 - self._events[0]["n"])
        stop = min(len(self._events), start + limit)
        if len(self._events) - start < 1000:
            # A deque is walked from its nearer end, so the usual reader, who is close behind, pays little.
            return [self._events[i] for i in range(start, stop)]
        return list(self._events)[start:stop]

    async def wait(self, n: int, *, timeout_seconds: float, limit: int = 1000) -> list[dict[str, Any]]:
        """Return events numbered above `n`, waiting up to the timeout for the first one; empty when none came."""
        deadline = asyncio.get_running_loop().time() + timeout_seconds
        while not (found := self.since(n, limit=limit)):
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                return []
            self._arrived = self._arrived or asyncio.Event()
            try:
                await asyncio.wait_for(self._arrived.wait(), left)
            except TimeoutError:
                return []
        return found
