"""Lengths of time as people write them: "90 min", "24 h", "2 days"."""

import re
from typing import Final

_MINUTES: Final = {"m": 1, "min": 1, "mins": 1, "minute": 1, "minutes": 1,
                   "h": 60, "hr": 60, "hrs": 60, "hour": 60, "hours": 60,
                   "d": 1440, "day": 1440, "days": 1440}  # fmt: skip
_PART: Final = re.compile(r"(\d{1,5}(?:[.,]\d{1,2})?)\s*([a-z]+)")


class SpanError(ValueError):
    """Words that name no length of time; its sentence says how to write one."""

    def __init__(self) -> None:
        super().__init__("Write a time like 90 min, 24 h or 2 days.")


def parse_span(words: str) -> int:
    """Return the minutes of "1 h 30 min", "1.5 h" or "2 days". Raises SpanError, also for a number without a unit."""
    rest = words.strip().casefold()
    found = _PART.findall(rest)
    if not found or _PART.sub("", rest).replace("and", "").strip(" ,"):
        raise SpanError
    total = 0.0
    for number, unit in found:
        if unit not in _MINUTES:
            raise SpanError
        total += float(number.replace(",", ".")) * _MINUTES[unit]
    return round(total)


def say_span(minutes: int) -> str:
    """Return minutes as words that `parse_span` reads back: "45 min", "24 h", "4 h 30 min"."""
    hours, rest = divmod(minutes, 60)
    if not hours:
        return f"{rest} min"
    return f"{hours} h {rest} min" if rest else f"{hours} h"
