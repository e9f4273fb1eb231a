"""Things due at a moment of the shared clock: they come early when that clock is moved forward."""

import asyncio
import contextlib
import heapq
from collections.abc import Callable
from datetime import datetime
from itertools import count

from reminders.sandbox.clock import CarrierTime

LOOK_SECONDS = 0.2


class Alarms:
    """Calls functions once the shared clock has passed their moment; looks five times a second and after each move."""

    def __init__(self, time: CarrierTime) -> None:
        self._time = time
        self._due: list[tuple[datetime, int, Callable[[], object]]] = []
        self._ids = count()
        self._task: asyncio.Task[None] | None = None

    def at(self, moment: datetime, action: Callable[[], object]) -> None:
        """Call `action` once, soon after the moment. It has to check itself that it is still wanted."""
        heapq.heappush(self._due, (moment, next(self._ids), action))

    def look(self) -> None:
        """Call everything that is due by now."""
        now = self._time.now()
        while self._due and self._due[0][0] <= now:
            heapq.heappop(self._due)[2]()

    def start(self) -> None:
        """Look in the background, and whenever the clock is moved."""
        self._time.on_move = self.look
        self._task = asyncio.create_task(self._keep_looking())

    async def stop(self) -> None:
        """Stop looking."""
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self.look()
