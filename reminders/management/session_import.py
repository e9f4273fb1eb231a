"""Feeding the rows of a file to the intake, one transaction each. Needs Django."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.db import OperationalError, transaction

from reminders import clock
from reminders.clinic.errors import ConflictError, InvalidInputError, Problem
from reminders.clinic.intake import parse_session
from reminders.clinic.models import AuditEvent, Clinic
from reminders.clinic.services import IntakeOutcome, record_treatment_session
from reminders.management.session_files import Refusal, Row, SessionFileError
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


def choose_clinic(slug: str | None) -> Clinic:
    """Return the clinic with this slug, or the only one there is. Raises SessionFileError with the known slugs."""
    known = {clinic.slug: clinic for clinic in Clinic.objects.order_by("slug")}
    if slug is None and len(known) == 1:
        return next(iter(known.values()))
    if slug in known:
        return known[slug]
    if not known:
        raise SessionFileError("There is no clinic yet: `reminders up` makes a sample one; see docs/running.md.")
    wish = "Say which clinic with --clinic" if slug is None else "There is no such clinic; choose one with --clinic"
    raise SessionFileError(f"{wish}: {', '.join(known)}.")


def import_rows(*, clinic: Clinic, rows: Sequence[Row], dry_run: bool, progress: Callable[[], None]) -> Tally:
    """Take in each row by itself: a bad one stops no other. With `dry_run` nothing is stored.

    Rows count as sent by one and the same system, so importing a file again changes nothing. Calls `progress` after
    each row. Raises SessionFileError where the database is lost on the way.
    """
    tally = Tally()
    done = 0
    try:
        for start in range(0, len(rows), BLOCK):
            block = rows[start : start + BLOCK]
            if dry_run:
                with transaction.atomic():
                    _take_in_all(clinic, block, tally, progress)
                    transaction.set_rollback(True)
            else:
                with plan_together():
                    _take_in_all(clinic, block, tally, progress)
            done = start + len(block)
    except OperationalError:
        raise SessionFileError(
            f"The database does not answer any more; at least {done} rows were dealt with. Import the same file again: "
            "what was stored is not stored twice."
        ) from None
    return tally


def _take_in_all(clinic: Clinic, rows: Sequence[Row], tally: Tally, progress: Callable[[], None]) -> None:
    now = clock.now()
    for row in rows:
        try:
            tally.outcomes[_take_in(clinic, row, now)] += 1
        except InvalidInputError as error:
            tally.refusals.append(Refusal(row, error.problems))
        except ConflictError as error:
            tally.refusals.append(Refusal(row, (Problem("row", error.code, str(error)),)))
        progress()


def _take_in(clinic: Clinic, row: Row, now: datetime) -> IntakeOutcome:
    if row.problem is not None:
        raise InvalidInputError([row.problem])
    intake = parse_session(row.fields, clinic=clinic, now=now)
    _session, outcome = record_treatment_session(clinic=clinic, intake=intake, actor=AuditEvent.Actor.SYSTEM, now=now)
    return outcome
