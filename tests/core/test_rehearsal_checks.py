"""Stories kept as checks: what they hold, and how a difference is told."""

import json
from dataclasses import replace
from datetime import date, time
from pathlib import Path

from reminders.core.protocols import parse_protocol
from reminders.core.rehearsal_checks import (
    Story,
    differences,
    lines_from_json,
    lines_of,
    lines_to_json,
    play_story,
    story_from_json,
    story_to_json,
)
from reminders.core.word_changes import Change

ROOT = Path(__file__).resolve().parents[2]
DEFAULT = parse_protocol((ROOT / "templates" / "protocols" / "dry-needling.toml").read_text("utf-8"))
STORY = Story(
    technique="deep",
    region="calf",
    ended_on=date(2026, 10, 31),
    ended_at=time(17, 40),
    zone="America/Chicago",
    quiet_start=time(20),
    quiet_end=time(9),
    answers=("7, worse", "2", ""),
)
KEPT = lines_of(play_story(definition=DEFAULT, story=STORY), zone=STORY.zone)


def test_a_story_and_its_lines_survive_a_json_column() -> None:
    assert story_from_json(json.loads(json.dumps(story_to_json(STORY)))) == STORY
    assert lines_from_json(json.loads(json.dumps(lines_to_json(KEPT)))) == KEPT


def test_a_story_that_plays_as_kept_has_no_differences() -> None:
    assert differences(kept=KEPT, played=lines_of(play_story(definition=DEFAULT, story=STORY), zone=STORY.zone)) == []


def test_a_text_that_leaves_at_another_minute_is_gone_there_and_new_here() -> None:
    later = replace(DEFAULT, steps=(replace(DEFAULT.steps[0], offset_minutes=61), *DEFAULT.steps[1:]))

    found = differences(kept=KEPT, played=lines_of(play_story(definition=later, story=STORY), zone=STORY.zone))

    changed = [(one.change, one.line.at, one.line.key) for one in found if one.change is not Change.SAME]
    assert changed == [
        (Change.GONE, "2026-10-31T18:40-0500", "advice_heat"),
        (Change.NEW, "2026-10-31T18:41-0500", "advice_heat"),
    ]


def test_a_case_of_another_weight_is_a_difference() -> None:
    numbers = replace(DEFAULT.thresholds, same_day_score=10, meaningful_change=10, expected=())
    milder = play_story(definition=replace(DEFAULT, thresholds=numbers), story=replace(STORY, answers=("8",)))
    usual = play_story(definition=DEFAULT, story=replace(STORY, answers=("8",)))

    found = differences(kept=lines_of(usual, zone=STORY.zone), played=lines_of(milder, zone=STORY.zone))

    assert [(one.change, one.line.severity) for one in found if one.line.kind == "case"] == [
        (Change.GONE, "same_day"),
        (Change.NEW, "routine"),
    ]


def test_the_wall_has_its_offset_so_the_hour_that_comes_twice_is_told_apart() -> None:
    assert {line.at[-5:] for line in KEPT} == {"-0500", "-0600"}
