"""Protocol files: the default one is the design's, and a wrong one says where and what to do."""

from dataclasses import asdict
from pathlib import Path

import pytest

from reminders.core.advice import Screening
from reminders.core.protocols import (
    Condition,
    ProtocolError,
    condition_from_json,
    from_json,
    parse_protocol,
    thresholds_from_json,
    to_json,
)
from reminders.core.schedule import StepKind, WhenQuiet
from reminders.core.texts import TEXTS

ROOT = Path(__file__).resolve().parents[2]
DEFAULT = (ROOT / "templates" / "protocols" / "dry-needling.toml").read_text("utf-8")


def refused(toml_text: str) -> ProtocolError:
    """The error that reading this file gives."""
    with pytest.raises(ProtocolError) as caught:
        parse_protocol(toml_text)
    return caught.value


def with_condition(condition: str) -> str:
    """The default protocol with a condition on its last step."""
    return f"{DEFAULT}\n[steps.condition]\n{condition}\n"


def test_the_default_protocol_is_the_one_that_is_promised() -> None:
    protocol = parse_protocol(DEFAULT)

    assert (protocol.key, protocol.name) == ("dry-needling", "Dry needling")
    assert [(s.key, s.kind, s.offset_minutes, s.when_quiet, s.expires_minutes) for s in protocol.steps] == [
        ("heat", StepKind.ADVICE, 60, WhenQuiet.LATER, 720),
        ("exercise", StepKind.ADVICE, 240, WhenQuiet.LATER, 720),
        ("otc", StepKind.ADVICE, 360, WhenQuiet.LATER, 720),
        ("check_in", StepKind.CHECK_IN, 1_440, WhenQuiet.LATER, 900),
        ("nudge", StepKind.NUDGE, 240, WhenQuiet.LATER, 960),
        ("recheck", StepKind.RECHECK, 1_440, WhenQuiet.LATER, 900),
    ]
    assert all(step.condition == Condition() for step in protocol.steps)
    assert asdict(protocol.thresholds) == {
        "persists_score": 4,
        "same_day_score": 7,
        "meaningful_change": 2,
        "silent_after_minutes": 1_440,
        "reply_window_minutes": 2_880,
        "clarify_limit": 1,
        "recheck_limit": 1,
        "expected": (
            {"from_hours": 36, "at_most": 5, "techniques": (), "regions": ()},
            {"from_hours": 60, "at_most": 3, "techniques": (), "regions": ()},
            {"from_hours": 0, "at_most": 5, "techniques": ("superficial",), "regions": ()},
            {
                "from_hours": 0,
                "at_most": 5,
                "techniques": ("deep",),
                "regions": ("thorax", "shoulder", "neck", "upper_back"),
            },
        ),
    }


def test_a_version_without_a_curve_is_read_as_one_that_expects_nothing() -> None:
    row = {name: number for name, number in asdict(parse_protocol(DEFAULT).thresholds).items() if name != "expected"}

    assert thresholds_from_json(row).expected == ()


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("from_hours = -1\nat_most = 5", "thresholds.expected[1].from_hours"),
        ("from_hours = 0\nat_most = 11", "thresholds.expected[1].at_most"),
        ("from_hours = 0\nat_most = 5\ntechniques = ['shallow']", "thresholds.expected[1].techniques"),
        ("from_hours = 0\nat_least = 5", "thresholds.expected[1].at_least"),
    ],
)
def test_a_wrong_line_of_the_curve_is_named(line: str, field: str) -> None:
    head, rest = DEFAULT.split("[[thresholds.expected]]", 1)

    assert refused(f"{head}[[thresholds.expected]]\n{line}\n\n[[steps]]{rest.split('[[steps]]', 1)[1]}").field == field


def test_every_step_of_the_default_protocol_has_a_planned_text() -> None:
    for step in parse_protocol(DEFAULT).steps:
        assert TEXTS[step.template_key].planned


def test_a_definition_survives_its_row() -> None:
    protocol = parse_protocol(
        with_condition(
            'techniques = ["deep"]\nregions = ["neck"]\nscreening = { ulcer = false }\noutcomes = ["persists"]'
        )
    )

    assert from_json(to_json(protocol)) == protocol
    assert thresholds_from_json(to_json(protocol)["thresholds"]) == protocol.thresholds
    assert condition_from_json(to_json(protocol)["steps"][-1]["condition"]) == protocol.steps[-1].condition


def test_a_step_without_a_condition_keeps_none_in_its_row() -> None:
    assert to_json(parse_protocol(DEFAULT))["steps"][0]["condition"] == {}


