"""A finished treatment session as it comes in: the same flat fields in the form, the API and the CSV."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from reminders.clinic.errors import InvalidInputError, Problem
from reminders.clinic.intake_fields import CONSENT_METHODS, FIELDS, REGIONS, REQUIRED_FIELDS
from reminders.clinic.intake_values import (
    BadValueError,
    read_day,
    read_id,
    read_minutes_ago,
    read_moment,
    read_name,
    read_score,
    read_text,
    read_words,
    read_yes_no,
    read_zone,
)
from reminders.clinic.models import Clinic, Technique, TreatmentSession
from reminders.clinic.phones import PhoneError, parse_phone
from reminders.core.advice import SCREENING_FACTS

__all__ = [
    "CONSENT_METHODS", "FIELDS", "REGIONS", "REQUIRED_FIELDS",
    "ConsentIntake", "PatientIntake", "PersonIntake", "SessionIntake", "Visit",
    "parse_patient", "parse_person", "parse_session",
]  # fmt: skip

Read = TypeVar("Read")

CLOCK_TOLERANCE: Final = timedelta(minutes=2)
"""How far in the future a session's end may lie: two computers' clocks are never quite the same."""

_LANGUAGES: Final = {"": "", "en": "en", "english": "en", "es": "es", "spanish": "es", "español": "es"}

OLDEST_END: Final = timedelta(hours=48)
"""How long ago a new session may have ended: after that no check-in makes sense any more."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class PatientIntake:
    """Who was treated. Empty texts mean "not stated". Without a repr, so that no log line ever holds it."""

    external_id: str
    given_name: str
    family_name: str
    phone: str
    language: str
    timezone: str
    birth_date: date | None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ConsentIntake:
    """What the intake says about texts: `agreed` is None where it says nothing, `at` None where it was just now.

    `disclosure` are the words the patient agreed to, empty where the intake does not bring them.
    """

    agreed: bool | None
    method: str
    at: datetime | None
    disclosure: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Visit:
    """What was done to whom. `screening` is None where no question was answered at all."""

    technique: str
    regions: tuple[str, ...]
    ended_at: datetime
    ended_at_is_relative: bool
    clinician: str
    soreness_before: int | None
    soreness_after: int | None
    patient: PatientIntake
    consent: ConsentIntake
    screening: Mapping[str, bool | None] | None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class PersonIntake:
    """A patient who comes in without a session. `screening` is None where no question was answered at all."""

    patient: PatientIntake
    consent: ConsentIntake
    screening: Mapping[str, bool | None] | None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SessionIntake:
    """A well-formed intake. `visit` is None where the session is taken back."""

    external_id: str
    visit: Visit | None


def parse_session(raw: Mapping[str, object], *, clinic: Clinic, now: datetime) -> SessionIntake:
    """Read one intake, as typed or as JSON, into a SessionIntake.

    Nothing is looked up or stored. Raises InvalidInputError with every problem found, in the order of `FIELDS`.
    """
    reading = _Reading(raw)
    external_id = reading.required("external_id", read_id)
    status = reading.optional("status", _read_status, str(TreatmentSession.Status.COMPLETED))
    visit = None
    if status == TreatmentSession.Status.COMPLETED:
        visit = _read_visit(reading, zone=ZoneInfo(clinic.timezone), now=now)
    if reading.problems or external_id is None:
        raise InvalidInputError(_in_order(reading.problems))
    return SessionIntake(external_id=external_id, visit=visit)


def parse_patient(raw: Mapping[str, object], *, now: datetime) -> tuple[PatientIntake, Mapping[str, bool | None]]:
    """Read what a form says about a patient and their screening, under the names of an intake's fields.

    Nothing is looked up or stored. Raises InvalidInputError with every problem found, in the order of `FIELDS`.
    """
    reading = _Reading(raw)
    patient = _read_patient(reading, now=now)
    screening = {fact: reading.optional(fact, read_yes_no, None) for fact in SCREENING_FACTS}
    if reading.problems or patient is None:
        raise InvalidInputError(_in_order(reading.problems))
    return patient, screening


def parse_person(raw: Mapping[str, object], *, clinic: Clinic, now: datetime) -> PersonIntake:
    """Read a patient who comes in without a session; fields of a session are not looked at.

    Nothing is looked up or stored. Raises InvalidInputError with every problem found, in the order of `FIELDS`.
    """
    reading = _Reading(raw)
    patient = _read_patient(reading, now=now)
    consent = _read_consent(reading, zone=ZoneInfo(clinic.timezone), now=now)
    screening = _read_screening(reading)
    if reading.problems or patient is None:
        raise InvalidInputError(_in_order(reading.problems))
    return PersonIntake(patient=patient, consent=consent, screening=screening)


def _in_order(problems: Iterable[Problem]) -> list[Problem]:
    order = list(FIELDS)
    return sorted(problems, key=lambda problem: order.index(problem.field) if problem.field in order else -1)


class _Reading:
    """One raw intake and the problems found in it so far."""

    def __init__(self, raw: Mapping[str, object]) -> None:
        self._raw = raw
        self.problems = [
            Problem(str(name)[:40], "unknown_field", "There is no such field: check its spelling, or leave it out.")
            for name in raw
            if name not in FIELDS
        ]

    def optional(self, field: str, read: Callable[[object], Read], default: Read) -> Read:
        """Return the value of a field, or `default` where it has a problem (which is noted)."""
        try:
            return read(self._raw.get(field))
        except (BadValueError, PhoneError) as error:
            self.problems.append(Problem(field, error.code, str(error)))
        return default

    def required(self, field: str, read: Callable[[object], Read | None]) -> Read | None:
        """Return the value of a field, or None where it is missing or has a problem (which is noted)."""
        known = len(self.problems)
        value = self.optional(field, read, None)
        if value in (None, "") and len(self.problems) == known:
            self.problems.append(Problem(field, "missing", "This is needed and it is missing."))
        return value or None

    def has(self, field: str) -> bool:
        """Tell whether a field says anything."""
        return self._raw.get(field) not in (None, "")


