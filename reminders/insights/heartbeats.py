"""Signs of life: each process says in a row, every few seconds, that it is at its duty.

All on the database's unmoved time: moving the product's clock neither ages nor revives a process. A process that ends
in order takes its rows along; what a killed one leaves is swept.
"""

import os
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog
from django.db import DatabaseError
from django.db.models import Count, ExpressionWrapper, F, Max, Q
from django.db.models.fields import DurationField
from django.db.models.functions import Now

from reminders.insights.models import Heartbeat
from reminders.logs import place_of

SCHEDULER: Final = "scheduler"
WORKER: Final = "worker"

EVERY_SECONDS: Final = 5.0
FRESH_SECONDS: Final = 30.0
"""A duty that nobody was seen at for so long is not being done: six beats have failed."""
KEPT: Final = timedelta(hours=1)

DUTIES: Final = (
    (SCHEDULER, "dispatch"),
    (SCHEDULER, "chores"),
    (WORKER, "urgent"),
    (WORKER, "send"),
    (WORKER, "think"),
    (WORKER, "tidy"),
)
"""What has to be done by somebody at any time: the scheduler's two threads, and the queues."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Duty:
    """One duty: how many processes are at it, and how long ago the last of them was seen (None: never)."""

    kind: str
    duty: str
    alive: int
    age_seconds: float | None


def process_name() -> str:
    """Return the name of this process among all on all hosts."""
    return f"{socket.gethostname()}:{os.getpid()}"


class Pulse:
    """The heartbeat of one process for some of its duties. It never fails: a missing beat is seen by its absence."""

    def __init__(self, *, kind: str, duties: Sequence[str], name: str) -> None:
        self._rows = [(kind, duty, name[:200]) for duty in duties]
        self._next_at = 0.0

    def is_due(self) -> bool:
        """Tell whether the last beat was long enough ago for the next."""
        return time.monotonic() >= self._next_at

    def beat(self) -> None:
        """Say that this process is at its duties, unless it said so a moment ago."""
        if not self.is_due():
            return
        self._next_at = time.monotonic() + EVERY_SECONDS
        rows = [Heartbeat(kind=kind, duty=duty, name=name, seen_at=Now()) for kind, duty, name in self._rows]
        try:
            Heartbeat.objects.bulk_create(
                rows, update_conflicts=True, unique_fields=["kind", "duty", "name"], update_fields=["seen_at"]
            )
        except DatabaseError as error:
            log.warning("heartbeat_not_written", kind=type(error).__name__, where=place_of(error))

    def end(self) -> None:
        """Take the rows along: this process ends in order and is not missed."""
        try:
            for kind, duty, name in self._rows:
                Heartbeat.objects.filter(kind=kind, duty=duty, name=name).delete()
        except DatabaseError as error:
            log.warning("heartbeat_not_ended", kind=type(error).__name__, where=place_of(error))


def sweep_heartbeats() -> int:
    """Remove what processes left that were killed long ago; return how many rows."""
    removed, _by_model = Heartbeat.objects.filter(seen_at__lt=Now() - KEPT).delete()
    return removed


def duties(*, host: str = "") -> list[Duty]:
    """Return every duty that somebody has to be at, in the order of `DUTIES`; with `host`, as done on that host."""
    fresh = Q(seen_at__gte=Now() - timedelta(seconds=FRESH_SECONDS))
    rows = Heartbeat.objects.all()
    if host:
        # A scheduler is host:number, a worker name@host.
        rows = rows.filter(Q(name__startswith=f"{host}:") | Q(name__endswith=f"@{host}"))
    seen = {
        (row["kind"], row["duty"]): Duty(row["kind"], row["duty"], row["alive"], row["age"].total_seconds())
        for row in rows.values("kind", "duty")
        .annotate(alive=Count("id", filter=fresh), last=Max("seen_at"))
        .annotate(age=ExpressionWrapper(Now() - F("last"), output_field=DurationField()))
    }
    return [seen.get((kind, duty)) or Duty(kind, duty, 0, None) for kind, duty in DUTIES]
