"""Our own stack, whole and durable, with the stub as its carrier."""

import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import django
import psutil
import redis

from benchmarks.bench.carrier import BenchError, Stub
from reminders.config import read_config
from reminders.embedded.places import Places
from reminders.embedded.processes import lives, servers_in, stack_processes
from reminders.management.stack.leftovers import stop_leftovers
from reminders.management.stack.plan import Options, Plan, Program, make_plan
from reminders.management.stack.stack import Stack
from reminders.management.stack.supervisor import Supervisor
from reminders.secret import keep_media_key, keep_secret

ACCOUNT = {"TWILIO_ACCOUNT_SID": "AC" + "0" * 32, "TWILIO_AUTH_TOKEN": "f" * 32}
OUTSIDE = ("DATABASE_URL", "REDIS_URL", "REMINDERS_SANDBOX", "REMINDERS_SANDBOX_URL", "REMINDERS_DATA_DIR")
PUBLIC_BASE_URL = "https://bench.example"
# What tells the product's processes apart on their command lines, the first that fits.
KINDS = {
    "scheduler": "scheduler", "gunicorn": "web", "think": "think workers", "urgent": "send workers",
    "send": "send workers",
}  # fmt: skip
PARTS = (*dict.fromkeys(KINDS.values()), "PostgreSQL", "broker", "other")
MARK = "made-by-make-bench"


@dataclass(frozen=True)
class Engine:
    """A stack that is up, and its carrier."""

    stack: Stack
    stub: Stub

    @property
    def plan(self) -> Plan:
        """Its addresses and its environment."""
        return self.stack.plan

    def programs(self, *kinds: str) -> list[Program]:
        """Return the supervised programs whose name begins with one of `kinds`."""
        return [program for program in self.plan.programs if program.name.startswith(kinds)]

    def processes(self) -> list[psutil.Process]:
        """Return the product's own processes: web, workers, scheduler; neither servers nor supervisor."""
        found = []
        for process in stack_processes(self.plan.places.data_dir):
            try:
                words = " ".join(process.cmdline())
            except psutil.Error:
                continue
            if "python" in words and "supervisord" not in words:
                found.append(process)
        return found

    def processor_seconds(self) -> dict[str, float]:
        """Return the processor's time that each part of the stack has used since its start."""
        used = dict.fromkeys(PARTS, 0.0)
        parts = [("PostgreSQL", "postgres", self.plan.places.postgres), ("broker", "valkey", self.plan.places.valkey)]
        found = [(kind, process) for kind, name, folder in parts for process in servers_in(folder, program=name)]
        for kind, process in found + [(_kind(process), process) for process in self.processes()]:
            with suppress(psutil.Error):
                used[kind] += sum(process.cpu_times()[:2])
        return used

    def broker(self) -> redis.Redis:
        """Return a client of the broker."""
        return redis.Redis.from_url(self.plan.environment["REDIS_URL"])

    def stop(self, *kinds: str) -> None:
        """Stop the programs of these kinds and wait for their end."""
        supervisor = Supervisor(self.plan)
        programs = self.programs(*kinds)
        for program in programs:
            supervisor.stop_program(program)
        _wait(lambda: all(map(supervisor.has_stopped, programs)), what="the end of " + ", ".join(kinds))

    def start(self, *kinds: str) -> None:
        """Order the programs of these kinds to start, without waiting."""
        supervisor = Supervisor(self.plan)
        for program in self.programs(*kinds):
            supervisor.start_program(program)


def start_engine(*, data_dir: Path, stub: Stub, workers: int, is_fresh: bool) -> Engine:
    """Start the whole product on `data_dir`, emptied first where `is_fresh`. The caller stops its stack.

    Sets this process's environment to the stack's and makes Django usable in it. PostgreSQL is as durable as in
    production.
    """
    for name in OUTSIDE:
        os.environ.pop(name, None)
    os.environ |= ACCOUNT | {"TWILIO_API_BASE_URL": stub.url, "PUBLIC_BASE_URL": PUBLIC_BASE_URL}
    os.environ["REMINDERS_LOG_LEVEL"] = "WARNING"
    places = Places(data_dir)
    stop_leftovers(places)
    if is_fresh:
        empty(data_dir)
    places.make()
    keep_secret(data_dir)
    keep_media_key(data_dir)
    options = Options(port=0, sandbox_port=0, concurrency=workers, scheduler_count=1)
    stack = Stack(make_plan(config=read_config(), options=options, places=places), say=print)
    try:
        stack.start_servers()
        stack.run_django("migrate", "--no-input", "--verbosity", "0")
        stack.start_programs()
    except BaseException:
        stack.stop()
        raise
    os.environ |= stack.plan.environment
    django.setup()
    return Engine(stack, stub)


def close_connections() -> None:
    """Let go of the database, so that it may stop."""
    from django.db import connections

    connections.close_all()


def empty(folder: Path) -> None:
    """Remove a folder that an earlier run made, and mark the new one. Raises BenchError for anybody else's."""
    if folder.exists():
        if any(folder.iterdir()) and not (folder / MARK).exists():
            raise BenchError(f"{folder} holds something else: choose another --data-dir.")
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    (folder / MARK).touch()


def _kind(process: psutil.Process) -> str:
    words = process.cmdline()
    for word, kind in KINDS.items():
        if any(word in part for part in words):
            return kind
    return "other"


def processor_milliseconds(process: int) -> float:
    """Return the processor's time that one process has used, exact where the system tells it in nanoseconds."""
    try:
        return int(Path(f"/proc/{process}/schedstat").read_text(encoding="ascii").split()[0]) / 1e6
    except OSError:
        return sum(psutil.Process(process).cpu_times()[:2]) * 1_000


def memory_bytes(processes: list[psutil.Process]) -> int:
    """Return what these processes hold for themselves alone (not what they share with each other)."""
    return sum(process.memory_full_info().uss for process in processes if lives(process))


def _wait(done: Callable[[], bool], *, what: str) -> None:
    deadline = time.monotonic() + 30
    while not done():
        if time.monotonic() > deadline:
            raise BenchError(f"Waited in vain for {what}.")
        time.sleep(0.05)