def _read_visit(reading: _Reading, *, zone: ZoneInfo, now: datetime) -> Visit | None:
    technique = reading.required("technique", _read_technique)
    relative = reading.has("ended_minutes_ago") and not reading.has("ended_at")
    if relative:
        ended_at = reading.required("ended_minutes_ago", lambda value: _past(read_minutes_ago(value, now=now), now))
    else:
        ended_at = reading.required("ended_at", lambda value: _read_past(value, zone=zone, now=now))
    patient = _read_patient(reading, now=now)
    no_regions: tuple[str, ...] = ()
    regions = reading.optional("regions", _read_regions, no_regions)
    clinician = reading.optional("clinician", read_text, "")
    before, after = (reading.optional(f"soreness_{when}", read_score, None) for when in ("before", "after"))
    consent, screening = _read_consent(reading, zone=zone, now=now), _read_screening(reading)
    if technique is None or ended_at is None or patient is None:
        return None
    return Visit(
        technique=technique,
        regions=regions,
        ended_at=ended_at,
        ended_at_is_relative=relative,
        clinician=clinician,
        soreness_before=before,
        soreness_after=after,
        patient=patient,
        consent=consent,
        screening=screening,
    )


def _read_consent(reading: _Reading, *, zone: ZoneInfo, now: datetime) -> ConsentIntake:
    return ConsentIntake(
        agreed=reading.optional("consent", read_yes_no, None),
        method=reading.optional("consent_method", _read_consent_method, ""),
        at=reading.optional("consent_at", lambda value: _read_past(value, zone=zone, now=now), None),
        disclosure=reading.optional("consent_disclosure", read_words, ""),
    )


def _read_screening(reading: _Reading) -> dict[str, bool | None] | None:
    answers = {fact: reading.optional(fact, read_yes_no, None) for fact in SCREENING_FACTS}
    return answers if any(reading.has(fact) for fact in SCREENING_FACTS) else None


def _read_patient(reading: _Reading, *, now: datetime) -> PatientIntake | None:
    external_id = reading.optional("patient_external_id", read_id, "")
    given_name = reading.required("given_name", read_name)
    family_name = reading.optional("family_name", read_name, "")
    phone = reading.required("phone", _read_phone)
    language = reading.optional("language", _read_language, "")
    timezone = reading.optional("timezone", read_zone, "")
    birth_date = reading.optional("birth_date", lambda value: read_day(value, now=now), None)
    if given_name is None or phone is None:
        return None
    return PatientIntake(
        external_id=external_id,
        given_name=given_name,
        family_name=family_name,
        phone=phone,
        language=language,
        timezone=timezone,
        birth_date=birth_date,
    )


def _read_status(value: object) -> str:
    word = read_text(value).casefold() or TreatmentSession.Status.COMPLETED
    if word not in TreatmentSession.Status.values:
        raise BadValueError("unknown_status", "Write completed, or voided to take the session back.")
    return word


def _read_technique(value: object) -> str:
    word = read_text(value).casefold()
    labels = {label.casefold(): name for name, label in Technique.choices}
    word = labels.get(word, word)
    if word and word not in Technique.values:
        raise BadValueError("unknown_technique", "Write deep, superficial or electro.")
    return word


def _read_regions(value: object) -> tuple[str, ...]:
    """Return known regions in the order given, each once; a list, or a text with ; or , or | between them."""
    if value is not None and not isinstance(value, str | list | tuple):
        raise BadValueError("not_text", "Write regions as a list, or as text with semicolons between them.")
    parts = re.split(r"[;,|]", value) if isinstance(value, str) else value or []
    words = [re.sub(r"[\s-]+", "_", read_text(part).casefold()) for part in parts]
    regions = tuple(dict.fromkeys(word for word in words if word))
    if not set(regions) <= set(REGIONS):
        raise BadValueError("unknown_region", f"Use regions of this list: {', '.join(REGIONS)}.")
    return regions


def _read_language(value: object) -> str:
    word = read_text(value).casefold()
    language = _LANGUAGES.get(re.split(r"[-_]", word)[0])
    if language is None:
        raise BadValueError("unknown_language", "Write en for English or es for Spanish.")
    return language


def _read_phone(value: object) -> str:
    text = read_text(value)
    return parse_phone(text) if text else ""


def _read_consent_method(value: object) -> str:
    word = re.sub(r"[\s-]+", "_", read_text(value).casefold())
    if word and word not in CONSENT_METHODS:
        raise BadValueError("unknown_consent_method", f"Use one of these: {', '.join(CONSENT_METHODS)}.")
    return word or CONSENT_METHODS[0]


def _read_past(value: object, *, zone: ZoneInfo, now: datetime) -> datetime | None:
    return _past(read_moment(value, zone=zone), now)


def _past(moment: datetime | None, now: datetime) -> datetime | None:
    if moment is not None and moment > now + CLOCK_TOLERANCE:
        raise BadValueError("in_future", "This lies in the future: check the date, the time and the offset.")
    return moment
