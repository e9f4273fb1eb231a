"""What `doctor` finds: one thing that is wrong, how bad it is, and what to do about it."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is: patients are at risk now, or somebody should look today."""

    DANGER = "danger"
    ATTENTION = "attention"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, and what to do about it."""

    level: Level
    sentence: str
    advice: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem with the name of the check that found it."""

    check: str
    level: Level
    sentence: str
    advice: str


def danger(sentence: str, advice: str) -> Problem:
    """Return a problem that puts patients at risk now."""
    return Problem(Level.DANGER, sentence, advice)


def attention(sentence: str, advice: str) -> Problem:
    """Return a problem that somebody should look at today."""
    return Problem(Level.ATTENTION, sentence, advice)


def found_by(check: str, problem: Problem) -> Finding:
    """Return the problem under the name of its check."""
    return Finding(check, problem.level, problem.sentence, problem.advice)


def by_level(findings: list[Finding]) -> list[Finding]:
    """Return the findings, danger first, else in their order."""
    return sorted(findings, key=lambda finding: finding.level is not Level.DANGER)
