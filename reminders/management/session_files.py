"""CSV files of treatment sessions as spreadsheets write them: reading them in, and writing out what was refused."""

import csv
import io
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final

from reminders.clinic.errors import Problem, ReminderError
from reminders.clinic.intake_fields import FIELDS, REQUIRED_FIELDS

MAX_BYTES: Final = 20 * 1024 * 1024
DELIMITERS: Final = (",", ";", "\t", "|")
REPORT_COLUMNS: Final = ("row", "field", "reason")
"""Added to every refused row; ignored when the corrected file is fed in again."""

_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")


class SessionFileError(ReminderError):
    """The file as a whole cannot be read. The sentence never repeats what is in its rows."""

    code = "unreadable_file"


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
    text, note = _decode(content)
    first_row = 1
    if text[:4].casefold() == "sep=":
        # Spreadsheet programs tell each other the delimiter in a line of its own.
        text, first_row = text.partition("\n")[2], 2
    delimiter = max(DELIMITERS, key=lambda each: _known_names(text, each))
    records = _records(text, delimiter)
    header = next(records, ())
    names = tuple(_name(cell) for cell in header)
    _check_header(names)
    rows = tuple(_row(number, names, cells) for number, cells in enumerate(records, start=first_row + 1) if any(cells))
    return SessionFile(header=header, rows=rows, delimiter=delimiter, note=note)


def write_refusals(*, path: Path, file: SessionFile, refusals: Iterable[Refusal]) -> None:
    """Write refused rows as they stood, each with its row number, fields and reasons, for nobody but the owner to read.

    Cells that a spreadsheet would run as a formula get a leading apostrophe, which reading takes away again.
    Raises OSError.
    """
    kept = [index for index, name in enumerate(file.header) if _name(name) not in REPORT_COLUMNS]
    out = io.StringIO()
    writer = csv.writer(out, delimiter=file.delimiter, lineterminator="\r\n")
    writer.writerow([*(file.header[index] for index in kept), *REPORT_COLUMNS])
    for refusal in refusals:
        cells = [*refusal.row.cells, *[""] * (len(file.header) - len(refusal.row.cells))]
        fields = "; ".join(problem.field for problem in refusal.problems)
        reasons = " ".join(f"{problem.field}: {problem.sentence}" for problem in refusal.problems)
        # Cells beyond the header stay beyond it: cut off, the row would pass with its values in the wrong columns.
        beyond = cells[len(file.header) :]
        row = [*(cells[index] for index in kept), str(refusal.row.number), fields, reasons, *beyond]
        writer.writerow([_inert(cell) for cell in row])
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)
    with os.fdopen(os.open(path, flags, 0o600), "wb") as target:
        os.fchmod(target.fileno(), 0o600)
        # With a byte order mark, because without one spreadsheet programs guess wrong.
        target.write(out.getvalue().encode("utf-8-sig"))


def refusals_path(source: Path) -> Path:
    """Return a free name beside `source`: sessions.rejected.csv, then sessions.rejected-2.csv, and so on."""
    stem = re.sub(r"\.rejected(-\d+)?$", "", source.stem)
    names = (f"{stem}.rejected{f'-{number}' if number > 1 else ''}.csv" for number in count(1))
    return next(path for name in names if not (path := source.with_name(name)).exists())


def _decode(content: bytes) -> tuple[str, str]:
    if len(content) > MAX_BYTES:
        raise SessionFileError("The file is larger than 20 MB: split it, and import the parts one after the other.")
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise SessionFileError("This is a spreadsheet, not a CSV: save it as CSV (UTF-8) and import that file.")
    encodings = ["utf-16"] if content.startswith((b"\xff\xfe", b"\xfe\xff")) else ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" in text:
            break
        note = (
            "The file is not UTF-8 and was read as Windows-1252: check names with accents."
            if encoding == "cp1252"
            else ""
        )
        return text, note
    raise SessionFileError("The file is not text in UTF-8: save it as CSV (UTF-8) and import that file.")


def _records(text: str, delimiter: str) -> Iterator[tuple[str, ...]]:
    """Yield rows with their cells trimmed, empty rows too, so that numbers stay those of the spreadsheet."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            yield tuple(cell.strip() for cell in cells)
    except csv.Error:
        raise SessionFileError(
            f"The quotation marks near line {reader.line_num} do not match: correct them, or save the file as CSV anew."
        ) from None


def _known_names(text: str, delimiter: str) -> int:
    first_line = text.partition("\n")[0]
    return sum(_name(cell.strip().strip('"')) in FIELDS for cell in first_line.split(delimiter))


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
        name: _typed(cell) for name, cell in zip(names, cells, strict=False) if name and name not in REPORT_COLUMNS
    }
    beyond = [cell for cell, name in zip(cells, [*names, *[""] * len(cells)], strict=False) if not name]
    if any(beyond):
        sentence = "The row has more cells than the header: put cells with the delimiter in them into quotation marks."
        return Row(number, {}, cells, Problem("row", "too_many_cells", sentence))
    return Row(number, fields, cells)


def _typed(cell: str) -> str:
    """Return a cell as it was before an apostrophe made it inert."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA_STARTS) else cell


def _inert(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell
