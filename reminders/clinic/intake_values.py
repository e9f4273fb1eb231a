"""Reading one typed value each: what a form, a JSON document or a spreadsheet cell may say, and what is wrong with it.

No sentence repeats the value: a shifted column would put a name or a phone into a report.
"""

import re
import unicodedata
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from reminders.clinic.errors import ReminderError

LONGEST_LIFE_YEARS: Final = 120
LONGEST_WORDS: Final = 2000

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}")
_NOT_IN_A_NAME: Final = re.compile(r"[<>{}\[\]|\\=@#$%^*_~\"+;:/?!]")
_TIME_OF_DAY: Final = re.compile(r"[T ]\d{2}")
_YES: Final = frozenset({"yes", "y", "true", "t", "1", "x", "si", "sí"})
_NO: Final = frozenset({"no", "n", "false", "f", "0"})
_UNKNOWN: Final = frozenset({"", "unknown", "unk", "?", "null", "none", "not asked"})


class BadValueError(ReminderError):
    """A value cannot be used; `code` names the kind of fault and the sentence says what to write instead."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


def read_text(value: object, *, max_length: int = 200) -> str:
    """Return the trimmed text of a value; nothing at all is the empty text. Whole numbers count as text (ids)."""
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if abs(value) < 10**20 else "9" * (max_length + 1)
    if not isinstance(value, str):
        raise BadValueError("not_text", "Write this as text.")
    text = unicodedata.normalize("NFC", value).strip()
    if len(text) > max_length:
        raise BadValueError("too_long", f"This is too long: use {max_length} characters at most.")
    if any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in text):
        raise BadValueError("not_text", "This holds characters that cannot be printed, such as a line break.")
    return text


def read_words(value: object) -> str:
    """Return words of several lines as they stand, less the space around each line; may be empty."""
    if not isinstance(value, str):
        return read_text(value, max_length=LONGEST_WORDS)
    lines = [read_text(line, max_length=LONGEST_WORDS) for line in value.splitlines()]
    words = "\n".join(lines).strip()
    if len(words) > LONGEST_WORDS:
        raise BadValueError("too_long", f"This is too long: use {LONGEST_WORDS} characters at most.")
    return words


def read_id(value: object) -> str:
    """Return an id from another system; may be empty. It travels in addresses and logs, so it has a small alphabet."""
    text = read_text(value)
    if text and not _ID.fullmatch(text):
        raise BadValueError(
            "bad_id", "Use up to 64 letters, digits and . _ : / - and begin with a letter or digit; no names in ids."
        )
    return text


def read_name(value: object) -> str:
    """Return a given or family name; may be empty."""
    text = " ".join(read_text(value, max_length=60).split())
    if text and (_NOT_IN_A_NAME.search(text) or not any(character.isalpha() for character in text)):
        raise BadValueError("bad_name", "Write the name as it is spoken, in letters, without symbols or formulas.")
    return text


def read_yes_no(value: object) -> bool | None:
    """Return True, False, or None where it is unknown or empty."""
    if isinstance(value, bool):
        return value
    word = read_text(value).casefold()
    if word in _UNKNOWN:
        return None
    if word in _YES or word in _NO:
        return word in _YES
    raise BadValueError("bad_yes_no", "Write yes, no or unknown.")


def read_score(value: object) -> int | None:
    """Return a soreness score from 0 to 10, or None where it is empty."""
    sentence = "Write a whole number from 0 (none) to 10 (worst), or leave it empty."
    if isinstance(value, float):
        value = str(value)
    text = read_text(value)
    if not text:
        return None
    if not re.fullmatch(r"(10|[0-9])(\.0)?", text):
        raise BadValueError("bad_score", sentence)
    return int(text.removesuffix(".0"))


def read_zone(value: object) -> str:
    """Return an IANA zone's name; may be empty. Abbreviations are refused, because most of them ignore summer time."""
    text = read_text(value)
    if text and text not in _zones():
        raise BadValueError(
            "unknown_zone", "Write the time zone as area and city, like America/Chicago; EST or Central is not enough."
        )
    return text


def read_day(value: object, *, now: datetime) -> date | None:
    """Return a date of birth, or None where it is empty."""
    sentence = "Write the date of birth as year-month-day, like 1980-05-17."
    text = read_text(value)
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise BadValueError("bad_date", sentence) from None
    if day > now.date() or day.year < now.year - LONGEST_LIFE_YEARS:
        raise BadValueError("bad_date", f"Nobody treated today was born then. {sentence}")
    return day


def read_moment(value: object, *, zone: ZoneInfo) -> datetime | None:
    """Return a moment in UTC, or None where it is empty; a time without an offset is a wall time of `zone`.

    A wall time that the clock shows twice, or skips, is refused: only an offset can say what was meant.
    """
    text = read_text(value)
    if not text:
        return None
    sentence = "Write date and time as 2025-03-04T17:40-06:00, or 2025-03-04 17:40 on the clinic's own clock."
    if not _TIME_OF_DAY.search(text):
        raise BadValueError("bad_time", sentence)
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else _on_the_wall(moment, zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadValueError("bad_time", sentence) from None


def read_minutes_ago(value: object, *, now: datetime) -> datetime | None:
    """Return the moment that many minutes before `now` (after it where negative), or None where it is empty."""
    text = read_text(value)
    if not text:
        return None
    if not re.fullmatch(r"-?[0-9]{1,6}", text):
        raise BadValueError("bad_time", "Write how many minutes ago the session ended, as a whole number.")
    return now - timedelta(minutes=int(text))


def _on_the_wall(wall: datetime, zone: ZoneInfo) -> datetime:
    first, second = (wall.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return first
    if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == wall:
        raise BadValueError(
            "ambiguous_time", "The clock showed this time twice that night: add the offset, like -05:00 or -06:00."
        )
    raise BadValueError(
        "nonexistent_time", "The clock skipped this time that night: check it, and add the offset, like -05:00."
    )


@cache
def _zones() -> frozenset[str]:
    """Return the names of zones that follow a place's own rules, and UTC."""
    return frozenset(name for name in available_timezones() if "/" in name and not name.startswith("Etc/")) | {"UTC"}
