"""Answers of the past under other numbers."""

from dataclasses import replace

import pytest

from reminders.core.protocols import Thresholds
from reminders.core.schedule import StepKind
from reminders.core.states import Severity
from reminders.core.threshold_replay import Effect, PastAnswer, effect, outcomes
from reminders.core.triage import Situation
from reminders.core.understanding import read

NUMBERS = Thresholds(
    persists_score=4,
    same_day_score=7,
    meaningful_change=2,
    silent_after_minutes=1440,
    reply_window_minutes=2880,
    clarify_limit=1,
    recheck_limit=1,
)


def course(*words: str) -> list[PastAnswer]:
    """What a patient wrote to the question and to the second one, a day apart."""
    answers: list[PastAnswer] = []
    for number, said in enumerate(words):
        asked = StepKind.RECHECK if number else StepKind.CHECK_IN
        earlier = answers[-1].reading.score if answers else None
        situation = Situation(
            asked=asked, thresholds=NUMBERS, earlier_score=earlier, hours_since_session=24 * number + 24
        )
        answers.append(PastAnswer(read(said), situation))
    return answers


def under(numbers: Thresholds, *words: str) -> Effect:
    """What other numbers do to this course."""
    past = course(*words)
    return effect(now=outcomes(answers=past, thresholds=NUMBERS), other=outcomes(answers=past, thresholds=numbers))


@pytest.mark.parametrize(
    ("words", "changed", "effects"),
    [
        (("5",), {"persists_score": 6}, Effect.SAVED),
        (("5", "3"), {"persists_score": 6}, Effect.SAVED),
        (("3",), {"persists_score": 3}, Effect.ADDED),
        (("8",), {"same_day_score": 9}, Effect.LATER),
        (("8", "8"), {"same_day_score": 9}, Effect.LATER),
        (("6",), {"same_day_score": 6}, Effect.SOONER),
        (("6", "6"), {"same_day_score": 6}, Effect.SOONER),
        (("2",), {"persists_score": 6, "same_day_score": 9}, Effect.SAME),
        (("5, much worse",), {"persists_score": 6}, Effect.SAME),
        (("5",), {}, Effect.SAME),
    ],
)
def test_each_course_says_what_other_numbers_do_to_it(
    words: tuple[str, ...], changed: dict[str, int], effects: Effect
) -> None:
    assert under(replace(NUMBERS, **changed), *words) is effects  # type: ignore[arg-type]


def test_a_second_check_in_that_would_not_have_been_asked_leads_to_nothing() -> None:
    found = outcomes(answers=course("5", "5"), thresholds=replace(NUMBERS, persists_score=6))

    assert [one.severity for one in found] == [None, None]


def test_the_usual_course_is_decided_as_it_was() -> None:
    found = outcomes(answers=course("5", "5"), thresholds=NUMBERS)

    assert [one.severity for one in found] == [Severity.ROUTINE, Severity.SAME_DAY]
    assert found[1].grounds == ("still_at_recheck",)
