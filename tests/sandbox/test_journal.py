"""What was acknowledged outlives a kill of the real process."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.sandbox.harness import ACCOUNT, CLINIC, PATIENT, TOKEN

TEXT = {"To": PATIENT, "From": CLINIC}


class Process:
    """The sandbox as a real process."""

    def __init__(self, process: "subprocess.Popen[str]", url: str) -> None:
        self.process = process
        self.url = url

    def create(self, body: str) -> str:
        """Create a text; return its sid once it is acknowledged."""
        url = f"{self.url}/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
        answer = requests.post(url, data=TEXT | {"Body": body}, auth=(ACCOUNT, TOKEN), timeout=10)
        assert answer.status_code == 201
        sid: str = answer.json()["sid"]
        return sid

    def control(self, path: str, wish: object = None) -> dict[str, Any]:
        """Call the control API."""
        method = "GET" if wish is None else "POST"
        answer: dict[str, Any] = requests.request(
            method, f"{self.url}/sandbox/api/{path}", json=wish, timeout=10
        ).json()
        return answer

    def kill(self) -> None:
        """End it as a power cut would end it, for the process."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(10)


@contextmanager
def process(data_dir: Path, *arguments: str) -> Iterator[Process]:
    """Run `reminders sandbox` and stop it at the end, if it still runs."""
    program = "from reminders.management.cli import main; main()"
    options = ["--account-sid", ACCOUNT, "--auth-token", TOKEN, "--data-dir", str(data_dir), *arguments]
    environment = {k: v for k, v in os.environ.items() if k != "DATABASE_URL"}
    with subprocess.Popen(
        [sys.executable, "-c", program, "sandbox", *options], stdout=subprocess.PIPE, text=True, env=environment
    ) as running:
        assert running.stdout is not None
        line = running.stdout.readline()
        try:
            yield Process(running, line.rpartition(" ")[2].strip())
        finally:
            if running.poll() is None:
                running.terminate()


def test_acknowledged_texts_and_settings_outlive_a_kill(tmp_path: Path) -> None:
    with process(tmp_path, "--sent-after", "60") as first:
        first.control("settings", {"carrier_handles_opt_out": True})
        first.control("numbers", {"number": PATIENT, "outcome": "undelivered", "error_code": 30005})
        sids = [first.create(f"text {n}") for n in range(50)]
        last = first.control("state?limit=1")["last_event"]
        first.kill()

    with process(tmp_path, "--sent-after", "0", "--delivered-after", "0") as second:
        state = second.control("state")
        assert [m["sid"] for m in state["messages"]] == sids
        assert state["settings"]["carrier_handles_opt_out"] is True
        assert state["settings"]["sent_after"] == 0
        assert state["last_event"] >= last
        # What was on its way goes on, to the end that was set before the kill.
        seen = second.control(f"events?after={last}&timeout=10")
        while not any(e["kind"] == "message.status" and e["sid"] == sids[-1] for e in seen["events"]):
            seen = second.control(f"events?after={seen['last']}&timeout=10")
            assert seen["events"]


def test_a_half_written_last_line_is_cut_off(tmp_path: Path) -> None:
    with process(tmp_path) as first:
        sid = first.create("whole")
        first.kill()
    journal = tmp_path / "carrier.jsonl"
    with journal.open("ab") as lines:
        lines.write(b'{"n": 99, "kind": "message.cre')

    with process(tmp_path) as second:
        other = second.create("next")
        second.kill()

    with process(tmp_path) as third:
        found = third.control("messages")["messages"]
        assert [m["sid"] for m in found] == [sid, other]


def test_two_carriers_do_not_share_a_journal(tmp_path: Path) -> None:
    with process(tmp_path), process(tmp_path) as second:
        assert second.process.wait(10) == 1


def test_a_call_that_was_live_has_failed_after_a_kill(tmp_path: Path) -> None:
    form = {"To": "+13125550150", "From": CLINIC, "Twiml": "<Response><Say>Hello</Say></Response>"}
    with process(tmp_path) as first:
        url = f"{first.url}/2010-04-01/Accounts/{ACCOUNT}/Calls.json"
        sid = requests.post(url, data=form, auth=(ACCOUNT, TOKEN), timeout=10).json()["sid"]
        first.kill()

    with process(tmp_path) as second:
        (call,) = second.control("state")["calls"]
        assert (call["sid"], call["status"]) == (sid, "failed")


def test_a_port_in_use_is_told_in_one_sentence(tmp_path: Path) -> None:
    with process(tmp_path / "a") as first:
        port = first.url.rpartition(":")[2]
        with process(tmp_path / "b", "--port", port) as second:
            assert second.process.wait(10) == 1


@pytest.mark.parametrize("module", ["django", "psycopg", "celery"])
def test_the_carrier_needs_neither_django_nor_a_database(module: str) -> None:
    check = f"import sys, reminders.management.sandbox; sys.exit('{module}' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
