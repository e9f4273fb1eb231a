"""Feeding the rows of a file to the intake, one transaction each. Needs Django."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.db import OperationalError, transaction

from reminders import clock
from reminders.clinic.errors import ConflictError, InvalidInputError, Problem
from reminders.clinic.intake import parse_person, parse_session
from reminders.clinic.models import AuditEvent, Clinic, Clinician
from reminders.clinic.patient_intake import record_person
from reminders.clinic.services import IntakeOutcome, record_treatment_session
from reminders.clinic.session_files import Refusal, Row, SessionFileError
from reminders.messaging.gathering import plan_together

BLOCK: Final = 200
"""Rows that are taken in at one moment of the clock, which is asked once for all of them; and that a dry run holds in
one transaction before it takes them back: they see each other, and the locks they take are held for a second or two,
not for the length of the file."""


@dataclass(slots=True)
class Tally:
    """What became of the rows."""

    outcomes: dict[IntakeOutcome, int] = field(default_factory=lambda: dict.fromkeys(IntakeOutcome, 0))
    refusals: list[Refusal] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Into:
    """Where rows go, and who is told."""

    clinic: Clinic
    clinician: Clinician | None
    tally: Tally
    progress: Callable[[], None]
    patients_only: bool


def import_rows(
    *,
    clinic: Clinic,
    rows: Sequence[Row],
    dry_run: bool,
    progress: Callable[[], None] = lambda: None,
    clinician: Clinician | None = None,
    patients_only: bool = False,
) -> Tally:
    """Take in each row by itself: a bad one stops no other. With `dry_run` nothing is stored.

    Rows count as sent by one and the same system, whoever of the staff (`clinician`) brings them, so importing a file
    again changes nothing, also where staff corrected something by hand meanwhile. With `patients_only` the rows are
    patients without sessions. Calls `progress` after each row.
    Raises SessionFileError where the database is lost on the way.
    """
    tally = Tally()
    into = _Into(clinic, clinician, tally, progress, patients_only)
    done = 0
    try:
        for start in range(0, len(rows), BLOCK):
            block = rows[start : start + BLOCK]
            if dry_run:
                with transaction.atomic():
                    _take_in_all(into, block)
                    transaction.set_rollback(True)
            else:
                with plan_together():
                    _take_in_all(into, block)
            done = start + len(block)
    except OperationalError:
        raise SessionFileError(
            f"The database does not answer any more; at least {done} rows were dealt with. Import the same file again: "
            "what was stored is not stored twice."
        ) from None
    return tally


def _take_in_all(into: _Into, rows: Sequence[Row]) -> None:
    now = clock.now()
    for row in rows:
        try:
            into.tally.outcomes[_take_in(into, row, now)] += 1
        except InvalidInputError as error:
            into.tally.refusals.append(Refusal(row, error.problems))
        except ConflictError as error:
            into.tally.refusals.append(Refusal(row, (Problem("row", error.code, str(error)),)))
        into.progress()


def _take_in(into: _Into, row: Row, now: datetime) -> IntakeOutcome:
    if row.problem is not None:
        raise InvalidInputError([row.problem])
    if into.patients_only:
        person = parse_person(row.fields, clinic=into.clinic, now=now)
        return record_person(
            clinic=into.clinic, intake=person, actor=AuditEvent.Actor.SYSTEM, clinician=into.clinician, now=now
        )[1]
    intake = parse_session(row.fields, clinic=into.clinic, now=now)
    _session, outcome = record_treatment_session(
        clinic=into.clinic, intake=intake, actor=AuditEvent.Actor.SYSTEM, clinician=into.clinician, now=now
    )
    return outcome
