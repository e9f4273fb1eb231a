"""The second reader: it hears what no rule foresaw, adds a danger sign that is not sure, and takes nothing away."""

import pytest

from reminders.core.understanding import Flag, Intent, read
from reminders.core.understanding.context import Context
from reminders.core.understanding.deciding import read_by_rules
from reminders.core.understanding.lexicon import load_lexicon
from reminders.core.understanding.matching import find_matches
from reminders.core.understanding.suspicion import FLAGS, RULE, Suspicion, load_weights, parse_weights, suspect
from reminders.core.understanding.text import tokenise
from tests.core.understanding_cases import cases_of

ORDINARY = "thanks so much, a little stiff but I walked the dog and slept well"
WIDTH = len(FLAGS) + 1


def heard(text: str) -> Suspicion | None:
    """What the second reader alone hears."""
    lexicon = load_lexicon()
    tokens = lexicon.speller.spell(tokenise(text, lexicon.emoji))
    return suspect(Context(tokens, find_matches(tokens, lexicon), lexicon)) if tokens else None


def added() -> list[str]:
    """Replies of the tests in which only the second reader finds a danger sign."""
    return [
        case.text
        for case in cases_of("labelled/develop.tsv", columns=6)
        if read_by_rules(case.text).intent is not Intent.RED_FLAG and read(case.text).intent is Intent.RED_FLAG
    ]


def test_it_hears_most_danger_signs_alone_and_hardly_any_in_ordinary_texts() -> None:
    cases = cases_of("labelled/develop.tsv", columns=6)
    signs = [case.text for case in cases if case.intent == Intent.RED_FLAG]
    ordinary = [case.text for case in cases_of("labelled/ordinary.tsv", columns=6)]

    assert sum(heard(text) is not None for text in signs) / len(signs) >= 0.7
    assert sum(heard(text) is not None for text in ordinary) / len(ordinary) <= 0.01


def test_what_it_adds_is_not_sure_has_a_flag_and_names_the_words_that_weighed_most() -> None:
    assert added()
    for text in added():
        reading = read(text)
        words = [because for because in reading.because if because.rule == RULE]
        assert not reading.sure
        assert reading.flags
        assert [text[because.start : because.end] for because in words] == [because.text for because in words]
        assert words
        assert words[0].text


def test_it_takes_no_danger_sign_of_the_rules_away_and_changes_none() -> None:
    for case in cases_of("replies.tsv"):
        by_rules = read_by_rules(case.text)
        if by_rules.intent is Intent.RED_FLAG:
            assert read(case.text) == by_rules


def test_a_keyword_alone_stays_a_keyword() -> None:
    assert {read(word).intent for word in ("STOP", "Alto", "BAJA", "cancelar")} == {Intent.OPT_OUT}


def test_an_ordinary_text_stays_ordinary() -> None:
    assert read(ORDINARY).intent is not Intent.RED_FLAG


def test_a_sign_is_heard_at_the_end_of_a_long_text() -> None:
    texts = added()
    kept = sum(read(f"{' '.join([ORDINARY + '.'] * 12)} {text}").intent is Intent.RED_FLAG for text in texts)

    assert kept / len(texts) >= 0.6


def test_a_number_in_front_and_capitals_change_little() -> None:
    texts = added()
    kept = sum(read(f"2 {text.upper()}").intent is Intent.RED_FLAG for text in texts)

    assert kept / len(texts) >= 0.85


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param("w:arm\t5", "line 1: it has 1 weights", id="columns are missing"),
        pytest.param("\t".join(["bias", *["1"] * WIDTH]), "no line for the threshold", id="no threshold"),
        pytest.param("\t".join(["threshold", *["1"] * WIDTH]), "or the bias", id="no bias"),
        pytest.param("\t".join(["threshold", *["x"] * WIDTH]), "x", id="no number"),
    ],
)
def test_a_table_that_is_none_is_refused_with_its_line(content: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_weights(content)


def test_the_table_of_the_product_has_a_weight_for_each_flag() -> None:
    weights = load_weights()

    assert weights.threshold > 0
    assert set(FLAGS) == set(Flag)
    assert all(any(row[at] > 0 for row in weights.flags.values()) for at in range(len(FLAGS)))
