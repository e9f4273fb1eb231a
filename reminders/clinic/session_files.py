"""CSV files of treatment sessions as spreadsheets write them: reading them in, and writing out what was refused."""

import csv
import io
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final

from reminders.clinic.errors import Problem
from reminders.clinic.intake_fields import FIELDS, REQUIRED_FIELDS
from reminders.clinic.tables import MAX_BYTES, SessionFileError, read_table

__all__ = [
    "MAX_BYTES", "REPORT_COLUMNS", "Refusal", "Row", "SessionFile", "SessionFileError",
    "read_session_file", "refusals_csv", "refusals_path", "typed_cell", "write_refusals",
]  # fmt: skip

REPORT_COLUMNS: Final = ("row", "field", "reason")
"""Added to every refused row; ignored when the corrected file is fed in again."""

_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True, repr=False)
class Row:
    """One row: its number as a spreadsheet counts it, the fields it gives, its cells as they stood, and whether a
    problem of form keeps it from being read."""

    number: int
    fields: Mapping[str, object]
    cells: tuple[str, ...]
    problem: Problem | None = None


@dataclass(frozen=True, slots=True, repr=False)
class SessionFile:
    """A file that could be read. `note` is a sentence about what had to be guessed, or empty."""

    header: tuple[str, ...]
    rows: tuple[Row, ...]
    delimiter: str
    note: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Refusal:
    """A row that was not stored, and why."""

    row: Row
    problems: tuple[Problem, ...]


def read_session_file(content: bytes) -> SessionFile:
    """Read a CSV with a header line: UTF-8, UTF-16 or Windows-1252; commas, semicolons, tabs or bars; any line ends.

    Raises SessionFileError, one sentence that says what to do.
    """
    table = read_table(content, known=lambda cell: _name(cell) in FIELDS)
    names = tuple(_name(cell) for cell in table.header)
    _check_header(names)
    rows = tuple(_row(number, names, cells) for number, cells in table.rows)
    return SessionFile(header=table.header, rows=rows, delimiter=table.delimiter, note=table.note)


def write_refusals(*, path: Path, file: SessionFile, refusals: Iterable[Refusal]) -> None:
    """Write refused rows as `refusals_csv` has them, for nobody but the owner of the file to read. Raises OSError."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)
    with os.fdopen(os.open(path, flags, 0o600), "wb") as target:
        os.fchmod(target.fileno(), 0o600)
        target.write(refusals_csv(file=file, refusals=refusals))


def refusals_csv(*, file: SessionFile, refusals: Iterable[Refusal]) -> bytes:
    """Return a CSV of refused rows as they stood, each with its row number, fields and reasons.

    Cells that a spreadsheet would run as a formula get a leading apostrophe, which reading takes away again.
    """
    kept = [index for index, name in enumerate(file.header) if _name(name) not in REPORT_COLUMNS]
    out = io.StringIO()
    writer = csv.writer(out, delimiter=file.delimiter, lineterminator="\r\n")
    writer.writerow([*(_inert(file.header[index]) for index in kept), *REPORT_COLUMNS])
    for refusal in refusals:
        cells = [*refusal.row.cells, *[""] * (len(file.header) - len(refusal.row.cells))]
        fields = "; ".join(problem.field for problem in refusal.problems)
        reasons = " ".join(f"{problem.field}: {problem.sentence}" for problem in refusal.problems)
        # Cells beyond the header stay beyond it: cut off, the row would pass with its values in the wrong columns.
        beyond = cells[len(file.header) :]
        row = [*(cells[index] for index in kept), str(refusal.row.number), fields, reasons, *beyond]
        writer.writerow([_inert(cell) for cell in row])
    # With a byte order mark, because without one spreadsheet programs guess wrong.
    return out.getvalue().encode("utf-8-sig")


def refusals_path(source: Path) -> Path:
    """Return a free name beside `source`: sessions.rejected.csv, then sessions.rejected-2.csv, and so on."""
    stem = re.sub(r"\.rejected(-\d+)?$", "", source.stem)
    names = (f"{stem}.rejected{f'-{number}' if number > 1 else ''}.csv" for number in count(1))
    return next(path for name in names if not (path := source.with_name(name)).exists())


def _name(cell: str) -> str:
    return re.sub(r"[\s-]+", "_", cell.strip().casefold())


def _check_header(names: Sequence[str]) -> None:
    # A file without a header has a patient in its first line, so unknown names are only repeated beside known ones.
    if "external_id" not in names:
        raise SessionFileError(
            f"The first line must hold the names of the columns: {', '.join(REQUIRED_FIELDS)} and any others."
        )
    named = [name for name in names if name]
    if len(set(named)) < len(named):
        raise SessionFileError("Two columns have the same name: keep one of them.")
    unknown = [name for name in named if name not in FIELDS and name not in REPORT_COLUMNS]
    if unknown:
        raise SessionFileError(
            f"There is no field for these columns: {', '.join(unknown)}. Correct their names, or remove them."
        )
    either = {"ended_at": "ended_minutes_ago"}
    missing = [field for field in REQUIRED_FIELDS if field not in names and either.get(field) not in names]
    if missing and "status" not in names:
        raise SessionFileError(f"These columns are missing: {', '.join(missing)}.")


def _row(number: int, names: Sequence[str], cells: tuple[str, ...]) -> Row:
    fields = {
        name: typed_cell(cell) for name, cell in zip(names, cells, strict=False) if name and name not in REPORT_COLUMNS
    }
    beyond = [cell for cell, name in zip(cells, [*names, *[""] * len(cells)], strict=False) if not name]
    if any(beyond):
        sentence = "The row has more cells than the header: put cells with the delimiter in them into quotation marks."
        return Row(number, {}, cells, Problem("row", "too_many_cells", sentence))
    return Row(number, fields, cells)


def typed_cell(cell: str) -> str:
    """Return a cell as it was before an apostrophe made it inert."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA_STARTS) else cell


def _inert(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell
