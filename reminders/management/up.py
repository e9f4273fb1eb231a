"""`reminders up`: the whole product on this machine, with one command."""

import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType

import click

from reminders.config import Config, ConfigError, read_config
from reminders.embedded.attach import up_lock, users_lock
from reminders.embedded.locks import FolderLock, one_at_a_time
from reminders.embedded.places import Places
from reminders.management.stack.health import check_broker, check_database
from reminders.management.stack.leftovers import stop_leftovers
from reminders.management.stack.plan import Options, Plan, make_plan
from reminders.management.stack.stack import Stack
from reminders.secret import keep_media_key, keep_secret

WATCH_SECONDS = 0.5


class StopRequestedError(BaseException):
    """The person at the terminal, or the system, wants this to end. Not an `Exception`: nothing may swallow it."""


@click.command()
@click.option("--port", default=8000, show_default=True, help="Port of console and API; 0 takes a free one.")
@click.option("--sandbox-port", default=8010, show_default=True, help="Port of the sandbox carrier; 0 likewise.")
@click.option("--data-dir", type=click.Path(path_type=Path, file_okay=False), help="Default: REMINDERS_DATA_DIR.")
@click.option("--concurrency", default=2, show_default=True, help="Processes in each group of Celery workers.")
@click.option("--scheduler-count", default=1, show_default=True, help="Schedulers; more than one is safe.")
@click.option("--ready-file", type=click.Path(path_type=Path, dir_okay=False), help="Write the addresses here (JSON).")
@click.option("--seed/--no-seed", default=True, show_default=True, help="Make a sample clinic, with the sandbox only.")
@click.option("--fast-database", is_flag=True, help="Embedded PostgreSQL without durability: for tests alone.")
def up(
    port: int,
    sandbox_port: int,
    data_dir: Path | None,
    concurrency: int,
    scheduler_count: int,
    ready_file: Path | None,
    seed: bool,
    fast_database: bool,
) -> None:
    """Start and watch everything: database, broker, web, workers, scheduler, and the sandbox carrier."""
    options = Options(port, sandbox_port, concurrency, scheduler_count, fast=fast_database)
    config = read_config()
    places = Places((data_dir or config.data_dir).expanduser().absolute())
    places.make()
    alone = FolderLock(up_lock(places))  # kept until this process ends, however it ends
    if not alone.try_exclusive():
        raise ConfigError(
            f"`reminders up` already runs on {places.data_dir}: stop that one, or choose another --data-dir."
        )
    if ready_file:
        ready_file.unlink(missing_ok=True)  # a killed run's
    _check_outside_parts(config)
    if not config.secret_key:
        keep_secret(places.data_dir)
    if not config.media_keys:
        keep_media_key(places.data_dir)
    try:
        run(config=config, options=options, places=places, ready_file=ready_file, seed=seed)
    except StopRequestedError:
        click.echo("Stopped.")


def run(*, config: Config, options: Options, places: Places, ready_file: Path | None, seed: bool) -> None:
    """Run stacks until somebody asks for the end; a second one only where the first one's supervisor was killed."""
    while True:
        _listen_for_stop()
        plan = _plan(config=config, options=options, places=places)
        stack = Stack(plan, say=click.echo)
        try:
            logins = _start(stack, seed=seed and plan.account is not None)
            _announce(plan, logins=logins)
            if ready_file:
                stack.write_ready_file(ready_file)
            while stack.watch():
                time.sleep(WATCH_SECONDS)
            click.echo("The process supervisor has been killed; starting everything again.")
        finally:
            if ready_file:
                ready_file.unlink(missing_ok=True)
            _ignore_signals()
            stack.stop()


def _plan(*, config: Config, options: Options, places: Places) -> Plan:
    with one_at_a_time(places.locks / "transition"):
        users = FolderLock(users_lock(places))
        alone = users.try_exclusive()
        users.close()
        if not alone:
            raise ConfigError(f"Another `reminders` command uses {places.data_dir}: start this once that has ended.")
        left = stop_leftovers(places)
    if left:
        click.echo(f"Ended what an earlier run left behind (processes: {left}); its data is kept.")
    return make_plan(config=config, options=options, places=places)


def _start(stack: Stack, *, seed: bool) -> str:
    """Bring the stack up; return what the sample clinic says about logging in."""
    names = [program.name for program in stack.plan.servers]
    if names:
        click.echo(f"Starting {' and '.join(names)} ...")
    with one_at_a_time(stack.plan.places.locks / "transition"):
        stack.start_servers()
    click.echo("Bringing the database up to date ...")
    stack.run_django("migrate", "--no-input", "--verbosity", "0")
    logins = stack.run_django("seed_sample") if seed else ""
    click.echo(f"Starting {', '.join(program.name for program in stack.plan.programs)} ...")
    stack.start_programs()
    return logins.strip()


def _announce(plan: Plan, *, logins: str) -> None:
    lines = ["", "Aftercare reminders is running.", "", f"  Console   {plan.base_url}/"]
    if plan.sandbox_url:
        lines.append(f"  Phones    {plan.sandbox_url}/   (sandbox carrier: no text leaves this machine)")
    lines += [
        f"  API       {plan.base_url}/api/v1/docs",
        f"  Logs      {plan.places.logs}",
        "",
        *([logins, ""] if logins else []),
        "Ctrl-C stops everything; the data stays.",
    ]
    click.echo("\n".join(lines))


def _check_outside_parts(config: Config) -> None:
    if config.database_url:
        check_database(config.database_url)
    if config.redis_url:
        check_broker(config.redis_url)


def _listen_for_stop() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _request_stop)
    # Under `nohup` the closing of the terminal is to be ignored, and stays so.
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _request_stop)


def _ignore_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _do_nothing)


def _do_nothing(_number: int, _frame: FrameType | None) -> None:
    """Not SIG_IGN: that would be handed down to every process started from here."""


def _request_stop(_number: int, _frame: FrameType | None) -> None:
    _ignore_signals()
    if sys.stdout.isatty():
        os.write(sys.stdout.fileno(), b"\r")  # over the ^C that the terminal wrote
    click.echo("Stopping ...")
    raise StopRequestedError
