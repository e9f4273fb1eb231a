"""Reads the files of replies with the reading each has to get."""

from dataclasses import dataclass
from pathlib import Path

_DATA = Path(__file__).parent.parent / "data"


@dataclass(frozen=True, slots=True)
class Case:
    """One reply and how it has to be read; "?" leaves a column open."""

    intent: str
    score: str
    flags: str
    text: str


def cases_of(name: str) -> list[Case]:
    """Return the cases of one file of `tests/data`."""
    cases = []
    for number, line in enumerate((_DATA / name).read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        columns = line.split("\t")
        if len(columns) != 4:
            raise ValueError(f"{name}, line {number}: four columns, please")
        cases.append(Case(columns[0], columns[1], columns[2], columns[3].replace("\\n", "\n")))
    return cases
