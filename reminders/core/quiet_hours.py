"""The hours in which a patient is left alone, as stretches of real time.

A quiet window is given as two wall times, but it is never tested by comparing wall times: on the day a clock goes back
the same wall time happens twice, and on the day it goes forward some never happen. So each day's `start` and `end` are
first turned into instants, and a moment is quiet when it lies in `[start instant, end instant)`:

- a wall time that happens twice counts at its first occurrence, for `start` and for `end`. A clinic that opens at 01:30
  opens at the first 01:30 and stays open through the second 01:00-01:30; one that closes at 01:30 stays closed.
- a wall time that never happens counts at the first whole minute that does happen after it: 02:30 becomes 03:00 where
  the clock goes from 02:00 to 03:00, and any time of a day that a country skipped becomes the next day's 00:00.

Windows that touch because a clock change swallowed the open time between them count as one window: it opens at the
first one's `start` and is over at the last one's `end`.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

ONE_DAY = timedelta(days=1)
ONE_MINUTE = timedelta(minutes=1)
ONE_SECOND = timedelta(seconds=1)


class QuietWindowError(ValueError):
    """The quiet hours cannot be used; the message says what to change."""


@dataclass(frozen=True, slots=True)
class QuietWindow:
    """Wall times in the patient's zone: `start` is quiet, `end` is not.

    The window crosses midnight when `start` is later than `end`, lies within one day when it is earlier, and is
    empty (never quiet) when both are the same. Raises QuietWindowError for a time that carries a zone or a fold.
    """

    start: time
    end: time

    def __post_init__(self) -> None:
        for wall in (self.start, self.end):
            if wall.tzinfo is not None or wall.fold:
                raise QuietWindowError("Give quiet hours as plain wall times; they are read in each patient's zone.")


DEFAULT_QUIET = QuietWindow(time(20), time(9))

# Federal calling hours are 08:00 to 21:00 where the called person is (47 CFR 64.1200(c)(1)).
WIDEST_SENDING = QuietWindow(time(21), time(8))


def check_window(quiet: QuietWindow) -> None:
    """Accept a clinic's own quiet hours only where they let nothing out before 08:00 or after 21:00.

    Raises QuietWindowError otherwise. A window that covers the night crosses midnight, so one that lies within a day,
    or is empty, is refused as well.
    """
    covers_the_night = quiet.start > quiet.end
    if not covers_the_night or quiet.start > WIDEST_SENDING.start or quiet.end < WIDEST_SENDING.end:
        raise QuietWindowError(
            "Let quiet hours start at 21:00 or earlier and end at 08:00 or later on the next day; "
            "patients are never texted before 08:00 or after 21:00."
        )


def is_quiet(*, at: datetime, zone: ZoneInfo, quiet: QuietWindow) -> bool:
    """Say whether the aware moment `at` lies in the patient's quiet hours. Raises ValueError for a naive one."""
    at = _in_utc(at)
    return quiet.start != quiet.end and at < _end_of(_last_started(at, zone, quiet), zone, quiet)


def next_open(*, at: datetime, zone: ZoneInfo, quiet: QuietWindow) -> datetime:
    """Return, in UTC, when the quiet window that holds `at` is over, or `at` itself where it is not quiet.

    The answer is never quiet and never before `at`. Raises ValueError for a naive moment.
    """
    at = _in_utc(at)
    if quiet.start == quiet.end:
        return at
    day = _last_started(at, zone, quiet)
    end = _end_of(day, zone, quiet)
    if at >= end:
        return at
    while _start_of(day + ONE_DAY, zone, quiet) <= end:
        day += ONE_DAY
        end = _end_of(day, zone, quiet)
    return end


