"""The scheduler's loop: wait until something is due or announced, claim it, hand it on; look after the rest.

It keeps no state: killed at any moment, the next one finds everything in the rows.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg
import structlog
from django.conf import settings
from django.db import close_old_connections, connection, connections

from reminders import clock
from reminders.console.import_files import forget_old
from reminders.conversations.check_ins import open_asked_check_ins
from reminders.conversations.inbound import unread
from reminders.conversations.pictures import overdue_pictures
from reminders.conversations.silence import close_silent
from reminders.conversations.tasks import fetch_picture, read_texts
from reminders.conversations.whose_window import close_whose
from reminders.escalations.services import ring_due
from reminders.insights.heartbeats import SCHEDULER, Pulse, process_name, sweep_heartbeats
from reminders.logs import place_of
from reminders.messaging.claimed import Held
from reminders.messaging.gathering import QUEUE as PLAN_QUEUE
from reminders.messaging.history import look_after_history
from reminders.messaging.outbox import (
    CAPACITY,
    claim_due,
    claim_urgent,
    expire_overdue,
    give_back,
    look,
    next_turn_in,
    sweep_leases,
)
from reminders.messaging.reachability import note_reached_phones
from reminders.messaging.reconcile import is_look_due
from reminders.messaging.second_attempts import make_second_attempts
from reminders.messaging.sweeps import next_due_at, unplanned
from reminders.messaging.tasks import find_receipts, plan_sessions, reconcile, send_batch

log = structlog.get_logger(__name__)

LONGEST_WAIT_SECONDS = 1.0
# While something is due that senders' pace or busy workers hold back, the next look is no sooner than this.
SHORTEST_WAIT_SECONDS = 0.02
AFTER_FAILURE_SECONDS = 2.0
CHORES_EVERY_SECONDS = 0.25
# A chore that is under way when the end comes may finish; whatever it leaves, the next scheduler finds.
JOIN_SECONDS = 5.0
RECONCILE_EVERY_SECONDS = 5
FIND_RECEIPTS_EVERY_SECONDS = 30
SECOND_ATTEMPTS_EVERY_SECONDS = 30
REACHED_PHONES_EVERY_SECONDS = 60
SWEEP_HEARTBEATS_EVERY_SECONDS = 600
HISTORY_EVERY_SECONDS = 300
FORGET_IMPORTS_EVERY_SECONDS = 60
# An emergency has workers of its own, and shares its task with few: a request that hangs holds up nobody else's.
URGENT_QUEUE, URGENT_BATCH = "urgent", 5
SEND_QUEUE, BATCH = "send", 100


@dataclass(slots=True)
class Chore:
    """Something to look after every so often, on this process's own steady clock."""

    name: str
    every_seconds: float
    run: Callable[[datetime], object]
    next_at: float = 0.0


def _plan_missed(now: datetime) -> None:
    missed = unplanned(now=now)
    if missed:
        plan_sessions.apply_async((missed,), queue=PLAN_QUEUE)


def _read_missed(now: datetime) -> None:
    for inbound_id in unread(now=now):
        read_texts.delay(inbound_id)


def _fetch_missed(now: datetime) -> None:
    for picture_id in overdue_pictures(now=now):
        fetch_picture.delay(picture_id)


def _reconcile(now: datetime) -> None:
    # In a worker, where a carrier that hangs holds nobody up. However many of these run, each look is taken once.
    if is_look_due(now=now):
        reconcile.apply_async(queue="tidy")


def _look_after_history(now: datetime) -> None:
    look_after_history(now=now, keep_months=settings.HISTORY_MONTHS)


def chores() -> list[Chore]:
    """Return the chores of one scheduler, each with its pace."""
    return [
        Chore("open_check_ins", 1, lambda now: open_asked_check_ins(now=now)),
        Chore("ring_ladders", 1, lambda now: ring_due(now=now)),
        Chore("close_silent", 2, lambda now: close_silent(now=now)),
        Chore("close_whose", 10, lambda now: close_whose(now=now)),
        Chore("sweep_leases", 2, lambda now: sweep_leases(now=now)),
        Chore("expire_overdue", 5, lambda now: expire_overdue(now=now)),
        Chore("read_missed", 3, _read_missed),
        Chore("fetch_missed", 5, _fetch_missed),
        Chore("plan_missed", 5, _plan_missed),
        Chore("reconcile", RECONCILE_EVERY_SECONDS, _reconcile),
        Chore("find_receipts", FIND_RECEIPTS_EVERY_SECONDS, lambda _now: find_receipts.apply_async(queue="tidy")),
        Chore("history", HISTORY_EVERY_SECONDS, _look_after_history),
        Chore("second_attempts", SECOND_ATTEMPTS_EVERY_SECONDS, lambda now: make_second_attempts(now=now)),
        Chore("reached_phones", REACHED_PHONES_EVERY_SECONDS, lambda now: note_reached_phones(now=now)),
        Chore("forget_imports", FORGET_IMPORTS_EVERY_SECONDS, lambda now: forget_old(now=now)),
        Chore("sweep_heartbeats", SWEEP_HEARTBEATS_EVERY_SECONDS, lambda _now: sweep_heartbeats()),
    ]


