"""What no other row of this run has: numbers, phones; and the moment a story stands at."""

from datetime import UTC, datetime
from itertools import count

numbers = count(1)


def moment(now: datetime | None) -> datetime:
    """Return the moment a story stands at: the present where a test does not care."""
    return now or datetime.now(UTC)


def new_phone() -> str:
    """Return a number nobody else in this test run has; 555-01xx numbers belong to nobody outside either."""
    number = next(numbers)
    return f"+1{(312, 773, 630, 847, 708)[number // 100 % 5]}5{50 + number // 500 % 50:02d}01{number % 100:02d}"
