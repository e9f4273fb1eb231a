"""What a clinic says of itself, and its hours: checked before they are stored, and every change on record."""

from collections.abc import Callable, Mapping
from datetime import datetime, time
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import transaction

from reminders.clinic import audit
from reminders.clinic.errors import InvalidInputError, Problem, ReminderError
from reminders.clinic.intake_values import read_text, read_zone
from reminders.clinic.models import AuditEvent, Clinic, Clinician
from reminders.clinic.phones import parse_own_number
from reminders.clinic.selectors import WEEKDAYS
from reminders.core.quiet_hours import QuietWindow, QuietWindowError, check_window

LONGEST_NAME: Final = 60
LONGEST_HOURS_IN_WORDS: Final = 60
FEWEST_YEARS: Final = 6
MOST_YEARS: Final = 100
MIDNIGHT: Final = time(0)
_is_address = URLValidator(schemes=["http", "https"])


class DetailError(ReminderError):
    """One value of a clinic's set-up cannot be used; the sentence says what to write instead."""

    code = "invalid_input"


def change_details(*, clinic: Clinic, raw: Mapping[str, str], clinician: Clinician, now: datetime) -> list[str]:
    """Store name, phone, booking_url, timezone, language and records_kept_years as typed; return which of them changed.

    Patients on file keep their own zone and language; both are what new ones begin with. Raises InvalidInputError with
    every problem; then nothing is stored.
    """
    readers: dict[str, Callable[[str], object]] = {
        "name": _read_name,
        "phone": _read_phone,
        "booking_url": _read_address,
        "timezone": _read_zone,
        "language": _read_language,
        "records_kept_years": _read_years,
    }
    return _store(clinic, _read_all(readers, raw), clinician, now)


def change_hours(*, clinic: Clinic, raw: Mapping[str, str], clinician: Clinician, now: datetime) -> list[str]:
    """Store opening hours, the words patients read for them, and quiet hours; return which fields changed.

    Opening hours come as mon_from and mon_to and so on, both empty where the clinic is closed; the quiet hours as
    quiet_start and quiet_end; all of them as wall times, 08:00. What is planned already is held to the new quiet hours
    when it is about to leave. Raises InvalidInputError with every problem; then nothing is stored.
    """
    readers: dict[str, Callable[[str], object]] = {
        "reply_hours": _read_words,
        "reply_hours_es": _read_words,
        "quiet_start": _read_wall,
        "quiet_end": _read_wall,
    }
    problems: list[Problem] = []
    opening: dict[str, list[str]] = {}
    for day in WEEKDAYS:
        try:
            hours = _read_day(raw.get(f"{day}_from", ""), raw.get(f"{day}_to", ""))
        except DetailError as error:
            problems.append(Problem(f"{day}_from", error.code, str(error)))
        else:
            opening |= {day: hours} if hours else {}
    values = _read_all(readers, raw, problems)
    try:
        check_window(QuietWindow(values["quiet_start"], values["quiet_end"]))
    except QuietWindowError as error:
        raise InvalidInputError([Problem("quiet_start", DetailError.code, str(error))]) from None
    return _store(clinic, {"opening_hours": opening, **values}, clinician, now)


def _read_all(
    readers: Mapping[str, Callable[[str], object]], raw: Mapping[str, str], problems: list[Problem] | None = None
) -> dict[str, Any]:
    """Return every value read. Raises InvalidInputError with the problems given and those found."""
    values: dict[str, Any] = {}
    found = list(problems or ())
    for field, read in readers.items():
        try:
            values[field] = read(raw.get(field, ""))
        except ReminderError as error:
            found.append(Problem(field, error.code, str(error)))
    if found:
        raise InvalidInputError(found)
    return values


def _store(clinic: Clinic, values: Mapping[str, object], clinician: Clinician, now: datetime) -> list[str]:
    with transaction.atomic():
        held = Clinic.objects.select_for_update(no_key=True).get(pk=clinic.pk)
        changed = [field for field, value in values.items() if getattr(held, field) != value]
        if changed:
            for field in changed:
                setattr(held, field, values[field])
            held.save(update_fields=changed)
            audit.record(
                clinic=held,
                actor=AuditEvent.Actor.CLINICIAN,
                clinician=clinician,
                verb="clinic_changed",
                subject=held,
                now=now,
                fields=changed,
            )
    return changed


def _read_name(value: str) -> str:
    name = " ".join(read_text(value, max_length=LONGEST_NAME).split())
    if not name:
        raise DetailError("Write the name that patients know the clinic by; every text begins with it.")
    return name


def _read_phone(value: str) -> str:
    return parse_own_number(value)


def _read_address(value: str) -> str:
    address = read_text(value)
    try:
        if address:
            _is_address(address)
    except ValidationError:
        raise DetailError("Write the whole address, like https://northside.example/book, or leave it empty.") from None
    return address


def _read_zone(value: str) -> str:
    zone = read_zone(value)
    if not zone:
        raise DetailError("Choose the zone that the clinic’s own clock shows.")
    return zone


def _read_language(value: str) -> str:
    if value not in ("en", "es"):
        raise DetailError("Choose English or Spanish.")
    return value


def _read_years(value: str) -> int:
    years = value.strip()
    if not years.isdecimal() or not FEWEST_YEARS <= int(years) <= MOST_YEARS:
        raise DetailError(f"Write whole years from {FEWEST_YEARS} to {MOST_YEARS}, as the law of your place has it.")
    return int(years)


def _read_words(value: str) -> str:
    return read_text(value, max_length=LONGEST_HOURS_IN_WORDS)


def _read_wall(value: str) -> time:
    try:
        wall = time.fromisoformat(value.strip())
    except ValueError:
        raise DetailError("Write a time of the day, like 08:00.") from None
    if wall.tzinfo is not None:
        raise DetailError("Write a time of the day without a zone, like 08:00.")
    return wall.replace(second=0, microsecond=0)


def _read_day(opens: str, closes: str) -> list[str] | None:
    """Return one day's hours as they are stored, or None where the clinic is closed."""
    if not opens.strip() and not closes.strip():
        return None
    if not opens.strip() or not closes.strip():
        raise DetailError("Give both times, or leave both empty where the clinic is closed.")
    first, last = _read_wall(opens), _read_wall(closes)
    if last <= first and last != MIDNIGHT:
        raise DetailError("It closes before it opens: check both times. 00:00 is the midnight at the end of the day.")
    return [f"{first:%H:%M}", f"{last:%H:%M}"]