def run(*, stop: threading.Event) -> None:
    """Loop until `stop` is set. A failure of the database, the broker or one chore is logged and tried again.

    The chores have a thread of their own: opening a thousand check-ins must not hold back one emergency answer, and a
    broker that is away must not hold back the chores.
    """
    looking_after = threading.Thread(target=_look_after, args=(stop,), name="chores", daemon=True)
    looking_after.start()
    # Each thread speaks for itself: one that hangs falls silent, whatever the other does.
    pulse = Pulse(kind=SCHEDULER, duties=["dispatch"], name=process_name())
    listener: psycopg.Connection | None = None
    while not stop.is_set():
        try:
            close_old_connections()
            listener = listener or _listen()
            wait_seconds = dispatch_due(now=clock.now())
            pulse.beat()
            _wait(listener, wait_seconds)
        except Exception as error:  # noqa: BLE001  # the loop must outlive everything
            log.error("scheduler_failed", kind=type(error).__name__, where=place_of(error))
            _close(listener)
            listener = None
            stop.wait(AFTER_FAILURE_SECONDS)
    _close(listener)
    pulse.end()
    looking_after.join(JOIN_SECONDS)


def _look_after(stop: threading.Event) -> None:
    todo = chores()
    pulse = Pulse(kind=SCHEDULER, duties=["chores"], name=process_name())
    try:
        while not stop.wait(CHORES_EVERY_SECONDS):
            close_old_connections()
            do_chores(todo)
            pulse.beat()
        pulse.end()
    finally:
        connections.close_all()


def dispatch_due(*, now: datetime) -> float:
    """Claim what is due and publish it in batches; return for how many seconds nothing more will be due.

    Where nothing is due, that is all it asks the database. What cannot be published is given back at once, so that a
    broken broker does not cost a lease; then the broker's error is raised. A batch that was published all the same
    finds its rows gone and does nothing.
    """
    standing = look(now=now)
    if standing.next_due_at is None or standing.next_due_at > now:
        return _seconds_until(standing.next_due_at, now)
    if standing.is_urgent_due:
        _publish(claim_urgent(now=now), URGENT_QUEUE, URGENT_BATCH, now)
    # In large bites: a claim costs what it looks at, and workers have enough to do meanwhile.
    has_room = standing.held < CAPACITY // 2
    held = claim_due(now=now) if has_room else []
    _publish(held, SEND_QUEUE, BATCH, now)
    if held or not has_room:
        return SHORTEST_WAIT_SECONDS
    turn_in = next_turn_in(now=now)
    if turn_in is None:
        # All that is due is held with its sender, or nothing is left.
        return _seconds_until(next_due_at(after=now), now)
    return max(SHORTEST_WAIT_SECONDS, turn_in)


def _publish(held: Sequence[Held], queue: str, size: int, now: datetime) -> None:
    for start in range(0, len(held), size):
        try:
            batch = [[one.id, one.fence] for one in held[start : start + size]]
            send_batch.apply_async((batch,), queue=queue)
        except Exception:
            give_back(held=held[start:], now=now)
            raise


def _seconds_until(due_at: datetime | None, now: datetime) -> float:
    return (due_at - now) / timedelta(seconds=1) if due_at else LONGEST_WAIT_SECONDS


def do_chores(todo: Sequence[Chore]) -> None:
    """Run the chores whose time has come, each on its own."""
    steady = time.monotonic()
    for chore in todo:
        if steady < chore.next_at:
            continue
        chore.next_at = steady + chore.every_seconds
        try:
            chore.run(clock.now())
        except Exception as error:  # noqa: BLE001  # one broken chore must not stop the others, nor the sending
            log.error("chore_failed", chore=chore.name, kind=type(error).__name__, where=place_of(error))


def _listen() -> psycopg.Connection:
    """Open a connection of its own for announcements: it idles between them and costs the database nothing."""
    parameters = connection.get_connection_params()
    parameters.pop("cursor_factory", None)
    parameters.pop("context", None)
    listener = psycopg.connect(**parameters, autocommit=True)
    listener.execute("LISTEN reminders_outbox")
    return listener


def _wait(listener: psycopg.Connection, seconds: float) -> None:
    for _announcement in listener.notifies(timeout=min(LONGEST_WAIT_SECONDS, max(0.0, seconds)), stop_after=1):
        break


def _close(listener: psycopg.Connection | None) -> None:
    if listener is not None:
        listener.close()
