"""Starting the embedded parts for one command, or joining the ones that run already."""

import atexit
import os
import time
from pathlib import Path

from reminders.config import ConfigError, read_config
from reminders.embedded.locks import FolderLock, one_at_a_time
from reminders.embedded.places import Places
from reminders.embedded.postgres import EmbeddedPostgres
from reminders.embedded.processes import lives, start_on_its_own
from reminders.embedded.valkey import EmbeddedValkey
from reminders.secret import keep_media_key, keep_secret

START_SECONDS = 30.0

Part = EmbeddedPostgres | EmbeddedValkey


def provide(*, data_dir: Path | None = None, fast: bool = False) -> None:
    """See to it that DATABASE_URL and REDIS_URL are set in this process's environment, before settings are imported.

    What is set already stays. Otherwise the embedded server of the data folder is joined, or started and then stopped
    when the last process that uses it ends. `fast` starts PostgreSQL without durability, for tests.
    Raises `ConfigError` where the folder cannot be used or a server does not start.
    """
    config = read_config()
    places = Places(data_dir or config.data_dir)
    parts: list[Part] = []
    if not config.database_url:
        parts.append(EmbeddedPostgres(places, fast=fast))
    if not config.redis_url:
        parts.append(EmbeddedValkey(places))
    if not parts:
        return
    places.make()
    keep_secret(places.data_dir)
    keep_media_key(places.data_dir)
    use(parts, places=places)
    if not config.database_url:
        os.environ["DATABASE_URL"] = places.database_url
    if not config.redis_url:
        os.environ["REDIS_URL"] = places.redis_url


def use(parts: list[Part], *, places: Places) -> None:
    """Join or start `parts`, and stop them when this process ends unless others still use them."""
    users = FolderLock(users_lock(places))
    with one_at_a_time(places.locks / "transition"):
        users.try_shared()
        for part in parts:
            if part.is_ready():
                continue
            if is_up(places):
                # Its supervisor is starting the part again after a crash; a second server would get in its way.
                _wait_until_ready(part)
            else:
                start_detached(part, places=places)
    owner = os.getpid()

    def leave() -> None:
        if os.getpid() != owner:
            return
        with one_at_a_time(places.locks / "transition"):
            if users.try_exclusive() and not is_up(places):
                for part in reversed(parts):
                    part.stop()
            users.close()

    atexit.register(leave)


def start_detached(part: Part, *, places: Places) -> None:
    """Start one part in the background and wait until it answers. Raises `ConfigError` with its last log line."""
    part.stop()
    part.prepare()
    log = places.logs / f"{part.program}.log"
    server = start_on_its_own(part.command(), folder=part.folder, log=log, user=part.user)
    deadline = time.monotonic() + START_SECONDS
    while not part.is_ready():
        if server is None or not lives(server) or time.monotonic() > deadline:
            last = (log.read_text(errors="replace").strip().splitlines() or ["no message"])[-1]
            raise ConfigError(f"The embedded {part.program} did not start; its log {log} ends with: {last}")
        time.sleep(0.02)


def _wait_until_ready(part: Part) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not part.is_ready():
        if time.monotonic() > deadline:
            raise ConfigError(f"The running stack's {part.program} does not answer: stop `reminders up` and start it.")
        time.sleep(0.05)


def users_lock(places: Places) -> Path:
    """The lock that every command shares while it uses the embedded parts."""
    return places.locks / "users"


def up_lock(places: Places) -> Path:
    """The lock that `reminders up` holds alone."""
    return places.locks / "up"


def is_up(places: Places) -> bool:
    """True while `reminders up` runs on this data folder."""
    lock = FolderLock(up_lock(places))
    try:
        return not lock.try_exclusive()
    finally:
        lock.close()
