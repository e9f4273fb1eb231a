"""A story played through beforehand: the same rules, minute by minute."""

import tomllib
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from reminders.core.protocols import parse_protocol
from reminders.core.quiet_hours import DEFAULT_QUIET
from reminders.core.rehearsal import Moment, MomentKind, RehearsalStep, Treatment, rehearse
from reminders.core.schedule import ScheduleStep

CHICAGO = ZoneInfo("America/Chicago")
FILE = Path("templates/protocols/dry-needling.toml")
PROTOCOL = parse_protocol(FILE.read_text())
STEPS = [
    RehearsalStep(
        ScheduleStep(
            key=one.key,
            kind=one.kind,
            offset_minutes=one.offset_minutes,
            when_quiet=one.when_quiet,
            expires_minutes=one.expires_minutes,
        ),
        one.template_key,
    )
    for one in PROTOCOL.steps
]


def play(*answers: str, ended: str = "2026-10-06T10:00", technique: str = "deep", region: str = "calf") -> list[Moment]:
    return rehearse(
        steps=STEPS,
        thresholds=PROTOCOL.thresholds,
        treatment=Treatment(
            datetime.fromisoformat(ended).replace(tzinfo=CHICAGO), technique=technique, regions=frozenset({region})
        ),
        zone=CHICAGO,
        quiet=DEFAULT_QUIET,
        answers=answers,
    )


def told(moments: list[Moment]) -> list[str]:
    """Return each moment in a word with its hour on the wall."""
    return [
        f"{one.at.astimezone(CHICAGO):%a %H:%M} {one.key or (one.words if one.kind is MomentKind.ANSWER else 'note')}"
        for one in moments
    ]


def test_who_is_fine_gets_the_advice_the_question_and_thanks() -> None:
    assert told(play("2")) == [
        "Tue 11:00 advice_heat",
        "Tue 14:00 advice_exercise",
        "Tue 16:00 advice_otc",
        "Wed 10:00 check_in",
        "Wed 10:30 2",
        "Wed 10:30 thanks_resolved",
    ]


def test_soreness_that_persists_opens_a_case_and_is_asked_again_the_next_day() -> None:
    story = play("7, worse", "3")

    assert told(story)[4:] == [
        "Wed 10:30 7, worse",
        "Wed 10:30 told_your_pt_follow_up",
        "Wed 10:30 persists",
        "Thu 10:30 recheck",
        "Thu 11:00 3",
        "Thu 11:00 thanks_resolved",
    ]
    case = next(one for one in story if one.kind is MomentKind.CASE)
    assert case.severity == "same_day"
    assert {"high_score", "says_worse"} <= set(case.grounds)


def test_a_danger_sign_is_answered_at_once_and_rings_somebody() -> None:
    story = play("2 but my chest hurts when I breathe")

    assert "Wed 10:30 emergency" in told(story)
    assert [one.severity for one in story if one.kind is MomentKind.CASE] == ["urgent"]


def test_after_stop_nothing_more_is_sent() -> None:
    assert told(play("STOP"))[-2:] == ["Wed 10:30 opt_out_confirmed", "Wed 10:30 note"]


def test_silence_is_nudged_and_then_listed() -> None:
    assert told(play())[3:] == ["Wed 10:00 check_in", "Wed 14:00 nudge", "Thu 10:00 note"]


def test_silence_after_deep_needling_near_the_lungs_is_work_for_the_clinic() -> None:
    assert told(play("silent", region="thorax"))[-1] == "Thu 10:00 silence"


def test_an_answer_to_the_nudge_counts() -> None:
    assert told(play("silent", "1"))[-2:] == ["Wed 14:30 1", "Wed 14:30 thanks_resolved"]


def test_what_is_not_understood_is_asked_once_more_and_then_read_by_a_person() -> None:
    assert told(play("blorp", "blarp"))[-3:] == ["Wed 11:00 blarp", "Wed 11:00 person_will_look", "Wed 11:00 note"]


@pytest.mark.parametrize(
    ("ended", "asked"),
    [
        ("2026-10-31T10:30", "Sun 09:30 check_in"),  # the clock goes back at night: 24 hours are 23 on the wall
        ("2026-10-31T09:30", "Sun 09:00 check_in"),  # 8:30 is quiet: it waits for nine
        ("2027-03-13T10:30", "Sun 11:30 check_in"),  # and forward in spring
    ],
)
def test_the_check_in_keeps_to_elapsed_hours_over_a_change_of_the_clock(ended: str, asked: str) -> None:
    assert asked in told(play("2", ended=ended))


def test_the_file_that_is_rehearsed_is_the_one_that_clinics_start_with() -> None:
    assert tomllib.loads(FILE.read_text())["key"] == "dry-needling"
