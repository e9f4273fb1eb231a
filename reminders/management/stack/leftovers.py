"""Clearing a data folder of what a killed stack left running."""

import signal

import psutil

from reminders.embedded.places import Places
from reminders.embedded.postgres import EmbeddedPostgres
from reminders.embedded.processes import stack_processes, stop_all
from reminders.embedded.valkey import EmbeddedValkey


def stop_leftovers(places: Places) -> int:
    """Stop every process of an earlier stack on this folder; return how many there were.

    The supervisor goes first and at once, or it would start the others again.
    """
    found = stack_processes(places.data_dir)
    stop_all([process for process in found if _is_supervisor(process)], number=signal.SIGKILL, patience_seconds=5)
    stop_all(stack_processes(places.data_dir), number=signal.SIGTERM, patience_seconds=4)
    parts = (EmbeddedValkey(places), EmbeddedPostgres(places))
    servers = sum(part.is_running() for part in parts)
    for part in parts:
        part.stop()
    return len(found) + servers


def _is_supervisor(process: psutil.Process) -> bool:
    try:
        return "supervisor.supervisord" in process.cmdline()
    except psutil.Error:
        return False
