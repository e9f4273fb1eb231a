"""The `timeline` and `segments` commands as an outsider runs them: JSON lines in on standard input, JSON lines out."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from click.testing import CliRunner

from reminders.management.pure_commands import segments, timeline

Line = dict[str, Any]


def step(key: str, kind: str, offset: int, when_quiet: str = "later", expires: int = 720) -> Line:
    return {
        "key": key,
        "kind": kind,
        "offset_minutes": offset,
        "when_quiet": when_quiet,
        "expires_minutes": expires,
    }


DEFAULT_STEPS = [
    step("heat", "advice", 60),
    step("exercise", "advice", 240),
    step("otc", "advice", 360),
    step("check_in", "check_in", 1440),
    step("nudge", "nudge", 240, expires=960),
    step("recheck", "recheck", 1440),
]
REQUEST: Line = {
    "ended_at": "2026-10-31T17:40:00-05:00",
    "timezone": "America/Chicago",
    "quiet_start": "20:00",
    "quiet_end": "09:00",
    "steps": DEFAULT_STEPS,
}


def answers(command: Any, *lines: Line | str) -> list[Line]:
    fed = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    result = CliRunner().invoke(command, input=fed)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_plan_over_a_clock_change_is_told_in_the_zones_own_offsets() -> None:
    assert answers(timeline, REQUEST) == [
        {
            "messages": [
                {"key": "heat", "at": "2026-10-31T18:40:00-05:00"},
                # Due at 21:40, worthless 12 elapsed hours later: 08:40 on this longer night's morning.
                {"key": "exercise", "dropped": "expired"},
                {"key": "otc", "at": "2026-11-01T09:00:00-06:00"},
                {"key": "check_in", "at": "2026-11-01T16:40:00-06:00"},
            ]
        }
    ]


def test_three_texts_that_wait_for_the_morning_leave_ten_minutes_apart() -> None:
    (answer,) = answers(timeline, {**REQUEST, "ended_at": "2026-01-14T21:15:00-06:00"})

    assert answer["messages"] == [
        {"key": "heat", "at": "2026-01-15T09:00:00-06:00"},
        {"key": "exercise", "at": "2026-01-15T09:10:00-06:00"},
        {"key": "otc", "at": "2026-01-15T09:20:00-06:00"},
        {"key": "check_in", "at": "2026-01-16T09:00:00-06:00"},
    ]


def test_a_dropped_step_keeps_its_place_and_says_why() -> None:
    steps = [
        step("tip", "advice", 240, "skip"),
        step("stale", "advice", 150, expires=60),
        step("heat", "advice", 60),
    ]

    assert answers(timeline, {**REQUEST, "steps": steps}) == [
        {
            "messages": [
                {"key": "tip", "dropped": "quiet_hours"},
                {"key": "stale", "dropped": "expired"},
                {"key": "heat", "at": "2026-10-31T18:40:00-05:00"},
            ]
        }
    ]


def test_quiet_hours_left_out_are_20_to_9() -> None:
    unsaid = {name: value for name, value in REQUEST.items() if not name.startswith("quiet")}

    assert answers(timeline, unsaid, {**unsaid, "quiet_end": None}) == answers(timeline, REQUEST, REQUEST)


@pytest.mark.parametrize(
    ("quiet", "at"),
    [
        ({"quiet_start": "23:30", "quiet_end": "05:00"}, "2026-10-31T21:40:00-05:00"),
        ({"quiet_start": "21:00:00", "quiet_end": "22:15:30"}, "2026-10-31T22:15:30-05:00"),
        ({"quiet_start": "00:00", "quiet_end": "00:00"}, "2026-10-31T21:40:00-05:00"),
    ],
)
def test_any_quiet_hours_may_be_asked_about(quiet: Line, at: str) -> None:
    request = {**REQUEST, **quiet, "steps": [step("exercise", "advice", 240)]}

    assert answers(timeline, request) == [{"messages": [{"key": "exercise", "at": at}]}]


def test_an_id_is_carried_through_and_no_steps_make_no_messages() -> None:
    assert answers(timeline, {**REQUEST, "id": "a-7", "steps": []}) == [{"id": "a-7", "messages": []}]


def test_a_moment_may_be_told_in_another_offset_than_the_patients() -> None:
    assert answers(timeline, {**REQUEST, "ended_at": "2026-10-31T22:40:00Z"}) == answers(timeline, REQUEST)


BAD_REQUESTS = [
    ({"ended_at": "2026-10-31T17:40:00"}, "Give ended_at as an ISO 8601 moment with its offset"),
    ({"ended_at": "yesterday"}, "Give ended_at as an ISO 8601 moment with its offset"),
    ({"ended_at": 1793486400}, "Give ended_at as an ISO 8601 moment with its offset"),
    ({"ended_at": None}, "Give ended_at as an ISO 8601 moment with its offset"),
    ({"ended_at": "9999-12-31T23:00:00+00:00"}, "Bring step 'heat' closer"),
    ({"timezone": "America/Springfield"}, "Give timezone as a name from the IANA database"),
    ({"timezone": "America"}, "Give timezone as a name from the IANA database"),
    ({"timezone": "../../etc/passwd"}, "Give timezone as a name from the IANA database"),
    ({"timezone": "A\x00\ud83d"}, "Give timezone as a name from the IANA database"),
    ({"timezone": "x" * 5000}, "Give timezone as a name from the IANA database"),
    ({"timezone": ""}, "Give timezone as a name from the IANA database"),
    ({"timezone": 5}, "Give timezone as a name from the IANA database"),
    ({"quiet_start": "24:00"}, "Give quiet_start as a wall time"),
    ({"quiet_start": "20"}, "Give quiet_start as a wall time"),
    ({"quiet_end": "09:00+01:00"}, "Give quiet_end as a wall time"),
    ({"quiet_end": 9}, "Give quiet_end as a wall time"),
    ({"steps": None}, "Give steps as a list of objects"),
    ({"steps": {}}, "Give steps as a list of objects"),
    ({"steps": ["heat"]}, "Give steps[0] as an object"),
]
BAD_STEPS = [
    ({"key": ""}, "Give steps[1].key"),
    ({"key": None}, "Give steps[1].key"),
    ({"kind": "campaign"}, "Give steps[1].kind as one of advice, check_in, nudge, recheck"),
    ({"kind": ["advice"]}, "Give steps[1].kind as one of"),
    ({"when_quiet": "never"}, "Give steps[1].when_quiet as one of later, earlier, skip"),
    ({"offset_minutes": -1}, "Give steps[1].offset_minutes as a whole number of minutes, 0 or more"),
    ({"offset_minutes": 60.5}, "Give steps[1].offset_minutes"),
    ({"offset_minutes": True}, "Give steps[1].offset_minutes"),
    ({"offset_minutes": "60"}, "Give steps[1].offset_minutes"),
    ({"offset_minutes": 10**30}, "Bring step 'exercise' closer"),
    ({"expires_minutes": -720}, "Give steps[1].expires_minutes"),
    ({"expires_minutes": None}, "Give steps[1].expires_minutes"),
]


@pytest.mark.parametrize(("change", "sentence"), BAD_REQUESTS)
def test_a_bad_request_is_told_what_to_give_and_the_next_is_answered(change: Line, sentence: str) -> None:
    bad, good = answers(timeline, {**REQUEST, **change, "id": 1}, {**REQUEST, "id": 2})

    assert bad["id"] == 1
    assert bad["error"].startswith(sentence)
    assert len(good["messages"]) == 4


@pytest.mark.parametrize(("change", "sentence"), BAD_STEPS)
def test_a_bad_step_is_named_by_its_place(change: Line, sentence: str) -> None:
    steps = [DEFAULT_STEPS[0], {**DEFAULT_STEPS[1], **change}]

    (bad,) = answers(timeline, {**REQUEST, "steps": steps})

    assert bad["error"].startswith(sentence)


@pytest.mark.parametrize("field", ["ended_at", "timezone", "steps"])
def test_a_missing_field_is_asked_for(field: str) -> None:
    (bad,) = answers(timeline, {name: value for name, value in REQUEST.items() if name != field})

    assert bad["error"].startswith(f"Give {field} as")


def test_a_line_that_is_not_json_does_not_stop_the_others() -> None:
    bad, good = answers(timeline, "{", REQUEST)

    assert set(bad) == {"error"}
    assert set(good) == {"messages"}


def test_segments_are_counted_line_by_line() -> None:
    assert answers(
        segments,
        {"text": ""},
        {"text": "a" * 161, "id": 3},
        {"text": "¿Cómo está?"},
        {"text": "\ud83d"},
        {"text": 5},
        {"id": "x"},
        {"text": "€" * 80},
    ) == [
        {"encoding": "GSM-7", "segments": 1},
        {"id": 3, "encoding": "GSM-7", "segments": 2},
        {"encoding": "UCS-2", "segments": 1},
        {"encoding": "UCS-2", "segments": 1},
        {"error": "Give text as a string."},
        {"id": "x", "error": "Give text as a string."},
        {"encoding": "GSM-7", "segments": 1},
    ]


@pytest.mark.parametrize(
    ("command", "line", "expected"),
    [
        ("segments", {"text": "sore"}, {"encoding": "GSM-7", "segments": 1}),
        ("timeline", {**REQUEST, "steps": []}, {"messages": []}),
    ],
)
def test_the_installed_command_needs_no_database_and_no_broker(command: str, line: Line, expected: Line) -> None:
    bare = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    start = [sys.executable, "-c", "from reminders.management.cli import main; main()", command]
    done = subprocess.run(start, input=json.dumps(line).encode(), env=bare, capture_output=True, check=True, timeout=60)

    assert json.loads(done.stdout) == expected
    assert done.stderr == b""
