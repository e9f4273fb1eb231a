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


def cases_of(name: str, *, columns: int = 4) -> list[Case]:
    """Return the cases of one file of `tests/data`; the four columns are its last ones."""
    cases = []
    for number, line in enumerate((_DATA / name).read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = line.split("\t")
        if len(parts) != columns:
            raise ValueError(f"{name}, line {number}: {columns} columns, please")
        intent, score, flags, text = parts[-4:]
        cases.append(Case(intent, score, flags, text.replace("\\n", "\n")))
    return cases
