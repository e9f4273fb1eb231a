"""From the columns of somebody's table to the fields of an intake: joining, splitting, and dates as they write them.

What cannot be understood is left as it stands, so that the intake says what is wrong with it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time
from typing import Final

from reminders.clinic.column_guesses import END_DAY, END_TIME, FULL_NAME, LEFT_OUT, DateOrder
from reminders.clinic.errors import Problem
from reminders.clinic.session_files import Row, typed_cell
from reminders.clinic.tables import Table

NEEDED: Final = ("external_id", "given_name", "phone", "technique", "ended_at")
"""What has to come from some column or be said for all rows; a status column alone can do without."""

NEEDED_OF_PATIENTS: Final = ("given_name", "phone")
_OF_SESSIONS: Final = frozenset({
    "external_id", "status", "technique", "regions", "ended_at", "ended_minutes_ago", "clinician", "soreness_before",
    "soreness_after", END_DAY, END_TIME,
})  # fmt: skip

_DAY: Final = re.compile(r"(\d{1,4})[/.-](\d{1,2})[/.-](\d{1,4})\.?(?:[T,]?\s+(.+))?")
_TIME: Final = re.compile(r"(\d{1,2})(?:[:.h](\d{2}))?(?:[:.](\d{2}))?\s*h?\s*(?:([ap])\.?\s?m\.?)?", re.IGNORECASE)
_TECHNIQUES: Final[Mapping[str, str]] = {
    "profunda": "deep", "profundo": "deep", "puncion seca profunda": "deep", "deep dn": "deep",
    "superficial dn": "superficial", "puncion seca superficial": "superficial",
    "electropuncion": "electro", "electropunción": "electro", "electro dn": "electro", "punción seca profunda": "deep",
    "punción seca superficial": "superficial",
}  # fmt: skip
_REGIONS: Final[Mapping[str, str]] = {
    "cabeza": "head", "mandibula": "jaw", "mandíbula": "jaw", "cuello": "neck", "hombro": "shoulder",
    "brazo": "upper_arm",
    "codo": "elbow", "antebrazo": "forearm", "muñeca": "wrist", "mano": "hand", "espalda alta": "upper_back",
    "torax": "thorax", "tórax": "thorax", "espalda baja": "lower_back", "lumbar": "lower_back",
    "low back": "lower_back",
    "abdomen": "abdomen", "cadera": "hip", "gluteo": "glute", "glúteo": "glute", "glutes": "glute", "muslo": "thigh",
    "isquiotibiales": "hamstring", "hamstrings": "hamstring", "rodilla": "knee", "pantorrilla": "calf",
    "espinilla": "shin", "tobillo": "ankle", "pie": "foot",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """What a person said about a table: a field for each column, how dates are written, and what holds for all rows.

    With `patients_only` the rows are patients without sessions, and columns of sessions are not read.
    """

    columns: tuple[str, ...]
    date_order: DateOrder
    technique: str = ""
    consent_method: str = ""
    patients_only: bool = False


def problems_of(mapping: ColumnMapping) -> list[str]:
    """Return what keeps a table from being read like this, as codes: twice:FIELD and missing:FIELD."""
    named = [field for field in mapping.columns if field]
    twice = [f"twice:{field}" for field in dict.fromkeys(named) if named.count(field) > 1]
    has = {*named}
    has |= {"given_name"} if FULL_NAME in has else set()
    has |= {"ended_at"} if {END_DAY, END_TIME} <= has or "ended_minutes_ago" in has else set()
    has |= {"technique"} if mapping.technique else set()
    # A table of sessions that are taken back needs no more than their ids.
    needed = NEEDED_OF_PATIENTS if mapping.patients_only else NEEDED[:1] if "status" in has else NEEDED
    return twice + [f"missing:{field}" for field in needed if field not in has]


def rows_of(table: Table, mapping: ColumnMapping) -> list[Row]:
    """Return the rows of a table with the intake's fields, each with its cells as they stood."""
    return [_row(number, cells, mapping) for number, cells in table.rows]


