"""The carrier's own view of the shared clock, while somebody moves it."""

import asyncio
from datetime import UTC, datetime, timedelta

from reminders.sandbox.clock import CarrierTime, LocalClock

DAY = timedelta(days=1)
A_MOMENT = timedelta(seconds=5)
LONG_ANSWER = timedelta(milliseconds=100)


class SlowClock(LocalClock):
    """A clock whose first answer takes until `let_go` is set, though it was read at once."""

    def __init__(self) -> None:
        super().__init__()
        self.was_read = asyncio.Event()
        self.let_go = asyncio.Event()

    async def now(self) -> datetime:
        """Read the time at once; answer the first reader later."""
        instant = await super().now()
        if not self.was_read.is_set():
            self.was_read.set()
            await self.let_go.wait()
        return instant


class WatchedClock(LocalClock):
    """A clock that notes what the carrier's own time is at the moment it moves."""

    time: CarrierTime
    dated: datetime

    async def advance(self, by: timedelta) -> None:
        """Move, and note how a create would be dated that arrives in the same moment."""
        await super().advance(by)
        self.dated = self.time.now()


def test_an_answer_that_was_read_before_a_move_does_not_undo_it() -> None:
    async def story() -> None:
        clock = SlowClock()
        time = CarrierTime(clock)
        sampling = asyncio.create_task(time.sample())
        await clock.was_read.wait()
        moving = asyncio.create_task(time.advance(DAY))
        await asyncio.wait([moving], timeout=0.05)
        clock.let_go.set()
        await asyncio.gather(sampling, moving)
        assert time.now() > datetime.now(UTC) + DAY - A_MOMENT

    asyncio.run(story())


def test_a_database_that_takes_long_to_answer_does_not_set_the_clock_back() -> None:
    async def story() -> None:
        clock = SlowClock()
        time = CarrierTime(clock)
        sampling = asyncio.create_task(time.sample())
        await clock.was_read.wait()
        asyncio.get_running_loop().call_later(LONG_ANSWER.total_seconds(), clock.let_go.set)
        before = time.now()
        await sampling
        # The clock has run on all the while. Taken for the present, the old answer would have set it back to `before`.
        assert time.now() - before >= LONG_ANSWER

    asyncio.run(story())


def test_a_text_that_leaves_in_the_moment_of_a_move_gets_no_old_date() -> None:
    clock = WatchedClock()
    clock.time = CarrierTime(clock)
    asyncio.run(clock.time.advance(DAY))
    assert clock.dated > datetime.now(UTC) + DAY - A_MOMENT


def test_who_waits_for_a_moment_hears_of_the_move() -> None:
    moves: list[str] = []
    time = CarrierTime(LocalClock())
    time.on_move = lambda: moves.append("moved")
    asyncio.run(time.advance(DAY))
    assert moves == ["moved"]
