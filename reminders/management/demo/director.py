"""Moves the clock from one moment of a story to the next, and sees to it that nothing due is left behind on the way."""

import heapq
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from django.db.models import QuerySet

from reminders import clock
from reminders.core.states import MessageState
from reminders.management.demo.cast import PATIENTS
from reminders.management.demo.stage import Stage, unopened_questions
from reminders.management.rehearsal.draining import is_drained
from reminders.messaging.models import OutboxRow

Story = Iterator[datetime]

# What is due within one hop leaves at its end; the texts of the six leave at their very minute.
HOP = timedelta(minutes=30)
# Quiet hours begin on a full hour: a hop ends before it, so that nothing due earlier is carried over it.
BEFORE_THE_HOUR = timedelta(minutes=1)
# Nor may anything that is due within a hop go stale at its end.
BEFORE_EXPIRY = timedelta(minutes=1)
# Nudges are laid out by a sweep once their question has left, in good time before they are due. The sweep looks each
# second, and hours can pass here in one.
LONG = timedelta(hours=2)
# More than a lease, so that what a worker has let fall is taken up again.
DRAIN_SECONDS = 120.0
CAST_NUMBERS = tuple(person.phone for person in PATIENTS)


class Director:
    """Plays stories side by side. Each one yields the moment at which it wants to go on."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def play(self, stories: Sequence[Callable[[Stage], Story]]) -> None:
        """Play all stories to their ends, always the one whose moment comes first."""
        waiting: list[tuple[datetime, int, Story]] = []
        for number, begin in enumerate(stories):
            self._go_on(waiting, number, begin(self._stage))
        while waiting:
            moment, number, story = heapq.heappop(waiting)
            self.travel(to=moment)
            self._go_on(waiting, number, story)

    def _go_on(self, waiting: list[tuple[datetime, int, Story]], number: int, story: Story) -> None:
        moment = next(story, None)
        if moment is not None:
            heapq.heappush(waiting, (moment, number, story))

    def travel(self, *, to: datetime) -> None:
        """Move the clock to a moment in hops, each to the next text that is due. A moment that is past is now."""
        self.drain()
        while (hop := self._next_hop(to)) < to:
            self._move(hop)
        self._move(to)

    def _move(self, to: datetime) -> None:
        if to <= clock.now():
            return
        overlooked = unopened_questions().filter(accepted_at__lt=to - LONG)
        self._stage.wait_for(lambda: not overlooked.exists(), what="every question that left is waited for")
        self._stage.carrier.move_clock(to=to)
        self.drain()

    def _next_hop(self, to: datetime) -> datetime:
        first, cast = _soonest(_waiting(), "due_at"), _soonest(_waiting().filter(to_number__in=CAST_NUMBERS), "due_at")
        if first is None:
            return to
        first = max(first, clock.now())
        hour = first.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        hop = min(first + HOP, hour - BEFORE_THE_HOUR)
        expiry = _soonest(_waiting().filter(due_at__lte=hop), "expires_at")
        if expiry is not None:
            hop = min(hop, expiry - BEFORE_EXPIRY)
        return min(to, max(first, hop), cast or to)

    def drain(self) -> None:
        """Wait until everything that is due has left or been dropped, and every ladder that is due has rung."""
        self._stage.wait_for(
            lambda: is_drained(now=clock.now()), what="everything that is due has left", seconds=DRAIN_SECONDS
        )


def _waiting() -> QuerySet[OutboxRow]:
    return OutboxRow.objects.filter(state=MessageState.SCHEDULED)


def _soonest(rows: QuerySet[OutboxRow], field: str) -> datetime | None:
    return rows.order_by(field).values_list(field, flat=True).first()
