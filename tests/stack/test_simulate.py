"""`reminders simulate`: four days of a small clinic through the real product."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from reminders.config import BASE_DIR
from tests.stack.launch import clean_environment, processes_of


@pytest.mark.stack
@pytest.mark.timeout(200)
def test_a_small_clinic_is_simulated_with_no_danger_sign_missed_and_no_process_left(tmp_path: Path) -> None:
    data_dir, figures_path = tmp_path / "simulation", tmp_path / "figures.json"
    # A clinic so small would have no major event in years; with so many of them there are six in its four days.
    words = ["--patients", "16", "--days", "4", "--seed", "2", "--major-per-1000", "300", "--json", str(figures_path)]
    result = subprocess.run(
        [sys.executable, "-m", "reminders.management", "simulate", "--data-dir", str(data_dir), *words],
        env=clean_environment(), cwd=BASE_DIR, capture_output=True, text=True, check=False, timeout=180,
    )  # fmt: skip
    assert result.returncode == 0, (result.stdout + result.stderr)[-1500:]
    figures = json.loads(figures_path.read_text("utf-8"))
    flags, replies, taken = figures["red_flags"], figures["replies"], figures["taken"]
    assert (flags["written"], flags["missed"]) == (6, 0)
    assert taken["urgent"]["cases"] >= flags["written"]
    assert taken["urgent"]["not_taken"] == 0
    assert 0 < replies["answered"] <= replies["questions"]
    assert figures["texts"]["sent"] > 3 * figures["sessions"] > 0
    assert figures["naive"]["red_flags_missed"] > 0
    assert "“4 or more means a call”" in result.stdout
    assert processes_of(data_dir) == []
