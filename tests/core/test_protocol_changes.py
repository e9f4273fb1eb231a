"""What changed between two versions of a protocol."""

from dataclasses import replace
from pathlib import Path

from reminders.core.expected_soreness import ExpectedSoreness
from reminders.core.protocol_changes import ChangeKind, protocol_changes
from reminders.core.protocols import parse_protocol

ROOT = Path(__file__).resolve().parents[2]
DEFAULT = parse_protocol((ROOT / "templates" / "protocols" / "dry-needling.toml").read_text("utf-8"))


def test_a_version_changes_nothing_against_itself() -> None:
    assert protocol_changes(before=DEFAULT, after=DEFAULT) == []


def test_each_changed_field_of_a_step_is_told_with_both_values() -> None:
    heat = replace(DEFAULT.steps[0], offset_minutes=90, expires_minutes=60)
    after = replace(DEFAULT, steps=(heat, *DEFAULT.steps[1:]))

    told = {(one.step, one.field, one.before, one.after) for one in protocol_changes(before=DEFAULT, after=after)}

    assert told == {("advice_heat", "offset_minutes", 60, 90), ("advice_heat", "expires_minutes", 720, 60)}


def test_steps_that_come_and_go_are_told_and_the_rest_has_not_moved() -> None:
    second = replace(DEFAULT.steps[0], key="heat_2", offset_minutes=2000)
    after = replace(DEFAULT, steps=(*DEFAULT.steps[1:], second))

    told = [(one.kind, one.step) for one in protocol_changes(before=DEFAULT, after=after)]

    assert told == [(ChangeKind.REMOVED, "advice_heat"), (ChangeKind.ADDED, "advice_heat")]


def test_another_order_is_told_once() -> None:
    after = replace(DEFAULT, steps=(DEFAULT.steps[1], DEFAULT.steps[0], *DEFAULT.steps[2:]))

    assert [one.field for one in protocol_changes(before=DEFAULT, after=after)] == ["order"]


def test_numbers_and_lines_of_the_curve_are_told() -> None:
    new = ExpectedSoreness(from_hours=48, at_most=2)
    numbers = replace(DEFAULT.thresholds, persists_score=3, expected=(*DEFAULT.thresholds.expected[1:], new))

    told = protocol_changes(before=DEFAULT, after=replace(DEFAULT, thresholds=numbers))

    assert [(one.kind, one.field) for one in told] == [
        (ChangeKind.CHANGED, "persists_score"),
        (ChangeKind.REMOVED, "expected"),
        (ChangeKind.ADDED, "expected"),
    ]
