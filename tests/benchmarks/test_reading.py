"""The labelled replies, what is counted on them, and a floor under it."""

from pathlib import Path

import pytest

from benchmarks.reading.cases import FOLDER, Case, read_cases
from benchmarks.reading.measures import BENIGN_FALSE_ALARMS, MEASURES, Measure, Read, Share, confusion, flag_recall
from reminders.config import BASE_DIR
from reminders.core.understanding import Flag, Intent, Reading, read
from tests.core.understanding_cases import cases_of

NAMES = ("locked", "benign", "develop", "ordinary")
BY_NAME = {measure.name: measure for measure in MEASURES}


def labelled(name: str) -> list[Case]:
    """The cases of one of the product's files."""
    return read_cases(BASE_DIR / FOLDER / f"{name}.tsv")


def read_as(is_: Intent, as_: Intent, *, score: int | None = None, flags: frozenset[Flag] = frozenset()) -> Read:
    """A case of one intent that was read as another."""
    case = Case("en", "plain", is_, 2, frozenset({Flag.NEURO}) if is_ is Intent.RED_FLAG else frozenset(), "words")
    return Read(case, Reading(as_, score, flags, (), sure=True, language="en"))


def test_there_are_enough_of_them_in_both_languages_and_of_both_kinds() -> None:
    cases = [case for name in NAMES for case in labelled(name)]
    measured = labelled("locked")

    assert len(cases) >= 1_500
    assert sum(case.language != "en" for case in cases) / len(cases) >= 1 / 3
    assert sum(case.kind == "hard" for case in measured) / len(measured) >= 1 / 2
    assert len(labelled("benign")) >= 300
    assert {flag for case in measured for flag in case.flags} == set(Flag)
    assert {case.intent for case in measured} == set(Intent)


def test_nothing_that_is_only_measured_may_be_built_on() -> None:
    measured = {case.text for name in ("locked", "benign") for case in labelled(name)}
    built_on = {case.text for name in ("develop", "ordinary") for case in labelled(name)}

    assert measured.isdisjoint(built_on)
    assert not any(case.text in measured and case.intent == Intent.RED_FLAG for case in cases_of("replies.tsv"))


def test_what_is_only_measured_is_read_no_worse_than_it_was() -> None:
    """A floor, below the goals and the figures of the documentation: who falls through it has broken something."""
    reads = [Read(case, read(case.text)) for case in labelled("locked")]
    benign = [Read(case, read(case.text)) for case in labelled("benign")]

    assert BY_NAME["danger signs found"].count(reads).value >= 0.95
    assert BY_NAME["danger or persisting read as resolved"].count(reads).value <= 0.01
    assert BY_NAME["opt-outs found"].count(reads).value >= 0.9
    assert BY_NAME["score exact"].count(reads).value >= 0.97
    assert BY_NAME["intent right"].count(reads).value >= 0.91
    assert BENIGN_FALSE_ALARMS.count(benign).value <= 0.02


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [
        pytest.param(0, 10, 0.0, 0.2775, id="none"),
        pytest.param(10, 10, 0.7225, 1.0, id="all"),
        pytest.param(81, 263, 0.2553, 0.3662, id="the worked example of Newcombe 1998, table I"),
        pytest.param(0, 0, 0.0, 1.0, id="nothing is known of nothing"),
    ],
)
def test_the_interval_is_that_of_wilson(hits: int, of: int, low: float, high: float) -> None:
    assert Share(hits, of).interval() == pytest.approx((low, high), abs=0.0001)


def test_recall_precision_and_false_alarms_are_counted_over_the_right_replies() -> None:
    reads = [
        read_as(Intent.RED_FLAG, Intent.RED_FLAG, flags=frozenset({Flag.NEURO})),
        read_as(Intent.RED_FLAG, Intent.RESOLVED),
        read_as(Intent.PERSISTS, Intent.RED_FLAG, flags=frozenset({Flag.OTHER})),
        read_as(Intent.RESOLVED, Intent.RESOLVED, score=2),
    ]

    shares = {name: (share.hits, share.of) for name, share in ((n, m.count(reads)) for n, m in BY_NAME.items())}
    assert shares == {
        "danger signs found": (1, 2),
        "danger signs, precision": (1, 2),
        "false alarms": (1, 2),
        "danger or persisting read as resolved": (1, 3),
        "opt-outs found": (0, 0),
        "opt-outs, precision": (0, 0),
        "score exact": (1, 4),
        "intent right": (2, 4),
        "flags exact, of danger signs found": (1, 1),
    }
    assert confusion(reads)[Intent.RED_FLAG, Intent.RESOLVED] == 1
    assert flag_recall(Flag.NEURO, reads) == Share(1, 2)


@pytest.mark.parametrize(
    ("share", "is_met"),
    [
        pytest.param(Share(199, 200), True, id="just enough"),
        pytest.param(Share(198, 200), False, id="one too few"),
        pytest.param(Share(0, 0), True, id="nothing to find"),
    ],
)
def test_a_goal_is_met_from_its_value_on(share: Share, is_met: bool) -> None:
    measure: Measure = BY_NAME["danger signs found"]

    assert measure.is_met(share) is is_met


@pytest.mark.parametrize(
    ("line", "says"),
    [
        pytest.param("en\tplain\tresolved\t2\tfine", "six columns", id="a column is missing"),
        pytest.param("fr\tplain\tresolved\t2\t-\tbien", "the language is one of", id="another language"),
        pytest.param("en\tplain\tresolved\t2\tneuro\tfine", "nothing else has any", id="flags of no danger sign"),
        pytest.param("en\tplain\tred_flag\t-\t-\tcant breathe", "has flags", id="a danger sign without flags"),
        pytest.param("en\tplain\tsad\t-\t-\tsad", "sad", id="no intent"),
    ],
)
def test_a_line_that_is_no_case_is_refused_with_its_number(line: str, says: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.tsv"
    file.write_text(f"# mine\n{line}\n", encoding="utf-8")

    with pytest.raises(ValueError, match=rf"mine\.tsv, line 2: .*{says}"):
        read_cases(file)