@pytest.mark.parametrize(
    ("wrong", "right", "field", "advice"),
    [
        ('key = "dry-needling"', "", "key", "add it"),
        ('key = "dry-needling"', 'key = "dry needling"', "key", "letters, digits"),
        ('name = "Dry needling"', 'name = ""', "name", "1 to 80 characters"),
        ('name = "Dry needling"', 'nam = "Dry needling"', "nam", "did you mean name"),
        ('name = "Dry needling"', 'name = "Dry needling"\nzzz = 1', "zzz", "use key"),
        ("offset_minutes = 60", "offset_minutes = 0", "steps[1].offset_minutes", "from 1 to 20160"),
        ("offset_minutes = 60", "offset_minutes = 20161", "steps[1].offset_minutes", "from 1 to 20160"),
        ("offset_minutes = 60", "offset_minutes = true", "steps[1].offset_minutes", "whole number"),
        ("offset_minutes = 60", "offset_minutes = 60.0", "steps[1].offset_minutes", "whole number"),
        ("offset_minutes = 60", "offset_minuts = 60", "steps[1].offset_minuts", "did you mean offset_minutes"),
        ("expires_minutes = 960", "expires_minutes = 0", "steps[5].expires_minutes", "from 1 to"),
        ('kind = "check_in"', 'kind = "checkin"', "steps[4].kind", "advice, check_in, nudge, recheck"),
        ('kind = "check_in"', 'kind = "advice"', "steps[5].kind", "add a step of kind check_in"),
        ('when_quiet = "later"', 'when_quiet = "never"', "steps[1].when_quiet", "later, earlier, skip"),
        ('key = "exercise"', 'key = "heat"', "steps[2].key", "choose another"),
        ('template_key = "nudge"', "template_key = 7", "steps[5].template_key", "1 to 40 characters"),
        ("persists_score = 4", "persists_score = 11", "thresholds.persists_score", "from 1 to 10"),
        ("persists_score = 4", "persists_score = 8", "thresholds.same_day_score", "persists_score or more"),
        ("reply_window_minutes = 2880", "reply_window_minutes = 600", "thresholds.reply_window_minutes", "or more"),
        ("clarify_limit = 1", "", "thresholds.clarify_limit", "add it"),
        ("[thresholds]", "[[thresholds]]", "thresholds", "a table"),
    ],
)
def test_a_mistake_names_its_field_and_what_to_do(wrong: str, right: str, field: str, advice: str) -> None:
    assert wrong in DEFAULT

    error = refused(DEFAULT.replace(wrong, right, 1))

    assert error.field == field
    assert advice in error.message
    assert str(error).startswith(f"{field}: ")


@pytest.mark.parametrize(
    ("condition", "field"),
    [
        ('techniques = ["shallow"]', "steps[6].condition.techniques"),
        ('techniques = "deep"', "steps[6].condition.techniques"),
        ("regions = [7]", "steps[6].condition.regions"),
        ('outcomes = ["better"]', "steps[6].condition.outcomes"),
        ('screening = { ulcer = "no" }', "steps[6].condition.screening.ulcer"),
        ("screening = { asthma = true }", "steps[6].condition.screening.asthma"),
        ("screening = true", "steps[6].condition.screening"),
        ("weather = true", "steps[6].condition.weather"),
    ],
)
def test_a_mistake_in_a_condition_names_its_field(condition: str, field: str) -> None:
    assert refused(with_condition(condition)).field == field


@pytest.mark.parametrize("toml_text", ["not toml", "", "steps = []", "steps = 3", "steps = [1]"])
def test_what_is_no_protocol_is_refused(toml_text: str) -> None:
    assert str(refused(toml_text))


def test_too_many_steps_are_refused() -> None:
    step = '[[steps]]\nkey = "x"\n'

    assert refused(step * 31).field == "steps"


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (Condition(), True),
        (Condition(techniques=("deep", "electro")), True),
        (Condition(techniques=("electro",)), False),
        (Condition(regions=("neck", "calf")), True),
        (Condition(regions=("calf",)), False),
        (Condition(screening=(("ulcer", False),)), True),
        (Condition(screening=(("ulcer", True),)), False),
        (Condition(screening=(("pregnancy", False),)), False),
        (Condition(outcomes=("persists",)), True),
        (Condition(outcomes=("silent",)), False),
        (Condition(techniques=("deep",), regions=("calf",)), False),
    ],
)
def test_a_step_is_for_those_whom_all_parts_of_its_condition_fit(condition: Condition, holds: bool) -> None:
    screening = Screening(ulcer=False)

    assert holds is condition.holds(
        technique="deep", regions=["neck", "shoulder"], screening=screening, outcome="persists"
    )


def test_what_is_not_known_fits_no_condition() -> None:
    assert not Condition(screening=(("ulcer", False),)).holds(technique="deep", regions=[])
    assert not Condition(outcomes=("persists",)).holds(technique="deep", regions=[])
