"""Replies that no rule was written for: a measure of how far the rules carry, with a floor under it.

Do not tune rules on this file; add new replies to `replies.tsv` instead, and keep this one as it is.
"""

from reminders.core.understanding import Intent, Reading, read
from tests.core.understanding_cases import Case, cases_of

CASES = cases_of("replies_locked.tsv")


def _is_right(case: Case, reading: Reading) -> bool:
    score = "-" if reading.score is None else str(reading.score)
    flags = sorted(case.flags.split(",")) if case.flags != "-" else []
    return (reading.intent, score, sorted(reading.flags)) == (case.intent, case.score, flags)


def test_nearly_all_are_read_as_the_definitions_say() -> None:
    right = sum(_is_right(case, read(case.text)) for case in CASES)

    assert right / len(CASES) >= 0.95


def test_no_red_flag_and_no_persisting_soreness_is_read_as_settled() -> None:
    grave = [case for case in CASES if case.intent in {Intent.RED_FLAG, Intent.PERSISTS}]

    assert [case.text for case in grave if read(case.text).intent is Intent.RESOLVED] == []


def test_few_signs_are_missed_and_few_alarms_are_false() -> None:
    missed = [c.text for c in CASES if c.intent == Intent.RED_FLAG and read(c.text).intent is not Intent.RED_FLAG]
    false = [c.text for c in CASES if c.intent != Intent.RED_FLAG and read(c.text).intent is Intent.RED_FLAG]

    assert len(missed) <= 2, missed
    assert len(false) <= 1, false