def _row(number: int, cells: tuple[str, ...], mapping: ColumnMapping) -> Row:
    if any(cells[len(mapping.columns) :]):
        sentence = "The row has more cells than the header: put cells with the delimiter in them into quotation marks."
        return Row(number, {}, cells, Problem("row", "too_many_cells", sentence))
    raw = {field: typed_cell(cell) for field, cell in zip(mapping.columns, cells, strict=False) if field != LEFT_OUT}
    if mapping.patients_only:
        raw = {field: cell for field, cell in raw.items() if field not in _OF_SESSIONS}
    return Row(number, _fields(raw, mapping), cells)


def _fields(raw: dict[str, str], mapping: ColumnMapping) -> dict[str, object]:
    fields: dict[str, object] = {}
    order = mapping.date_order
    if FULL_NAME in raw:
        fields["given_name"], fields["family_name"] = split_name(raw.pop(FULL_NAME))
    day, at = raw.pop(END_DAY, ""), raw.pop(END_TIME, "")
    if day or at:
        fields["ended_at"] = " ".join(part for part in (read_day(day, order), read_time(at)) if part)
    fields |= raw
    for field in ("ended_at", "consent_at"):
        if field in raw:
            fields[field] = read_moment(raw[field], order)
    if raw.get("birth_date"):
        fields["birth_date"] = read_day(raw["birth_date"], order, past=True)
    if "technique" in raw:
        fields["technique"] = _TECHNIQUES.get(raw["technique"].casefold(), raw["technique"])
    if "regions" in raw:
        parts = re.split(r"[;,|/]", raw["regions"])
        fields["regions"] = ";".join(_REGIONS.get(part.strip().casefold(), part.strip()) for part in parts)
    if mapping.technique and not mapping.patients_only and not fields.get("technique"):
        fields["technique"] = mapping.technique
    if mapping.consent_method and "consent" not in raw:
        fields["consent"] = "yes"
        fields.setdefault("consent_method", mapping.consent_method)
    return fields


def split_name(name: str) -> tuple[str, str]:
    """Return given and family name: "Reyes, Dana" and "Dana Reyes" are the same person."""
    family, comma, given = (part.strip() for part in name.partition(","))
    if comma:
        return given, family
    first, _space, rest = name.strip().partition(" ")
    return first, rest.strip()


def read_moment(text: str, order: DateOrder) -> str:
    """Return day and time as the intake reads them, or the text as it stands where it is not understood."""
    found = _DAY.fullmatch(text.strip())
    if not found or not found[4]:
        return text
    day, at = _day(found[1], found[2], found[3], order, past=False), read_time(found[4])
    return f"{day.isoformat()} {at}" if day else text


def read_day(text: str, order: DateOrder, *, past: bool = False) -> str:
    """Return a day as year-month-day, or the text as it stands. A day of birth is `past`: two digits cannot say which
    century, so they are not understood."""
    found = _DAY.fullmatch(text.strip())
    if not found:
        return text
    day = _day(found[1], found[2], found[3], order, past=past)
    # A spreadsheet adds a midnight to a day of birth.
    return day.isoformat() if day and (not found[4] or past) else text


def read_time(text: str) -> str:
    """Return a time of the day as hours and minutes (5:40 PM is 17:40), or the text as it stands."""
    found = _TIME.fullmatch(text.strip())
    if not found or not (found[2] or found[4]):
        return text
    hour, half = int(found[1]), (found[4] or "").casefold()
    if half and not 1 <= hour <= 12:
        return text
    hour = hour % 12 + 12 if half == "p" else hour % 12 if half == "a" else hour
    try:
        return time(hour, int(found[2] or 0), int(found[3] or 0)).isoformat("seconds" if found[3] else "minutes")
    except ValueError:
        return text


def _day(one: str, two: str, three: str, order: DateOrder, *, past: bool) -> date | None:
    if len(one) == 4:
        year, month, day = one, two, three
    elif order is DateOrder.YEAR_FIRST:
        return None
    else:
        year = three
        month, day = (one, two) if order is DateOrder.MONTH_FIRST else (two, one)
    if len(year) == 2 and not past:
        year = f"20{year}"
    if len(year) != 4:
        return None
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None
