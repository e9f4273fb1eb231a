"""Crash points kill the worker that was started to die there, and no other."""

import os
import signal
import subprocess
import sys

import pytest

from reminders.config import BASE_DIR
from tests.stack.launch import clean_environment

REACH = """
from django.conf import settings
settings.configure(REMINDERS_SANDBOX={sandbox})
from reminders.messaging import crash_points
crash_points.reach("{point}")
"""


def reach(point: str, *, sandbox: bool, **env: str) -> int:
    """Reach one point in a process of its own, and return how that ended."""
    return subprocess.run(
        [sys.executable, "-c", REACH.format(point=point, sandbox=sandbox)],
        env=clean_environment(**env), cwd=BASE_DIR, check=False, start_new_session=True,
    ).returncode  # fmt: skip


def test_the_named_point_ends_the_process_at_once() -> None:
    assert reach("before_settle", sandbox=True, REMINDERS_CRASH_POINT="before_settle") == -signal.SIGKILL


@pytest.mark.parametrize(
    ("sandbox", "env"),
    [
        pytest.param(True, {}, id="nothing named"),
        pytest.param(True, {"REMINDERS_CRASH_POINT": "before_ack"}, id="another point named"),
        pytest.param(False, {"REMINDERS_CRASH_POINT": "before_settle"}, id="a real carrier in use"),
    ],
)
def test_nothing_dies(sandbox: bool, env: dict[str, str]) -> None:
    assert "REMINDERS_CRASH_POINT" not in os.environ
    assert reach("before_settle", sandbox=sandbox, **env) == 0
