"""What the web server reads at its start: its own few events go into the same lines as the product's."""

import gc
from typing import Any

from gunicorn.glogging import Logger  # type: ignore[import-untyped]

from reminders.config import read_config
from reminders.logs import logging_settings

_config = read_config()

logconfig_dict = logging_settings(log_format=_config.log_format, log_level=_config.log_level)


class WithoutAccessLines(Logger):  # type: ignore[misc]  # untyped library
    """Access lines are the proxy's; with settings of its own for logging, the server would still make each of them."""

    def access(self, *_: Any) -> None:
        """Do nothing."""


logger_class = WithoutAccessLines


def when_ready(_server: object) -> None:
    """Right before the processes are forked: what is loaded by now is shared by all, and never garbage."""
    gc.collect()
    gc.freeze()
