"""The Celery application: `celery -A reminders.celery worker`."""

import gc
import os
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from celery import Celery
from celery.signals import (
    celeryd_after_setup,
    heartbeat_sent,
    setup_logging,
    worker_before_create_process,
    worker_init,
    worker_ready,
    worker_shutdown,
)

from reminders.config import read_config
from reminders.logs import configure_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reminders.settings")

# The capabilities that have tasks keep them in a module `tasks`.
CAPABILITIES = ("clinic", "content", "messaging", "escalations", "conversations", "insights")

if TYPE_CHECKING:
    from reminders.insights.heartbeats import Pulse

app = Celery("reminders", fixups=["reminders.celery_database:fixup"])
app.config_from_object("celeryconfig")
app.autodiscover_tasks(
    [f"reminders.{name}" for name in CAPABILITIES if find_spec(f"reminders.{name}.tasks")], related_name="tasks"
)


@setup_logging.connect
def keep_our_logging(**_signal: Any) -> None:
    """Stop Celery from configuring logging: connecting this signal is how it is told not to."""
    config = read_config()
    configure_logging(log_format=config.log_format, log_level=config.log_level)


# Young objects between two looks for garbage. A batch makes some ten thousand, hardly any of them garbage: with the
# 700 of Python itself the looks took a tenth of the time.
YOUNG_OBJECTS = 10_000


@worker_init.connect
def look_for_garbage_less_often(**_signal: Any) -> None:
    """Before any process of the pool is made, so that all inherit it."""
    gc.set_threshold(YOUNG_OBJECTS, *gc.get_threshold()[1:])


@celeryd_after_setup.connect
def learn_the_words(instance: Any, **_signal: Any) -> None:
    """Load what replies are read by before any process is made: seconds of a busy processor that a text would wait."""
    if "think" in instance.app.amqp.queues.consume_from:
        from reminders.core.understanding import read

        read("ready")


@worker_before_create_process.connect
@worker_ready.connect
def keep_what_is_loaded(**_signal: Any) -> None:
    """Take what is loaded by now out of every later look for garbage; the pool's processes then go on sharing it."""
    gc.collect()
    gc.freeze()


_pulses: "list[Pulse]" = []


@worker_ready.connect
def begin_heartbeat(sender: Any, **_signal: Any) -> None:
    """Say which queues this group of workers serves, from now on."""
    from reminders.insights.heartbeats import WORKER, Pulse

    queues = sorted(app.amqp.queues.consume_from)
    _pulses[:] = [Pulse(kind=WORKER, duties=queues, name=sender.hostname)]
    keep_heartbeat()


@heartbeat_sent.connect
def keep_heartbeat(**_signal: Any) -> None:
    """Write the heartbeat from the loop that takes tasks from the broker: a worker that cannot take any falls silent.

    The connection is closed each time, so that no child forked later inherits it.
    """
    from django.db import connection

    for pulse in _pulses:
        if pulse.is_due():
            pulse.beat()
            connection.close()


@worker_shutdown.connect
def end_heartbeat(**_signal: Any) -> None:
    """Take the rows along."""
    from django.db import connection

    for pulse in _pulses:
        pulse.end()
        connection.close()
    _pulses.clear()
