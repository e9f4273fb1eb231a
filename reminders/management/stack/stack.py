"""One stack's life: start in order, watch, stop in order."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from reminders.config import BASE_DIR, ConfigError
from reminders.management.stack.health import answers, workers_answer
from reminders.management.stack.leftovers import stop_leftovers
from reminders.management.stack.plan import Plan, Program
from reminders.management.stack.supervisor import RUNNING, Supervisor

START_SECONDS = 60.0

Say = Callable[[str], None]


class Stack:
    """The processes of one plan. `say` tells the person at the terminal what happens."""

    def __init__(self, plan: Plan, *, say: Say) -> None:
        self.plan = plan
        self._say = say
        self._supervisor = Supervisor(plan)
        self._complained: set[str] = set()

    def start_servers(self) -> None:
        """Start the supervisor, and under it the embedded servers; return when they answer."""
        for part in self.plan.parts:
            part.prepare()
        self._supervisor.start()
        self._wait(self._supervisor.is_ready, what="the process supervisor", log="supervisord.out")
        for program, part in zip(self.plan.servers, self.plan.parts, strict=True):
            self._supervisor.start_program(program)
            self._wait(part.is_ready, what=program.name, log=f"{program.name}.log")

    def run_django(self, *words: str) -> str:
        """Run one Django command to its end and return what it printed. Raises `ConfigError` where it fails."""
        result = subprocess.run(
            [sys.executable, "-m", "django", *words],
            env=self.plan.environment,
            cwd=BASE_DIR,
            capture_output=True,
            text=True,
            check=False,
            start_new_session=True,
        )
        if result.returncode:
            log = self.plan.places.logs / f"{words[0]}.log"
            log.write_text(result.stdout + result.stderr, encoding="utf-8")
            last = (result.stderr.strip().splitlines() or ["no message"])[-1]
            raise ConfigError(f"`reminders manage {' '.join(words)}` failed ({last}); the whole of it is in {log}.")
        return result.stdout

    def start_programs(self) -> None:
        """Start the product's own processes; return when all of them do their work."""
        for program in self.plan.programs:
            self._supervisor.start_program(program)
        for url in self.plan.health_urls:
            self._wait(lambda url=url: answers(url), what=url, log="web.log")  # type: ignore[misc]
        redis_url, names = self.plan.environment["REDIS_URL"], self.plan.worker_names
        self._wait(
            lambda: workers_answer(redis_url=redis_url, names=names), what="the Celery workers", log="worker-send.log"
        )
        for program in self.plan.programs:
            self._wait(
                lambda program=program: self._supervisor.is_running(program),  # type: ignore[misc]
                what=program.name,
                log=f"{program.name}.log",
            )

    def watch(self) -> bool:
        """Look after the processes once. False where the supervisor itself is gone.

        The supervisor restarts what crashes; where it has given up on one, it is told to begin anew.
        """
        if not self._supervisor.is_alive():
            return False
        states = self._supervisor.states()
        for program in [*self.plan.servers, *self.plan.programs]:
            if any(states.get(name) in {"FATAL", "EXITED"} for name in program.processes):
                self._begin_anew(program)
        return True

    def not_running(self) -> list[str]:
        """Return the processes that are not up at this moment, by the supervisor's names of them."""
        states = self._supervisor.states()
        programs = [*self.plan.servers, *self.plan.programs]
        return [name for program in programs for name in program.processes if states.get(name) != RUNNING]

    def _begin_anew(self, program: Program) -> None:
        if program.name not in self._complained:
            log = self.plan.places.logs / f"{program.name}.log"
            self._say(f"{program.name} keeps ending and is tried again and again: see {log}.")
            self._complained.add(program.name)
        for part in self.plan.parts:
            if part.program == program.name:
                part.stop()
                part.prepare()
        self._supervisor.start_program(program)

    def stop(self) -> None:
        """Stop everything: first what begins work, then what finishes it, the servers last. Leaves no process."""
        everything = [*self.plan.servers, *self.plan.programs]
        for stage in sorted({program.stop_stage for program in everything}):
            together = [program for program in everything if program.stop_stage == stage]
            for program in together:
                self._supervisor.stop_program(program)
            self._wait_for_end(together)
        self._supervisor.shut_down(patience_seconds=3)
        stop_leftovers(self.plan.places)

    def write_ready_file(self, path: Path) -> None:
        """Write the stack's addresses as JSON, whole or not at all, readable by this user alone."""
        plan = self.plan
        facts = {
            "base_url": plan.base_url,
            "sandbox_url": plan.sandbox_url,
            "data_dir": str(plan.places.data_dir),
            "logs_dir": str(plan.places.logs),
            "database_url": plan.environment["DATABASE_URL"],
            "redis_url": plan.environment["REDIS_URL"],
            "public_base_url": plan.environment["PUBLIC_BASE_URL"],
            "supervisor_config": str(plan.places.data_dir / "supervisord.conf"),
        }
        if plan.account:
            facts |= {"twilio_account_sid": plan.account.sid, "twilio_auth_token": plan.account.token}
        fresh = path.with_name(f"{path.name}.new")
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(facts, file, indent=2)
        fresh.replace(path)

    def _wait(self, done: Callable[[], bool], *, what: str, log: str) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not done():
            if time.monotonic() > deadline or not self._supervisor.is_alive():
                raise ConfigError(f"{what} did not come up: see {self.plan.places.logs / log}.")
            time.sleep(0.05)

    def _wait_for_end(self, programs: list[Program]) -> None:
        deadline = time.monotonic() + max(program.stop_seconds for program in programs) + 1
        while time.monotonic() < deadline and self._supervisor.is_alive():
            if all(self._supervisor.has_stopped(program) for program in programs):
                return
            time.sleep(0.05)
