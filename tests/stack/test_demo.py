"""`reminders demo`: three days in a minute, and nothing told that is not so."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reminders.config import BASE_DIR
from reminders.management.demo.command import first_moment
from reminders.management.demo.narrator import Narrator
from tests.stack.launch import clean_environment, processes_of

LAST_LINES = 12


def run_demo(data_dir: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a person does, to its end."""
    return subprocess.run(
        [sys.executable, "-m", "reminders.management", "demo", "--data-dir", str(data_dir), *words],
        env=clean_environment(**env), cwd=BASE_DIR, capture_output=True, text=True, check=False, timeout=280,
    )  # fmt: skip


def what_failed(result: subprocess.CompletedProcess[str]) -> str:
    """Return the checks that did not hold, and below them the end of the story: a report is cut, so the cause is first.

    A sentence that goes on in a second line is shown to its end.
    """
    lines = result.stdout.splitlines()
    crosses = [number for number, line in enumerate(lines) if "✗" in line]
    checks = [" ".join(" ".join(lines[number : number + 2]).split()) for number in crosses]
    last = [line.rstrip() for line in lines[-LAST_LINES:]]
    return "\n".join([f"exit code {result.returncode}", *checks, *result.stderr.splitlines()[-LAST_LINES:], *last])


@pytest.mark.stack
@pytest.mark.timeout(300)
def test_all_that_the_demo_tells_holds_and_it_leaves_neither_process_nor_touches_somebodys_own_parts(
    tmp_path: Path,
) -> None:
    data_dir = tmp_path / "demo"
    result = run_demo(
        data_dir, DATABASE_URL="postgresql://somebody@127.0.0.1:9/theirs", REDIS_URL="redis://127.0.0.1:9/0"
    )
    assert result.returncode == 0, what_failed(result)
    told = " ".join(result.stdout.split())
    assert "✗" not in told, what_failed(result)
    for moment in (
        "are refused, and none stopped the others",
        "Ravi gets one confirmation",
        "ms after Lee’s",
        "the case is Theo’s, by keypress",
        "her 5 is understood",
        "the case is Olivia’s, by text",
        "on the silent list",
        "Sam is thanked",
        "nothing is sent twice",
        "nobody was texted in their night",
        "checks hold",
    ):
        assert moment in told, moment
    assert processes_of(data_dir) == []


def test_a_failed_demo_says_first_what_failed() -> None:
    story = [f"  Tue 17:{minute} Chicago   somebody writes" for minute in range(10, 60)]
    story[3:3] = ["     ✗  the story stops here: This did not happen", "        within 60 seconds: it rains."]
    failed = subprocess.CompletedProcess([], 1, stdout="\n".join(story), stderr="boom")
    told = what_failed(failed).splitlines()
    assert told[:3] == [
        "exit code 1",
        "✗ the story stops here: This did not happen within 60 seconds: it rains.",
        "boom",
    ]
    assert told[-1] == story[-1]
    assert len(told) < 20


def test_a_folder_that_no_demo_has_made_is_never_emptied(tmp_path: Path) -> None:
    kept = tmp_path / "letters.txt"
    kept.write_text("mine")
    result = run_demo(tmp_path)
    assert result.returncode == 2
    assert "--data-dir" in result.stderr
    assert kept.read_text() == "mine"


@pytest.mark.parametrize(
    ("now", "begins"),
    [
        pytest.param("2025-03-04T12:00Z", "2025-03-04T17:45-06:00", id="later on the same day"),
        pytest.param("2025-03-04T23:45Z", "2025-03-11T17:45-05:00", id="at that very minute, so a week on"),
        pytest.param("2025-03-06T12:00Z", "2025-03-11T17:45-05:00", id="over the clock change in spring"),
        pytest.param("2025-11-01T12:00Z", "2025-11-04T17:45-06:00", id="over the clock change in autumn"),
    ],
)
def test_the_story_begins_on_a_tuesday_at_a_quarter_to_six_in_chicago(now: str, begins: str) -> None:
    assert first_moment(datetime.fromisoformat(now).astimezone(UTC)) == datetime.fromisoformat(begins)


def test_a_check_that_does_not_hold_is_shown_and_remembered(capsys: pytest.CaptureFixture[str]) -> None:
    narrator = Narrator()
    narrator.check("water is wet", holds=True)
    narrator.check("the moon is cheese", holds=False)
    assert narrator.off == ["the moon is cheese"]
    shown = capsys.readouterr().out
    assert [line.split() for line in shown.splitlines()] == [
        ["✓", "water", "is", "wet"],
        ["✗", "the", "moon", "is", "cheese"],
    ]
