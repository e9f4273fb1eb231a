"""Where a run was made: figures without it say nothing."""

import functools
import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from reminders.config import BASE_DIR
from reminders.embedded.postgres import BINARIES


@functools.cache
def machine_facts() -> dict[str, Any]:
    """Return what decides the figures; call it before the run, so that its load is that of others."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "commit": _said("git", "rev-parse", "--short=10", "HEAD"),
        "cores": os.cpu_count() or 0,
        "cpu": _processor(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "load": f"{os.getloadavg()[0]:.2f}",
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "postgres": _said(str(BINARIES / "postgres"), "--version").rpartition(" ")[2],
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor() or "processor unknown"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _said(*command: str) -> str:
    try:
        done = subprocess.run(command, cwd=BASE_DIR, capture_output=True, text=True, check=False)
    except OSError:
        return "unknown"
    return done.stdout.strip() or "unknown"
