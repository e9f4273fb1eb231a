"""Turning a checked command into the server it stands for."""

import os
import sys
from typing import NoReturn

from reminders.config import BASE_DIR, ConfigError, read_config
from reminders.embedded.attach import is_up
from reminders.embedded.places import Places


def become(module: str, *words: str) -> NoReturn:
    """Replace this process by `python -m module words`, once the configuration stands.

    The process keeps its number, so signals of a supervisor or a container reach the server itself. Where
    DATABASE_URL or REDIS_URL is missing, the embedded parts of a running `reminders up` are joined.
    Raises `ConfigError` where they are missing and nothing runs, or where settings are not complete.
    """
    join_running_parts()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reminders.settings")
    import reminders.settings  # noqa: F401 stops with one sentence here, before the server's own traceback

    # The checkout in front: `celeryconfig` lies at its top.
    path = os.pathsep.join(filter(None, [str(BASE_DIR), os.environ.get("PYTHONPATH", "")]))
    environment = os.environ | {"PYTHONPATH": path}
    os.execve(sys.executable, [sys.executable, "-m", module, *words], environment)  # noqa: S606 no shell is wanted


def join_running_parts() -> None:
    """See to it that DATABASE_URL and REDIS_URL are set, by joining a running `reminders up`; starts nothing.

    Raises `ConfigError` where one is missing and nothing runs.
    """
    config = read_config()
    if config.database_url and config.redis_url:
        return
    places = Places(config.data_dir)
    if not places.locks.exists() or not is_up(places):
        raise ConfigError("DATABASE_URL and REDIS_URL are not set: set both, or start everything with `reminders up`.")
    os.environ.setdefault("DATABASE_URL", places.database_url)
    os.environ.setdefault("REDIS_URL", places.redis_url)
