"""Server processes: as whom they start, and how those that an earlier run left behind are found and ended."""

import os
import pwd
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

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
            if process.name().startswith(program) and process.cwd() == wanted and lives(process):
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
            if process.environ().get(STACK_MARK) == wanted and lives(process):
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
    for process in _left_after(processes, seconds=patience_seconds):
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    _left_after(processes, seconds=5)


def _left_after(processes: list[psutil.Process], *, seconds: float) -> list[psutil.Process]:
    """Wait until all have ended, at most so long; return those that have not.

    Not `psutil.wait_procs`: it waits for the system's first process to collect orphans, which may never happen in a
    container. An uncollected process holds nothing any more.
    """
    deadline = time.monotonic() + seconds
    while (left := [process for process in processes if lives(process)]) and time.monotonic() < deadline:
        time.sleep(0.02)
    return left


def start_on_its_own(command: list[str], *, folder: Path, log: Path, user: str | None) -> psutil.Process | None:
    """Start a server in `folder` as nobody's child, its output appended to `log`; return None where it ended at once.

    A shell in between starts it and ends: a server that others may use after this process is not this process's to
    wait for, and a child's handle that nobody waits for is reported as forgotten when the interpreter ends.
    """
    with log.open("ab") as output:
        started = subprocess.run(
            ["/bin/sh", "-c", '"$@" >&2 & echo $!', "sh", *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=output, cwd=folder, start_new_session=True, check=True, **identity(user),
        )  # fmt: skip
    try:
        return psutil.Process(int(started.stdout))
    except psutil.NoSuchProcess:
        return None


def identity(user: str | None) -> dict[str, Any]:
    """Return the arguments that make `subprocess` start a process as `user`, none for this process's own user.

    The group changes too: a process of root's group would meet the folders' group bits instead of everybody's.
    """
    if user is None:
        return {}
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}


def lives(process: psutil.Process) -> bool:
    """Tell whether a process still runs; one that ended and that nobody collected does not."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
