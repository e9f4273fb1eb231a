"""Starting the whole product as its users do, and looking at its processes from outside."""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from reminders.config import BASE_DIR, SETTINGS
from reminders.embedded.places import Places
from reminders.embedded.processes import servers_in, stack_processes
from reminders.management.stack.health import answers
from tests.waiting import eventually

START_SECONDS = 90


def clean_environment(**extra: str) -> dict[str, str]:
    """Return this process's environment without any setting of the product, and with `extra`."""
    ours = {setting.name for setting in SETTINGS} | {"DJANGO_SETTINGS_MODULE"}
    return {name: value for name, value in os.environ.items() if name not in ours} | extra


def up_command(data_dir: Path, *words: str) -> list[str]:
    """Return the command line that starts a stack on free ports, without the durability that tests do not need."""
    quick = ["--fast-database", "--concurrency", "1", "--port", "0", "--sandbox-port", "0"]
    return [sys.executable, "-m", "reminders.management", "up", "--data-dir", str(data_dir), *quick, *words]


@dataclass(frozen=True)
class RunningStack:
    """One stack that is up: where it answers, and the environment in which other commands join it."""

    process: subprocess.Popen[str]
    data_dir: Path
    base_url: str
    sandbox_url: str
    env: dict[str, str]
    facts: dict[str, str]

    def processes(self) -> list[psutil.Process]:
        """All of its processes but `reminders up` itself."""
        return processes_of(self.data_dir)

    def supervised(self, words: str) -> psutil.Process | None:
        """Return the supervisor's own child whose command line holds `words`, or None where it has none just now."""
        for process in self.processes():
            try:
                parent = process.parent()
                if parent and "supervisord" in " ".join(parent.cmdline()) and words in " ".join(process.cmdline()):
                    return process
            except psutil.Error:
                continue
        return None

    def is_healthy(self) -> bool:
        """True where the web process and the sandbox say so."""
        return answers(f"{self.base_url}/healthz") and answers(f"{self.sandbox_url}/healthz")

    def run(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a `reminders` command beside the stack."""
        return subprocess.run(
            [sys.executable, "-m", "reminders.management", *words],
            env=self.env, cwd=BASE_DIR, input=stdin, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip

    def kill_everything(self) -> None:
        """Kill `reminders up` and every process of the stack outright, as a power cut would."""
        self.process.kill()
        # Until none is left: the supervisor may start one anew before its own turn comes.
        while victims := self.processes():
            for victim in victims:
                with suppress(psutil.NoSuchProcess):
                    victim.kill()
        self.process.communicate()

    def stop(self) -> None:
        """Press Ctrl-C and wait for the end; a process that stays is a failure."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=30)


def processes_of(data_dir: Path) -> list[psutil.Process]:
    """Return every live process of the stack on `data_dir` but `reminders up` itself."""
    places = Places(data_dir)
    servers = servers_in(places.postgres, program="postgres") + servers_in(places.valkey, program="valkey-server")
    return list({process.pid: process for process in stack_processes(data_dir) + servers}.values())


def launch(data_dir: Path, *words: str) -> RunningStack:
    """Start a stack on `data_dir` and return once it says that it is ready."""
    ready = data_dir.with_name(f"{data_dir.name}.ready.json")
    ready.unlink(missing_ok=True)
    process = subprocess.Popen(
        up_command(data_dir, "--ready-file", str(ready), *words),
        env=clean_environment(), cwd=BASE_DIR, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        eventually(lambda: ready.exists() or process.poll() is not None, what="the stack starts", seconds=START_SECONDS)
        assert process.poll() is None, process.communicate()[0]
    except BaseException:
        process.terminate()
        print(process.communicate()[0])  # noqa: T201 pytest shows it with the failure
        raise
    facts = json.loads(ready.read_text())
    env = clean_environment(
        REMINDERS_DATA_DIR=str(data_dir),
        DATABASE_URL=facts["database_url"],
        REDIS_URL=facts["redis_url"],
        PUBLIC_BASE_URL=facts["public_base_url"],
        TWILIO_ACCOUNT_SID=facts["twilio_account_sid"],
        TWILIO_AUTH_TOKEN=facts["twilio_auth_token"],
        TWILIO_API_BASE_URL=facts["sandbox_url"],
        REMINDERS_SANDBOX="1",
        REMINDERS_SANDBOX_URL=facts["sandbox_url"],
        DJANGO_SETTINGS_MODULE="reminders.settings",
    )
    return RunningStack(
        process=process, data_dir=data_dir, base_url=facts["base_url"], sandbox_url=facts["sandbox_url"],
        env=env, facts=facts,
    )  # fmt: skip
