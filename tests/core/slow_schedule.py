"""The slow and obvious twin of `core.schedule`: it lives through the days minute by minute, and looks at the clock.

A start or an end is an alarm that rings when the wall clock first reaches it or jumps over it. Nothing here knows of
offsets, folds or gaps. All times are whole minutes.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from zoneinfo import ZoneInfo

from reminders.core.quiet_hours import QuietWindow
from reminders.core.schedule import ScheduleStep, StepKind, WhenQuiet

MINUTE = timedelta(minutes=1)
WARM_UP_DAYS = 4

# What a step comes to: when it leaves, or why it does not.
Outcome = datetime | str


class LivedDays:
    """The minutes around a moment, from 2 days before it to `days` after it, each known to be quiet or not."""

    def __init__(self, *, around: datetime, days: int, zone: ZoneInfo, quiet: QuietWindow) -> None:
        self.first = around.astimezone(UTC) - timedelta(days=2)
        begin = self.first - timedelta(days=WARM_UP_DAYS)
        end = self.first + timedelta(days=2 + days)
        alarms = _alarms(begin, end, zone, quiet)
        ringing = next(alarms)
        is_quiet = False
        self.quiet: list[bool] = []
        for step in range((end - begin) // MINUTE):
            now = begin + step * MINUTE
            wall = now.astimezone(zone).replace(tzinfo=None)
            while ringing[0] <= wall:
                is_quiet = ringing[1]
                ringing = next(alarms)
            if now >= self.first:
                self.quiet.append(is_quiet)

    def is_quiet(self, at: datetime) -> bool:
        return self.quiet[(at - self.first) // MINUTE]

    def next_open(self, at: datetime) -> datetime:
        return next(at + n * MINUTE for n in count() if not self.is_quiet(at + n * MINUTE))

    def last_open(self, at: datetime) -> datetime:
        return next(at - n * MINUTE for n in count() if not self.is_quiet(at - n * MINUTE))


def slow_lay_out(*, steps: Sequence[ScheduleStep], ended_at: datetime, days: LivedDays) -> list[Outcome]:
    """Say what becomes of each step, all of them advice or check-ins."""
    outcomes: list[Outcome] = []
    advice: list[tuple[datetime, bool]] = []
    for step in steps:
        due = ended_at + step.offset_minutes * MINUTE
        outcome = _alone(step, due, ended_at, days)
        if step.kind is StepKind.ADVICE and isinstance(outcome, datetime):
            outcome = _with_room(step, due, outcome, advice, days)
        if isinstance(outcome, datetime):
            if outcome > due + step.expires_minutes * MINUTE:
                outcome = "expired"
            elif step.kind is StepKind.ADVICE:
                advice.append((outcome, outcome != due))
        outcomes.append(outcome)
    return outcomes


def _alone(step: ScheduleStep, due: datetime, ended_at: datetime, days: LivedDays) -> Outcome:
    if not days.is_quiet(due):
        return due
    if step.when_quiet is WhenQuiet.SKIP:
        return "quiet_hours"
    if step.when_quiet is WhenQuiet.EARLIER and days.last_open(due) >= ended_at + 5 * MINUTE:
        return days.last_open(due)
    return days.next_open(due)


def _with_room(
    step: ScheduleStep, due: datetime, wanted: datetime, advice: list[tuple[datetime, bool]], days: LivedDays
) -> Outcome:
    """Walk on, minute by minute, until there is room and it is not quiet."""
    at = wanted
    while True:
        crowded = any(abs(at - other) < 10 * MINUTE and (at != due or moved) for other, moved in advice)
        if not crowded and not days.is_quiet(at):
            return at
        if not crowded and step.when_quiet is WhenQuiet.SKIP:
            return "quiet_hours"
        at += MINUTE


def _alarms(begin: datetime, end: datetime, zone: ZoneInfo, quiet: QuietWindow) -> Iterator[tuple[datetime, bool]]:
    """Yield (wall time, whether it is quiet from then on) in the order of the wall clock."""
    day = begin.astimezone(zone).date() - timedelta(days=1)
    times = sorted([(quiet.start, True), (quiet.end, False)]) if quiet.start != quiet.end else []
    while day <= end.astimezone(zone).date() + timedelta(days=1):
        for wall, starts in times:
            yield datetime.combine(day, wall), starts
        day += timedelta(days=1)
    yield datetime.max, False  # noqa: DTZ901 rings never