def before_opening_start(*, at: datetime, zone: ZoneInfo, quiet: QuietWindow) -> datetime:
    """Return, in UTC, one minute before the `start` that opened the quiet window that holds `at`.

    Returns `at` itself where it is not quiet. The answer can only be quiet itself where less than a minute is open
    between two windows, which takes wall times with seconds. Raises ValueError for a naive moment.
    """
    at = _in_utc(at)
    if quiet.start == quiet.end:
        return at
    day = _last_started(at, zone, quiet)
    if at >= _end_of(day, zone, quiet):
        return at
    start = _start_of(day, zone, quiet)
    while _end_of(day - ONE_DAY, zone, quiet) >= start:
        day -= ONE_DAY
        start = _start_of(day, zone, quiet)
    return start - ONE_MINUTE


def next_start(*, at: datetime, zone: ZoneInfo, quiet: QuietWindow) -> datetime | None:
    """Return, in UTC, when the first quiet window after `at` starts, or None where it is never quiet.

    Raises ValueError for a naive moment.
    """
    at = _in_utc(at)
    if quiet.start == quiet.end:
        return None
    return _start_of(_last_started(at, zone, quiet) + ONE_DAY, zone, quiet)


def first_instant(*, day: date, wall: time, zone: ZoneInfo) -> datetime:
    """Return, in UTC, when the wall time `wall` of `day` is first reached in `zone`.

    That is its first occurrence where it happens twice, and the first whole minute after it where it never happens.
    Later wall times never come out as earlier instants, whatever the clock does.
    """
    return _first_instant(day, wall, zone)


# The same few days, walls and zones are asked for again and again: it halves the time that laying out a plan takes.
@lru_cache(maxsize=4_096)
def _first_instant(day: date, wall: time, zone: ZoneInfo) -> datetime:
    local = datetime.combine(day, wall, tzinfo=zone)
    instant = local.astimezone(UTC)
    # In a gap the old offset names an instant after the change, so the way back does not lead to the same wall time.
    way_back = instant.astimezone(zone)
    if way_back.time() == wall and way_back.date() == day:
        return instant
    return _first_minute_after_gap(local)


def _in_utc(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("Give a moment with its zone; a naive one names no instant.")
    return at.astimezone(UTC)


def _start_of(day: date, zone: ZoneInfo, quiet: QuietWindow) -> datetime:
    return _first_instant(day, quiet.start, zone)


def _end_of(day: date, zone: ZoneInfo, quiet: QuietWindow) -> datetime:
    """Return when the window that starts on `day` is over."""
    return _first_instant(day if quiet.start < quiet.end else day + ONE_DAY, quiet.end, zone)


def _last_started(at: datetime, zone: ZoneInfo, quiet: QuietWindow) -> date:
    """Return the day whose window is the last to have started at the instant `at`."""
    local = at.astimezone(zone)
    today = local.date()
    # Tomorrow can have begun before: in St John's the clock went from 00:01 back to 23:01 until 2011. Only the second
    # time round does that matter, and `fold` tells it.
    if local.fold and _start_of(today + ONE_DAY, zone, quiet) <= at:
        return today + ONE_DAY
    return today if _start_of(today, zone, quiet) <= at else today - ONE_DAY


def _first_minute_after_gap(local: datetime) -> datetime:
    """Return the first whole minute after the clock jumped over the wall time `local`, by halving seconds."""
    zone, wall = local.tzinfo, local.replace(tzinfo=None)
    # Read with the new offset the wall time lies before the jump, with the old offset after it.
    before = local.replace(fold=1, microsecond=0).astimezone(UTC)
    after = local.replace(fold=0, microsecond=0).astimezone(UTC) + ONE_SECOND
    while after - before > ONE_SECOND:
        middle = before + timedelta(seconds=(after - before) // ONE_SECOND // 2)
        if middle.astimezone(zone).replace(tzinfo=None) > wall:
            after = middle
        else:
            before = middle
    # Some old changes fell between minutes (Monrovia, 1972); texts leave on whole ones.
    past_the_minute = after.astimezone(zone).second
    return after + timedelta(seconds=-past_the_minute % 60)
