"""Tables as spreadsheets write them to text: which encoding, which delimiter, which cells."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from reminders.clinic.errors import ReminderError

MAX_BYTES: Final = 20 * 1024 * 1024
DELIMITERS: Final = (",", ";", "\t", "|")


class SessionFileError(ReminderError):
    """The file as a whole cannot be read. The sentence never repeats what is in its rows."""

    code = "unreadable_file"


@dataclass(frozen=True, slots=True, repr=False)
class Table:
    """A table that could be read: its header, and its rows that hold anything, each with its number.

    Numbers are those of a spreadsheet, where the header is row 1. `note` is a sentence about what had to be guessed.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    delimiter: str
    note: str = ""


def read_table(content: bytes, *, known: Callable[[str], bool]) -> Table:
    """Read text in UTF-8, UTF-16 or Windows-1252; commas, semicolons, tabs or bars; any line ends; cells trimmed.

    The delimiter is the one that makes the most names of the header `known`, else the most cells. Raises
    SessionFileError, one sentence that says what to do.
    """
    text, note = _decode(content)
    first_row = 1
    if text[:4].casefold() == "sep=":
        # Spreadsheet programs tell each other the delimiter in a line of its own.
        text, first_row = text.partition("\n")[2], 2
    first_line = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=lambda each: _worth(first_line.split(each), known))
    records = _records(text, delimiter)
    header = next(records, ())
    rows = tuple((number, cells) for number, cells in enumerate(records, start=first_row + 1) if any(cells))
    return Table(header=header, rows=rows, delimiter=delimiter, note=note)


def _worth(cells: Sequence[str], known: Callable[[str], bool]) -> tuple[int, int]:
    return sum(known(cell.strip().strip('"')) for cell in cells), len(cells)


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
