"""Every real change of every zone's clock, found by looking."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

FROM, UNTIL = datetime(2005, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
# No zone has gone back on a change sooner than this: Morocco's Ramadan pause is the shortest, at four weeks.
STRIDE = timedelta(days=6)
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class ClockChange:
    """At the instant `at` the zone's offset goes from `before` to `after`."""

    zone: str
    at: datetime
    before: timedelta
    after: timedelta

    @property
    def forward(self) -> bool:
        return self.after > self.before


@cache
def all_clock_changes() -> tuple[ClockChange, ...]:
    """Return the changes between 2005 and 2028 of all zones that the machine knows, by zone and time."""
    return tuple(change for name in sorted(available_timezones()) for change in _changes_of(name))


@cache
def distinct_clock_changes() -> tuple[ClockChange, ...]:
    """Return one of each kind: same offsets at the same local time of day, whatever the zone and the year."""
    kinds = {
        ((change.at + change.before).time(), change.before, change.after): change for change in all_clock_changes()
    }
    return tuple(kinds.values())


def _changes_of(name: str) -> list[ClockChange]:
    zone, found, at = ZoneInfo(name), [], FROM
    before = _offset(zone, at)
    while at < UNTIL:
        after = _offset(zone, at + STRIDE)
        if after != before:
            found.append(ClockChange(name, _first_minute_with(zone, after, at, at + STRIDE), before, after))
            before = after
        at += STRIDE
    return found


def _first_minute_with(zone: ZoneInfo, after: timedelta, low: datetime, high: datetime) -> datetime:
    while high - low > MINUTE:
        middle = low + (high - low) // MINUTE // 2 * MINUTE
        low, high = (low, middle) if _offset(zone, middle) == after else (middle, high)
    return high


def _offset(zone: ZoneInfo, at: datetime) -> timedelta:
    offset = at.astimezone(zone).utcoffset()
    assert offset is not None
    return offset
