"""A stack of its own: made anew for every run, real in every part, and gone afterwards."""

import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from reminders.config import SETTINGS, Config, ConfigError, read_config
from reminders.embedded.attach import up_lock
from reminders.embedded.locks import FolderLock, one_at_a_time
from reminders.embedded.places import Places
from reminders.management.stack.leftovers import stop_leftovers
from reminders.management.stack.plan import Options, Plan, make_plan
from reminders.management.stack.stack import Stack
from reminders.secret import keep_media_key, keep_secret

MARK = "made-by-reminders-demo"
# A rehearsal never touches a database, a broker or a carrier of somebody's own, whatever the shell has set.
OWN_PARTS = (
    *("DATABASE_URL", "REDIS_URL", "PUBLIC_BASE_URL", "REMINDERS_SANDBOX", "REMINDERS_SANDBOX_URL"),
    *(setting.name for setting in SETTINGS if setting.name.startswith("TWILIO_")),
)


@dataclass(frozen=True)
class House:
    """A stack that is up, with the sample clinic in it."""

    stack: Stack
    password: str
    api_key: str

    @property
    def plan(self) -> Plan:
        """Its addresses and its environment."""
        return self.stack.plan

    def why(self, error: Exception) -> str:
        """Return the sentence of an error that stops a run, with what of the stack is down and may have caused it."""
        down = self.stack.not_running()
        return f"{error} Not running: {', '.join(down)}." if down else str(error)


def own_config() -> Config:
    """Return this shell's configuration with all outside parts taken out of it."""
    for name in OWN_PARTS:
        os.environ.pop(name, None)
    return read_config()


@contextmanager
def open_house(
    *,
    config: Config,
    data_dir: Path,
    say: Callable[[str], None],
    concurrency: int = 2,
    scheduler_count: int = 1,
    fast_database: bool = False,
) -> Iterator[House]:
    """Start a stack on an emptied `data_dir`; stop it and leave no process, however the block ends.

    `fast_database` waits for no disk: for runs that nobody cuts the power of. Raises `ConfigError` where the folder
    holds anything but an earlier rehearsal, or where one runs on it already.
    """
    places = Places(data_dir)
    _refuse_foreign(data_dir)
    places.make()
    alone = FolderLock(up_lock(places))  # kept until this process ends, however it ends
    if not alone.try_exclusive():
        raise ConfigError(
            f"A demo or simulation already runs on {data_dir}: wait for its end, or choose another --data-dir."
        )
    with one_at_a_time(places.locks / "transition"):
        stop_leftovers(places)
    _empty(places)
    if not config.secret_key:
        keep_secret(data_dir)
    if not config.media_keys:
        keep_media_key(data_dir)
    options = Options(
        port=0, sandbox_port=0, concurrency=concurrency, scheduler_count=scheduler_count, fast=fast_database
    )
    stack = Stack(make_plan(config=config, options=options, places=places), say=say)
    try:
        with one_at_a_time(places.locks / "transition"):
            stack.start_servers()
        stack.run_django("migrate", "--no-input", "--verbosity", "0")
        logins = json.loads(stack.run_django("seed_sample", "--json"))
        stack.start_programs()
        yield House(stack=stack, password=logins["password"], api_key=logins["api_key"])
    finally:
        # A second Ctrl-C must not leave half of it running.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda _number, _frame: None)
        stack.stop()
        alone.close()


def _refuse_foreign(data_dir: Path) -> None:
    """Refuse a folder that no rehearsal has made: it will be emptied."""
    if data_dir.exists() and not (data_dir / MARK).exists() and (not data_dir.is_dir() or any(data_dir.iterdir())):
        raise ConfigError(
            f"{data_dir} holds something else, and this command empties its folder: choose a new one with --data-dir."
        )


def _empty(places: Places) -> None:
    """Remove what an earlier run left; the locks stay, because one of them is held."""
    for entry in places.data_dir.iterdir():
        if entry == places.locks:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    places.make()
    (places.data_dir / MARK).touch()
