"""The running stack says of itself that it is well, and who is at work."""

import json
import subprocess
import sys
import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families

from reminders.config import BASE_DIR
from tests.stack.launch import RunningStack, clean_environment
from tests.waiting import eventually

pytestmark = pytest.mark.stack


def alive(stack: RunningStack) -> dict[str, float]:
    """How many processes are at each duty, as Prometheus sees it."""
    with urllib.request.urlopen(f"{stack.base_url}/metrics", timeout=5) as response:  # noqa: S310 our own
        families = text_string_to_metric_families(response.read().decode())
        return {
            sample.labels["duty"]: sample.value
            for family in families
            for sample in family.samples
            if sample.name == "reminders_processes_alive"
        }


def test_the_doctor_and_the_metrics_see_every_process_at_work(stack: RunningStack) -> None:
    eventually(lambda: min(alive(stack).values()) >= 1, what="somebody is at each duty")
    assert set(alive(stack)) == {"dispatch", "chores", "urgent", "send", "think", "tidy"}

    examined = stack.run("doctor", "--json")
    assert json.loads(examined.stdout) == {"ok": True, "findings": []}, examined.stdout
    assert examined.returncode == 0, examined.stderr
    assert stack.run("doctor", "--process", "scheduler").stdout == "The scheduler is at work.\n"

    # With nothing but the data folder, as in another terminal beside `reminders up`.
    joined = subprocess.run(
        [sys.executable, "-m", "reminders.management", "doctor", "--process", "worker"],
        env=clean_environment(REMINDERS_DATA_DIR=str(stack.data_dir)), cwd=BASE_DIR, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip
    assert (joined.returncode, joined.stdout) == (0, "The worker is at work.\n"), joined.stderr
