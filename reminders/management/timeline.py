"""What the `timeline` command answers to one line: a plan laid out, as anybody may ask for it without a database.

Unlike a clinic's settings, the line may name any quiet hours. Errors are one sentence that says what to give; they name
the field and never repeat its value.
"""

import re
from datetime import datetime, time
from enum import StrEnum
from typing import TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from reminders.core.quiet_hours import DEFAULT_QUIET, QuietWindow
from reminders.core.schedule import Placed, ScheduleStep, StepKind, WhenQuiet, lay_out

_Choice = TypeVar("_Choice", bound=StrEnum)

# Stricter than time.fromisoformat, which also takes "20", "T20:00" and times with an offset.
_WALL_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?", re.ASCII)


def answer_timeline(line: dict[str, object]) -> dict[str, object]:
    """Lay out the advice and check-in steps of a line; `id` is carried through where it is given.

    Raises ValueError with a sentence for anything that is missing, of the wrong type, or makes no sense.
    """
    zone = _zone(line.get("timezone"))
    quiet = QuietWindow(
        _wall_time("quiet_start", line.get("quiet_start"), DEFAULT_QUIET.start),
        _wall_time("quiet_end", line.get("quiet_end"), DEFAULT_QUIET.end),
    )
    given_steps = line.get("steps")
    if not isinstance(given_steps, list):
        raise ValueError("Give steps as a list of objects.")  # noqa: TRY004 the loop answers ValueError's sentence
    steps = [_step(f"steps[{index}]", given) for index, given in enumerate(given_steps)]
    messages: list[dict[str, str]] = []
    try:
        for step in lay_out(steps=steps, ended_at=_ended_at(line.get("ended_at")), zone=zone, quiet=quiet):
            if isinstance(step, Placed):
                messages.append({"key": step.key, "at": step.at.astimezone(zone).isoformat()})
            else:
                messages.append({"key": step.key, "dropped": step.reason.value})
    except OverflowError as error:
        raise ValueError("Give an ended_at that lies further from the end of the calendar.") from error
    return {"id": line["id"], "messages": messages} if "id" in line else {"messages": messages}


def _ended_at(value: object) -> datetime:
    sentence = "Give ended_at as an ISO 8601 moment with its offset, such as 2026-10-31T17:40:00-05:00."
    if not isinstance(value, str):
        raise ValueError(sentence)  # noqa: TRY004
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(sentence) from None
    if moment.tzinfo is None:
        raise ValueError(sentence)
    return moment


def _zone(value: object) -> ZoneInfo:
    sentence = "Give timezone as a name from the IANA database, such as America/Chicago."
    if not isinstance(value, str) or not value:
        raise ValueError(sentence)
    try:
        return ZoneInfo(value)
    except (
        ZoneInfoNotFoundError,
        ValueError,
        OSError,
    ):  # OSError: the name of a folder of zones, or a far too long one
        raise ValueError(sentence) from None


def _wall_time(field: str, value: object, default: time) -> time:
    if value is None:
        return default
    if not isinstance(value, str) or not _WALL_TIME.fullmatch(value):
        raise ValueError(f'Give {field} as a wall time between 00:00 and 23:59, such as "20:00".')
    return time.fromisoformat(value)


def _step(place: str, given: object) -> ScheduleStep:
    if not isinstance(given, dict):
        raise ValueError(f"Give {place} as an object.")  # noqa: TRY004
    key = given.get("key")
    if not isinstance(key, str) or not key:
        raise ValueError(f"Give {place}.key as a string that is not empty.")
    return ScheduleStep(
        key=key,
        kind=_choice(f"{place}.kind", given.get("kind"), StepKind),
        offset_minutes=_minutes(f"{place}.offset_minutes", given.get("offset_minutes")),
        when_quiet=_choice(f"{place}.when_quiet", given.get("when_quiet"), WhenQuiet),
        expires_minutes=_minutes(f"{place}.expires_minutes", given.get("expires_minutes")),
    )


def _choice(field: str, value: object, choices: type[_Choice]) -> _Choice:
    for choice in choices:
        if choice.value == value:
            return choice
    raise ValueError(f"Give {field} as one of {', '.join(choice.value for choice in choices)}.")


def _minutes(field: str, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"Give {field} as a whole number of minutes, 0 or more.")
    return value
