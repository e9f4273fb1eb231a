"""Every reply of the table is read as the definitions say."""

import pytest

from reminders.core.understanding import Flag, Intent, read
from tests.core.understanding_cases import Case, cases_of

CASES = cases_of("replies.tsv")


@pytest.mark.parametrize("case", CASES, ids=[f"{number}-{case.intent}" for number, case in enumerate(CASES, 1)])
def test_a_reply_is_read_as_the_definitions_say(case: Case) -> None:
    reading = read(case.text)

    assert reading.intent == case.intent, case.text
    if case.score != "?":
        assert reading.score == (None if case.score == "-" else int(case.score)), case.text
    if case.flags != "?":
        assert sorted(reading.flags) == ([] if case.flags == "-" else sorted(case.flags.split(","))), case.text


def test_the_table_is_wide_enough_to_mean_something() -> None:
    assert len(CASES) >= 450
    assert {case.intent for case in CASES} == set(Intent)
    named = {flag for case in CASES if case.flags not in {"-", "?"} for flag in case.flags.split(",")}
    assert named == set(Flag)


def test_the_words_that_decided_are_cut_out_of_the_original() -> None:
    text = "  Hi!! 2, but I CAN’T   BREATHE…"

    reading = read(text)

    assert [(because.rule, because.text) for because in reading.because] == [
        ("score", "2"),
        ("breathing.hard", "CAN’T   BREATHE"),
    ]
    assert all(text[because.start : because.end] == because.text for because in reading.because)


@pytest.mark.parametrize("text", ["", "   ", "\n", "👽", "hello", "15", "what if I faint?", "I had a seizure in 2009"])
def test_what_is_not_understood_is_not_sure(text: str) -> None:
    assert not read(text).sure


@pytest.mark.parametrize(
    ("text", "language"),
    [("my arm still hurts", "en"), ("todavia me duele el brazo", "es"), ("7", ""), ("", "")],
)
def test_the_language_is_guessed_for_the_answer(text: str, language: str) -> None:
    assert read(text).language == language


def test_the_same_text_is_always_read_the_same() -> None:
    assert read("2 but my chest is tight") == read("2 but my chest is tight")
