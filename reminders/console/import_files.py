"""Files on their way in: kept encrypted between upload, check and import, and gone as soon as they are not needed."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from django.db import transaction
from django.db.models import Q
from django.utils.crypto import salted_hmac

from reminders.clinic import audit
from reminders.clinic.column_guesses import (
    END_DAY,
    END_TIME,
    DateOrder,
    for_patients,
    guess_columns,
    guess_date_order,
    is_known,
    looks_like_patients,
)
from reminders.clinic.column_mapping import ColumnMapping, rows_of
from reminders.clinic.errors import ConflictError
from reminders.clinic.models import AuditEvent, Clinic, Clinician
from reminders.clinic.session_files import Row, SessionFile, SessionFileError, refusals_csv
from reminders.clinic.tables import Table, read_table
from reminders.console.models import ImportFile, ImportLayout
from reminders.conversations.sealing import seal, unseal
from reminders.messaging.session_import import Tally, import_rows

KEPT: Final = timedelta(hours=1)
"""How long an upload waits for the next press, and refused rows for being fetched."""

MOST_ROWS: Final = 1000
MOST_COLUMNS: Final = 80
LONGEST_COLUMN_NAME: Final = 200
SHOWN_PROBLEMS: Final = 200
_STILL_AT_IT: Final = timedelta(minutes=5)
_DATES: Final = ("ended_at", END_DAY, END_TIME, "birth_date", "consent_at")


def keep_upload(*, content: bytes, clinician: Clinician, now: datetime) -> ImportFile:
    """Keep a file that was uploaded, with guesses for its columns; an earlier one of this person makes room for it.

    Raises SessionFileError where it cannot be read as a table, is empty, or holds more than `MOST_ROWS` rows.
    """
    table = read_table(content, known=is_known)
    if len(table.header) > MOST_COLUMNS:
        raise SessionFileError(f"The file has more than {MOST_COLUMNS} columns: remove those that nobody needs here.")
    if any(len(name) > LONGEST_COLUMN_NAME for name in table.header):
        raise SessionFileError("The first line must hold the names of the columns, and one of them is far too long.")
    if not table.rows:
        raise SessionFileError("The file has no rows below its header: look whether the right sheet was saved.")
    if len(table.rows) > MOST_ROWS:
        raise SessionFileError(
            f"The file has {len(table.rows)} rows, and {MOST_ROWS} can be taken at once: leave out what ended more "
            "than 48 hours ago, or split the file."
        )
    forget_old(now=now)
    ImportFile.objects.filter(clinician=clinician).delete()
    said_last = remembered(clinic=clinician.clinic, table=table)
    public_id = uuid4()
    return ImportFile.objects.create(
        public_id=public_id,
        clinic=clinician.clinic,
        clinician=clinician,
        content=seal(content, picture=public_id),
        mapping=said_last or asdict(_guess(table)),
        is_remembered=bool(said_last),
        made_at=now,
        changed_at=now,
        forget_at=now + KEPT,
    )


def _guess(table: Table) -> ColumnMapping:
    columns = guess_columns(table.header)
    dated = [index for index, field in enumerate(columns) if field in _DATES]
    cells = (row[index] for _number, row in table.rows for index in dated if index < len(row))
    are_patients = looks_like_patients(columns)
    columns = for_patients(columns) if are_patients else columns
    return ColumnMapping(tuple(columns), guess_date_order(cells), patients_only=are_patients)


def table_of(file: ImportFile) -> Table:
    """Return the table that was uploaded. Raises SessionFileError where it is gone."""
    if not file.content:
        raise SessionFileError("This file was taken in already and is not kept: upload it again.")
    return read_table(unseal(bytes(file.content), picture=file.public_id), known=is_known)


def remembered(*, clinic: Clinic, table: Table) -> dict[str, Any] | None:
    """Return what the clinic said last about a table with this very header, or None."""
    layout = ImportLayout.objects.filter(clinic=clinic, header=_digest(table)).first()
    return dict(layout.mapping) if layout else None


def _digest(table: Table) -> str:
    return salted_hmac("reminders.import", json.dumps(table.header), algorithm="sha256").hexdigest()


def mapping_of(file: ImportFile) -> ColumnMapping:
    """Return what is said so far about its columns."""
    said: dict[str, Any] = dict(file.mapping)
    return ColumnMapping(**{**said, "columns": tuple(said["columns"]), "date_order": DateOrder(said["date_order"])})


def check(*, file: ImportFile, mapping: ColumnMapping, now: datetime) -> None:
    """Try every row, store nothing of them, and keep what was found. Raises SessionFileError."""
    table = table_of(file)
    rows = rows_of(table, mapping)
    tally = _import(file, mapping, rows, dry_run=True)
    said = asdict(mapping)
    # An agreement is one file's: it is said anew for each.
    lasting = said | {"consent_method": ""}
    ImportLayout.objects.update_or_create(
        clinic=file.clinic, header=_digest(table), defaults={"mapping": lasting, "used_at": now}
    )
    _keep(file, ImportFile.State.CHECKED, now, mapping=said, result=_result(tally, len(rows)))


def take_in(*, file: ImportFile, now: datetime) -> None:
    """Store every row that can be stored; keep only the others, to be corrected, and the numbers.

    A file that was taken in already stays as it is. Raises ConflictError while another press is at it, and
    SessionFileError where the database is lost on the way; then the file is kept and can be taken in again.
    """
    may = Q(state=ImportFile.State.CHECKED) | Q(state=ImportFile.State.RUNNING, changed_at__lt=now - _STILL_AT_IT)
    mine = ImportFile.objects.filter(may, pk=file.pk)
    if not mine.update(state=ImportFile.State.RUNNING, changed_at=now, forget_at=now + KEPT):
        file.refresh_from_db()
        if file.state == ImportFile.State.DONE:
            return
        raise ConflictError("This file is being taken in already. Look again in a moment.")
    table, mapping = table_of(file), mapping_of(file)
    rows = rows_of(table, mapping)
    try:
        tally = _import(file, mapping, rows, dry_run=False)
    except SessionFileError:
        ImportFile.objects.filter(pk=file.pk).update(state=ImportFile.State.CHECKED)
        raise
    refused = b""
    if tally.refusals:
        whole = SessionFile(header=table.header, rows=tuple(rows), delimiter=table.delimiter)
        refused = seal(refusals_csv(file=whole, refusals=tally.refusals), picture=file.public_id)
    result = _result(tally, len(rows))
    with transaction.atomic():
        _keep(file, ImportFile.State.DONE, now, content=refused, result=result)
        audit.record(
            clinic=file.clinic,
            actor=AuditEvent.Actor.CLINICIAN,
            clinician=file.clinician,
            verb="file_taken_in",
            subject=file,
            now=now,
            rows=result["rows"],
            refused=result["refused"],
            **result["outcomes"],
        )


def refused_rows(file: ImportFile) -> bytes:
    """Return the CSV of what was not taken in; empty where all was."""
    if file.state != ImportFile.State.DONE or not file.content:
        return b""
    return unseal(bytes(file.content), picture=file.public_id)


def forget_old(*, now: datetime) -> int:
    """Remove files whose time is over; return how many."""
    removed, _by_model = ImportFile.objects.filter(forget_at__lte=now).delete()
    return removed


def _import(file: ImportFile, mapping: ColumnMapping, rows: Sequence[Row], *, dry_run: bool) -> Tally:
    return import_rows(
        clinic=file.clinic,
        rows=rows,
        dry_run=dry_run,
        clinician=file.clinician,
        patients_only=mapping.patients_only,
    )


def _result(tally: Tally, rows: int) -> dict[str, Any]:
    """Return what is kept of a tally: numbers, fields and sentences, none of which repeats what stands in a row."""
    problems: Sequence[tuple[int, str, str]] = [
        (refusal.row.number, problem.field, problem.sentence)
        for refusal in tally.refusals
        for problem in refusal.problems
    ]
    return {
        "rows": rows,
        "outcomes": {str(outcome): number for outcome, number in tally.outcomes.items()},
        "refused": len(tally.refusals),
        "problems": problems[:SHOWN_PROBLEMS],
        "more_problems": max(0, len(problems) - SHOWN_PROBLEMS),
    }


def _keep(file: ImportFile, state: ImportFile.State, now: datetime, **values: object) -> None:
    for name, value in values.items():
        setattr(file, name, value)
    file.state, file.changed_at, file.forget_at = state, now, now + KEPT
    file.save(update_fields=["state", "changed_at", "forget_at", *values])
