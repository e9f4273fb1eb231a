"""Answers of the past under other numbers: which cases would not have come up, which later, which besides."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from reminders.core.protocols import Thresholds
from reminders.core.schedule import StepKind
from reminders.core.states import Severity
from reminders.core.triage import Situation, decide
from reminders.core.understanding import Reading


class Effect(StrEnum):
    """What other numbers do to one course: the answers after one treatment."""

    SAME = "same"
    SAVED = "saved"  # a case that would not have come up
    LATER = "later"  # one that would have come up, or become urgent enough for the same day, only at a later answer
    SOONER = "sooner"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class PastAnswer:
    """One answer with all that was known when it came; the `situation`'s thresholds and rechecks do not count."""

    reading: Reading
    situation: Situation


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one set of numbers makes of an answer: the severity of its case, or None, and why."""

    severity: Severity | None
    grounds: tuple[str, ...] = ()


def outcomes(*, answers: Sequence[PastAnswer], thresholds: Thresholds) -> list[Outcome]:
    """Return what each answer of one course would have led to, the first one first.

    A second check-in that these numbers would not have asked for leads to nothing; one that they would have asked for
    besides is not known, because nobody answered it.
    """
    found: list[Outcome] = []
    is_asked, rechecks = True, 0
    for answer in answers:
        if answer.situation.asked is StepKind.RECHECK and found:
            if not is_asked:
                found.append(Outcome(None))
                continue
            rechecks += 1
        situation = replace(answer.situation, thresholds=thresholds, rechecks=rechecks)
        decision = decide(reading=answer.reading, situation=situation)
        is_case = decision.reason == "persists"
        found.append(Outcome(decision.severity if is_case else None, decision.grounds if is_case else ()))
        is_asked = decision.recheck
    return found


def effect(*, now: Sequence[Outcome], other: Sequence[Outcome]) -> Effect:
    """Compare what two sets of numbers make of one course."""
    had, has = _first(now), _first(other)
    if had == has:
        return Effect.SAME
    if has == _NEVER:
        return Effect.SAVED
    if had == _NEVER:
        return Effect.ADDED
    return Effect.LATER if has > had else Effect.SOONER


_LATE = 99
_NEVER = (_LATE, _LATE)


def _first(found: Sequence[Outcome]) -> tuple[int, int]:
    """Return at which answer the course became a same-day matter, and at which a case at all."""
    same_day = [at for at, one in enumerate(found) if one.severity is Severity.SAME_DAY]
    cases = [at for at, one in enumerate(found) if one.severity is not None]
    return min(same_day, default=_LATE), min(cases, default=_LATE)
