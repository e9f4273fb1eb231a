"""The labelled replies: each with its language, whether it is plain or hard, and how it has to be read."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reminders.core.understanding import Flag, Intent

FOLDER = Path("tests/data/labelled")
LANGUAGES, KINDS = ("en", "es", "mix"), ("plain", "hard")
NONE = "-"


@dataclass(frozen=True, slots=True)
class Case:
    """One reply; `score` is None where none is given, `flags` is empty unless it is a danger sign."""

    language: str
    kind: str
    intent: Intent
    score: int | None
    flags: frozenset[Flag]
    text: str


def read_cases(path: Path) -> list[Case]:
    """Return the cases of one file. Raises ValueError, with file and line, for a line that is not one."""
    cases = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            try:
                cases.append(_case(line.split("\t")))
            except ValueError as error:
                raise ValueError(f"{path.name}, line {number}: {error}") from None
    return cases


def _case(columns: Sequence[str]) -> Case:
    if len(columns) != 6:
        raise ValueError("six columns, please: language, kind, intent, score, flags, reply")
    language, kind, intent, score, flags, text = columns
    if language not in LANGUAGES or kind not in KINDS:
        raise ValueError(f"the language is one of {', '.join(LANGUAGES)}, the kind one of {', '.join(KINDS)}")
    named = frozenset(Flag(flag) for flag in flags.split(",")) if flags != NONE else frozenset()
    if bool(named) != (intent == Intent.RED_FLAG):
        raise ValueError("a danger sign has flags, and nothing else has any")
    return Case(language, kind, Intent(intent), None if score == NONE else int(score), named, text.replace("\\n", "\n"))
