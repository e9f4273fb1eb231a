"""The steps of a protocol on an axis of time: when each would leave after one treatment, with quiet hours shaded."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from reminders.console.protocol_words import in_words, step_in_words
from reminders.console.wording import text_title
from reminders.content.selectors import scheduled
from reminders.core.protocols import StepDefinition
from reminders.core.quiet_hours import QuietWindow, is_quiet, next_open
from reminders.core.rehearsal import ANSWERED_AFTER
from reminders.core.schedule import Dropped, Placed, StepKind, lay_out, place_step

_LOOK = timedelta(minutes=15)
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of the axis, in percent of its width."""

    start: float
    width: float


@dataclass(frozen=True, slots=True)
class Tick:
    """The beginning of a day on the axis."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Lane:
    """One step: what it is, when it would leave, and where on the axis that is; `at` is None where it is dropped."""

    title: str
    when: str
    who: str
    leaves_at: datetime | None
    note: str
    is_conditional: bool
    at: float | None
    first: float
    useful: Stretch


@dataclass(frozen=True, slots=True)
class Axis:
    """All lanes over one stretch of time."""

    ended_at: datetime
    lanes: list[Lane]
    nights: list[Stretch]
    ticks: list[Tick]
    shift: str


def axis_of(*, steps: Sequence[StepDefinition], ended_at: datetime, zone: ZoneInfo, quiet: QuietWindow) -> Axis:
    """Place every step after a treatment that ended at `ended_at`, for a patient for whom all of them are.

    A reminder is drawn as after a check-in that nobody answered, a second check-in as after an answer half an hour
    later.
    """
    placed = list(_place(steps, ended_at, zone, quiet))
    last = max((_moment(outcome) for _, outcome in placed), default=ended_at)
    scale = _Scale(ended_at, max(timedelta(hours=12), (last - ended_at) * 1.08))
    return Axis(
        ended_at=ended_at,
        lanes=[_lane(step, outcome, scale) for step, outcome in placed],
        nights=list(_nights(scale, zone, quiet)),
        ticks=list(_ticks(scale, zone)),
        shift=_shift(scale, zone),
    )


@dataclass(frozen=True, slots=True)
class _Scale:
    start: datetime
    length: timedelta

    @property
    def end(self) -> datetime:
        return self.start + self.length

    def percent(self, at: datetime) -> float:
        return round(100 * min(max((at - self.start) / self.length, 0.0), 1.0), 2)

    def stretch(self, start: datetime, end: datetime) -> Stretch:
        first = self.percent(start)
        return Stretch(first, round(self.percent(end) - first, 2))


def _place(
    steps: Sequence[StepDefinition], ended_at: datetime, zone: ZoneInfo, quiet: QuietWindow
) -> Iterator[tuple[StepDefinition, Placed | Dropped]]:
    laid = {
        one.key: one
        for one in lay_out(steps=[scheduled(step) for step in steps], ended_at=ended_at, zone=zone, quiet=quiet)
    }
    asked = [one.at for one in laid.values() if isinstance(one, Placed) and one.kind is StepKind.CHECK_IN]
    asked_at = min(asked, default=ended_at)
    anchors = {StepKind.NUDGE: asked_at, StepKind.RECHECK: asked_at + ANSWERED_AFTER}
    for step in steps:
        if step.kind in anchors:
            yield (
                step,
                place_step(
                    step=scheduled(step), anchor_at=anchors[step.kind], ended_at=ended_at, zone=zone, quiet=quiet
                ),
            )
        else:
            yield step, laid[step.key]


def _moment(outcome: Placed | Dropped) -> datetime:
    return outcome.at if isinstance(outcome, Placed) else outcome.first_due_at


def _lane(step: StepDefinition, outcome: Placed | Dropped, scale: _Scale) -> Lane:
    who = in_words(step.condition)
    leaves_at = outcome.at if isinstance(outcome, Placed) else None
    expires_at = outcome.first_due_at + timedelta(minutes=step.expires_minutes)
    note = ""
    if isinstance(outcome, Dropped):
        note = outcome.sentence
    elif outcome.moved:
        note = "moved by quiet hours" if outcome.at - outcome.first_due_at != timedelta(minutes=10) else "makes room"
    return Lane(
        title=text_title(step.template_key),
        when=step_in_words(step),
        who="" if who == "everybody" else who,
        leaves_at=leaves_at,
        note=note,
        is_conditional=step.kind in (StepKind.NUDGE, StepKind.RECHECK),
        at=None if leaves_at is None else scale.percent(leaves_at),
        first=scale.percent(outcome.first_due_at),
        useful=scale.stretch(min(_moment(outcome), outcome.first_due_at), expires_at),
    )


def _nights(scale: _Scale, zone: ZoneInfo, quiet: QuietWindow) -> Iterator[Stretch]:
    """Look every quarter of an hour: quiet hours begin and end on any minute, and clocks change in them."""
    at = scale.start
    while at < scale.end:
        if is_quiet(at=at, zone=zone, quiet=quiet):
            opens = next_open(at=at, zone=zone, quiet=quiet)
            yield scale.stretch(at, opens)
            at = opens
        else:
            at += _LOOK


def _ticks(scale: _Scale, zone: ZoneInfo) -> Iterator[Tick]:
    day = scale.start.astimezone(zone).date()
    ticks = []
    while True:
        day += timedelta(days=1)
        midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
        if midnight >= scale.end:
            break
        ticks.append((midnight, day))
    # Where the days are many, only some of them are named.
    every = max(1, -(-len(ticks) // 4))
    for midnight, day in ticks[::every]:
        yield Tick(scale.percent(midnight), f"{day:%a, %b %-d}")


def _shift(scale: _Scale, zone: ZoneInfo) -> str:
    before, after = scale.start.astimezone(zone).utcoffset(), scale.end.astimezone(zone).utcoffset()
    if before is None or after is None or before == after:
        return ""
    return "The clock goes forward in these days." if after > before else "The clock goes back in these days."
