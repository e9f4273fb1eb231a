"""The Celery application: `celery -A reminders.celery worker`."""

import os
from importlib.util import find_spec
from typing import Any

from celery import Celery
from celery.signals import setup_logging

from reminders.config import read_config
from reminders.logs import configure_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reminders.settings")

# The capabilities that have tasks keep them in a module `tasks`.
CAPABILITIES = ("clinic", "content", "messaging", "escalations", "conversations", "insights")

app = Celery("reminders")
app.config_from_object("celeryconfig")
app.autodiscover_tasks(
    [f"reminders.{name}" for name in CAPABILITIES if find_spec(f"reminders.{name}.tasks")], related_name="tasks"
)


@setup_logging.connect
def keep_our_logging(**_signal: Any) -> None:
    """Stop Celery from configuring logging: connecting this signal is how it is told not to."""
    config = read_config()
    configure_logging(log_format=config.log_format, log_level=config.log_level)
