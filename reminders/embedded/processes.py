"""Finding and ending server processes that an earlier run left behind."""

import os
import signal
from pathlib import Path

import psutil

STACK_MARK = "REMINDERS_STACK"


def servers_in(folder: Path, *, program: str) -> list[psutil.Process]:
    """Return the live processes called `program` whose working folder is `folder`.

    The working folder tells ours from others: PostgreSQL and Valkey both change into their data folder, and process
    numbers in files are worthless after a crash, because the system gives them to somebody else.
    """
    wanted = os.path.realpath(folder)
    found = []
    for process in psutil.process_iter():
        try:
            if process.name().startswith(program) and process.cwd() == wanted and _lives(process):
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def stack_processes(data_dir: Path) -> list[psutil.Process]:
    """Return the live processes, other than this one, that a stack on `data_dir` started (by their environment)."""
    wanted = os.path.realpath(data_dir)
    found = []
    for process in psutil.process_iter():
        if process.pid == os.getpid():
            continue
        try:
            if process.environ().get(STACK_MARK) == wanted and _lives(process):
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def stop_all(processes: list[psutil.Process], *, number: signal.Signals, patience_seconds: float) -> None:
    """Send `number` to each, wait, then kill what is left. Processes that are gone already are fine."""
    for process in processes:
        try:
            process.send_signal(number)
        except psutil.NoSuchProcess:
            continue
    _, left = psutil.wait_procs(processes, timeout=patience_seconds)
    for process in left:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(left, timeout=5)


def _lives(process: psutil.Process) -> bool:
    return bool(process.status() != psutil.STATUS_ZOMBIE)
