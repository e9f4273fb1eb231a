"""`reminders scheduler`: hands due work to the workers. Any number may run; claims keep them from each other's rows."""

import signal
import threading
from types import FrameType

import click

from reminders.management.django_setup import set_up_django


@click.command()
def scheduler() -> None:
    """Claim what is due and hand it to the workers, until told to stop."""
    set_up_django()
    from reminders.management.scheduler_loop import run

    stop = threading.Event()

    def stop_soon(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, stop_soon)
    signal.signal(signal.SIGINT, stop_soon)
    run(stop=stop)
