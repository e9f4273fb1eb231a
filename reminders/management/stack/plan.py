"""What one stack consists of: addresses, environment and programs, worked out before anything starts."""

import os
import shlex
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from reminders.config import BASE_DIR, Config, ConfigError
from reminders.embedded.places import Places
from reminders.embedded.postgres import EmbeddedPostgres
from reminders.embedded.processes import STACK_MARK
from reminders.embedded.valkey import EmbeddedValkey
from reminders.management.stack.account import SandboxAccount, sandbox_account
from reminders.management.stack.ports import HOST, claim_port

Part = EmbeddedPostgres | EmbeddedValkey


@dataclass(frozen=True)
class Options:
    """What the person who starts the stack may choose."""

    port: int
    sandbox_port: int
    concurrency: int
    scheduler_count: int
    fast: bool = False


@dataclass(frozen=True)
class Program:
    """One supervised process (or several alike).

    Programs stop by `stop_stage`, lowest first: nothing new is begun, what has begun is finished, and the carrier with
    its callbacks stays until then; the servers go last. `stop_seconds` is the patience before a process is killed.
    """

    name: str
    command: list[str]
    stop_stage: int
    stop_seconds: int
    count: int = 1
    directory: Path = BASE_DIR
    user: str | None = None
    stop_signal: str = "TERM"

    @property
    def processes(self) -> list[str]:
        """The supervisor's names of its processes."""
        if self.count == 1:
            return [self.name]
        return [f"{self.name}:{self.name}-{number}" for number in range(self.count)]


@dataclass(frozen=True)
class Plan:
    """A stack that can be started: everything in it has been checked."""

    places: Places
    base_url: str
    sandbox_url: str
    account: SandboxAccount | None
    environment: dict[str, str]
    parts: list[Part]
    servers: list[Program]
    programs: list[Program]
    worker_names: list[str]

    @property
    def health_urls(self) -> list[str]:
        """Addresses that answer 200 once the processes behind them are well."""
        return [f"{url}/healthz" for url in (self.base_url, self.sandbox_url) if url]


def make_plan(*, config: Config, options: Options, places: Places) -> Plan:
    """Return the plan for one start. The data folder has to exist; leftovers have to be gone, or they hold the ports.

    Raises `ConfigError` where a port cannot be had.
    """
    port = claim_port(port=options.port, option="--port")
    base_url = f"http://{HOST}:{port}"
    account, sandbox_port, sandbox_url = None, 0, ""
    if not config.carrier_is_configured:
        account = sandbox_account(places.data_dir)
        sandbox_port = claim_port(port=options.sandbox_port, option="--sandbox-port")
        if sandbox_port == port:
            raise ConfigError(f"Console and sandbox cannot share port {port}: choose another one with --sandbox-port.")
        sandbox_url = f"http://{HOST}:{sandbox_port}"
    parts: list[Part] = []
    if not config.database_url:
        parts.append(EmbeddedPostgres(places, fast=options.fast))
    if not config.redis_url:
        parts.append(EmbeddedValkey(places))
    worker_names = [f"{name}@{socket.gethostname()}" for name in ("urgent", "send", "think")]
    return Plan(
        places=places,
        base_url=base_url,
        sandbox_url=sandbox_url,
        account=account,
        environment=_environment(config=config, places=places, account=account, base_url=base_url, sandbox=sandbox_url),
        parts=parts,
        servers=[_server(part, places=places) for part in parts],
        programs=_programs(options=options, places=places, port=port, sandbox_port=sandbox_port, workers=worker_names),
        worker_names=worker_names,
    )


def reminders_command(*words: str) -> list[str]:
    """Return the command line of one of this product's own commands, in this very Python."""
    return [sys.executable, "-m", "reminders.management", *words]


def _environment(
    *, config: Config, places: Places, account: SandboxAccount | None, base_url: str, sandbox: str
) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name not in ("TWILIO_EDGE", "TWILIO_REGION")}
    environment = inherited | {
        STACK_MARK: os.path.realpath(places.data_dir),
        "REMINDERS_DATA_DIR": str(places.data_dir),
        "DATABASE_URL": config.database_url or places.database_url,
        "REDIS_URL": config.redis_url or places.redis_url,
        "DJANGO_SETTINGS_MODULE": "reminders.settings",
        "PYTHONUNBUFFERED": "1",
    }
    if account:
        environment |= {
            "TWILIO_ACCOUNT_SID": account.sid,
            "TWILIO_AUTH_TOKEN": account.token,
            "TWILIO_API_BASE_URL": sandbox,
            "PUBLIC_BASE_URL": config.public_base_url or base_url,
            "REMINDERS_SANDBOX": "1",
            "REMINDERS_SANDBOX_URL": sandbox,
        }
    return environment


def _server(part: Part, *, places: Places) -> Program:
    # `env -i`: the servers get neither the carrier's token nor the secret key, nor a locale that is not there.
    mark = f"{STACK_MARK}={os.path.realpath(places.data_dir)}"
    is_database = isinstance(part, EmbeddedPostgres)
    return Program(
        name=part.program,
        command=["/usr/bin/env", "-i", "LC_ALL=C", mark, *part.command()],
        stop_stage=5 if is_database else 4,
        stop_seconds=4 if is_database else 2,
        directory=part.folder,
        user=part.user,
        # PostgreSQL's polite stop waits for clients; INT rolls their transactions back and ends.
        stop_signal="INT" if is_database else "TERM",
    )


def _programs(*, options: Options, places: Places, port: int, sandbox_port: int, workers: list[str]) -> list[Program]:
    urgent, send, think = workers
    size = ("--concurrency", str(options.concurrency))
    urgent_command = reminders_command("worker", "--queues", "urgent", "--name", urgent)
    send_command = reminders_command("worker", "--queues", "send", "--name", send, *size)
    think_command = reminders_command("worker", "--queues", "think,tidy", "--name", think, *size)
    programs = [
        Program("web", reminders_command("web", "--port", str(port)), stop_stage=3, stop_seconds=3),
        # Three groups, so that housekeeping and reading never make a due text wait for a free process, and no number
        # of due texts an emergency.
        Program("worker-urgent", urgent_command, stop_stage=2, stop_seconds=4),
        Program("worker-send", send_command, stop_stage=2, stop_seconds=4),
        Program("worker-think", think_command, stop_stage=2, stop_seconds=4),
        Program(
            "scheduler", reminders_command("scheduler"), stop_stage=1, stop_seconds=2, count=options.scheduler_count
        ),
    ]
    if sandbox_port:
        folder = str(places.data_dir / "sandbox")
        command = reminders_command("sandbox", "--host", HOST, "--port", str(sandbox_port), "--data-dir", folder)
        programs.insert(0, Program("sandbox", command, stop_stage=3, stop_seconds=2))
    return programs


def shell_line(words: list[str]) -> str:
    """Return a command as one line that a shell (and the supervisor) reads back as these words."""
    return shlex.join(words)
