"""The time on the carrier's resources: the product's clock, which the sandbox may move."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol, TypeVar

PATIENCE_SECONDS = 3.0

Answer = TypeVar("Answer")


class PhoneEntry(NamedTuple):
    """Whose phone a number is, for the phones page."""

    label: str
    role: str = ""
    """`patient`, `clinician`, or `clinic` for a number that the product itself texts from; empty where unknown."""
    zone: str | None = None
    """IANA zone of the owner; None shows times in UTC."""


class ClockControl(Protocol):
    """The clock that all processes share, as far as the sandbox needs it. Calls may take a database round trip."""

    async def now(self) -> datetime:
        """Return the shared time, aware, in UTC."""
        ...

    async def advance(self, by: timedelta) -> None:
        """Move the shared clock forward for all processes. Raises ValueError for a negative step."""
        ...

    async def next_message_at(self) -> datetime | None:
        """Return when the product will send its next message, or None where nothing is planned."""
        ...

    async def phonebook(self) -> Mapping[str, PhoneEntry]:
        """Return whose phone each E.164 number is, as far as the product knows."""
        ...


class LocalClock:
    """The host's clock plus an offset in memory: for a carrier that runs without the product."""

    def __init__(self) -> None:
        self.offset = timedelta()
        self.next_at: datetime | None = None
        self.phones: dict[str, PhoneEntry] = {}

    async def now(self) -> datetime:
        """Return the host's time plus the offset."""
        return datetime.now(UTC) + self.offset

    async def advance(self, by: timedelta) -> None:
        """Add to the offset. Raises ValueError for a negative step."""
        if by < timedelta():
            raise ValueError("the clock only moves forward")
        self.offset += by

    async def next_message_at(self) -> datetime | None:
        """Return the moment set by hand, or None."""
        return self.next_at

    async def phonebook(self) -> Mapping[str, PhoneEntry]:
        """Return the entries set by hand."""
        return self.phones


class ClockUnreachableError(ValueError):
    """the product's database does not answer; try again when it is back"""


class CarrierTime:
    """The shared clock, sampled, so that the hot path reads it without input or output.

    The product's database may start later than the carrier or be restarted: what was last seen holds meanwhile.
    """

    def __init__(self, control: ClockControl, *, sample_seconds: float = 1.0) -> None:
        self.control = control
        self._offset = timedelta()
        self._sample_seconds = sample_seconds
        self._task: asyncio.Task[None] | None = None
        # A sample that was read before a move must not be stored after it.
        self._one_at_a_time = asyncio.Lock()
        self._book: Mapping[str, PhoneEntry] = {}
        self.on_move: Callable[[], None] = lambda: None
        """Called after every sample that moved the clock by more than a second."""

    def now(self) -> datetime:
        """Return the shared time as of the last sample, running on with the host's clock."""
        return datetime.now(UTC) + self._offset

    async def start(self) -> None:
        """Sample once, then go on sampling in the background, since others may move the clock too."""
        with contextlib.suppress(ClockUnreachableError):
            await self.sample()
        self._task = asyncio.create_task(self._keep_sampling())

    async def stop(self) -> None:
        """Stop sampling."""
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def sample(self) -> None:
        """Read the shared clock now. Raises ClockUnreachableError."""
        async with self._one_at_a_time:
            await self._look()

    async def advance(self, by: timedelta) -> None:
        """Move the shared clock forward and see the move at once. Raises ClockUnreachableError; then it has not moved.

        Ours moves first: a create that the product sends the moment its own clock has moved must not get an old date.
        """
        async with self._one_at_a_time:
            self._offset += by
            try:
                await _answer(self.control.advance(by))
            except BaseException:
                self._offset -= by
                raise
            with contextlib.suppress(ClockUnreachableError):
                await self._look()
        self.on_move()

    async def _look(self) -> None:
        before = datetime.now(UTC)
        instant = await _answer(self.control.now())
        # The answer was true at some moment of the round trip. What we have stays where that allows it, or else a slow
        # round trip would move our clock, and what follows a text by an instant could be dated before it.
        least, most = instant - datetime.now(UTC), instant - before
        offset = min(max(self._offset, least), most)
        moved = abs(offset - self._offset) > timedelta(seconds=1)
        self._offset = offset
        if moved:
            self.on_move()

    async def next_message_at(self) -> datetime | None:
        """Return when the product sends next; None where nothing is planned or nobody can tell."""
        with contextlib.suppress(ClockUnreachableError):
            return await _answer(self.control.next_message_at())
        return None

    async def phonebook(self) -> Mapping[str, PhoneEntry]:
        """Return whose phones they are, as of the last time the product could tell."""
        with contextlib.suppress(ClockUnreachableError):
            self._book = await _answer(self.control.phonebook())
        return self._book

    async def _keep_sampling(self) -> None:
        while True:
            await asyncio.sleep(self._sample_seconds)
            with contextlib.suppress(ClockUnreachableError):
                await self.sample()


async def _answer(question: Awaitable[Answer]) -> Answer:
    """Wait for the product's database, but not for long; turn whatever its driver raises into one error."""
    try:
        return await asyncio.wait_for(question, PATIENCE_SECONDS)
    except ValueError:
        raise
    except Exception as error:
        raise ClockUnreachableError(ClockUnreachableError.__doc__) from error
