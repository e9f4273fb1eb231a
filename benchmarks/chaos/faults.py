"""The faults, each as a function that opens its wave and breaks something until the wave is over."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import get_args

import psutil
import psycopg
import redis
from django.db import OperationalError, connections, transaction
from kombu.exceptions import KombuError

from benchmarks.chaos.field import Field, kill
from reminders.clinic.models import AuditEvent, ConsentRecord
from reminders.clinic.services import void_treatment_session
from reminders.messaging.cancelling import take_back
from reminders.messaging.crash_points import VARIABLE, Point
from reminders.messaging.models import Kind, Message
from reminders.messaging.tasks import send_batch

SEND, THINK, SCHEDULER, WEB = "-Q send", "-Q think,tidy", "management scheduler", "gunicorn reminders.wsgi"
# Longer than either lease of the outbox.
FROZEN_SECONDS = 50.0
DOOMED_SECONDS = 20.0
COPIES = 4
STOP_AROUND_SECONDS = 0.3
SLOW_SECONDS = 0.3

Strike = Callable[[Field, str], None]


def on_a_slow_carrier(strike: Strike) -> Strike:
    """Let each create take a while during a fault, so that something is under way when it strikes."""

    def struck(field: Field, name: str) -> None:
        with field.carrier_fault("delay", operation="messages.create", seconds=SLOW_SECONDS):
            strike(field, name)

    return struck


@on_a_slow_carrier
def kill_workers(field: Field, name: str) -> None:
    """Kill -9 of pool processes, and now and then of the whole worker, at random moments."""
    field.open_wave(name)
    while field.goes_on():
        victims = field.programs(SEND)
        if victims:
            kill(field.rng.choice(victims))
        field.pause(0.3, 1.5)


def crash_points(field: Field, name: str) -> None:
    """One worker for each named point, started to die there; the usual ones stand still until all have died."""
    words = ("worker", "--queues", "send", "--concurrency", "1", "--name")
    doomed = [field.start(*words, f"doomed-{point}@%h", **{VARIABLE: point}) for point in get_args(Point)]
    while not all(psutil.Process(one.pid).children() for one in doomed if one.poll() is None):
        time.sleep(0.1)
    usual = field.programs(SEND)
    usual = [process for process in usual if "doomed" not in " ".join(process.cmdline())]
    try:
        with field.carrier_fault("delay", operation="messages.create", seconds=1.0):
            for process in usual:
                process.suspend()
            field.open_wave(name)
            deadline = time.monotonic() + DOOMED_SECONDS
            while any(one.poll() is None for one in doomed) and time.monotonic() < deadline:
                time.sleep(0.1)
        field.say(f"{sum(one.poll() == -signal.SIGKILL for one in doomed)} of {len(doomed)} died at their points")
    finally:
        for process in usual:
            with contextlib.suppress(psutil.Error):
                process.resume()
        for one in doomed:
            _end(one)
    field.rest()


@on_a_slow_carrier
def kill_schedulers(field: Field, name: str) -> None:
    """Kill -9 of the scheduler as soon as it is back."""
    field.open_wave(name)
    while field.goes_on():
        kill(field.leader(SCHEDULER))
        field.pause(0.5, 2.0)


def kill_web(field: Field, name: str) -> None:
    """Kill -9 of the web process: callbacks find nobody."""
    field.open_wave(name)
    while field.goes_on():
        for process in field.programs(WEB):
            kill(process)
        field.pause(0.5, 2.0)


@on_a_slow_carrier
def flush_broker(field: Field, name: str) -> None:
    """FLUSHALL, again and again: tasks are gone between publishing and running."""
    field.open_wave(name)
    while field.goes_on():
        with contextlib.suppress(redis.RedisError):
            field.broker().flushall()
        field.pause(0.02, 0.4)


@on_a_slow_carrier
def kill_broker(field: Field, name: str) -> None:
    """Kill -9 of the broker; it comes back empty."""
    field.open_wave(name)
    while field.goes_on():
        kill(field.leader("valkey-server"))
        field.pause(1.0, 3.0)


def pause_broker(field: Field, name: str) -> None:
    """The broker stands still: connections stay, answers do not come."""
    field.open_wave(name)
    broker = field.leader("valkey-server")
    if broker is not None:
        broker.suspend()
    field.rest()
    if broker is not None:
        with contextlib.suppress(psutil.Error):
            broker.resume()


def two_schedulers(field: Field, name: str) -> None:
    """Two more schedulers beside the usual one, claiming from the same rows."""
    more = [field.start("scheduler"), field.start("scheduler")]
    field.open_wave(name)
    field.rest()
    for one in more:
        _end(one)


def double_tasks(field: Field, name: str) -> None:
    """Every send task is published several times more, before, while and after it runs."""
    wave = field.open_wave(name)
    while field.goes_on():
        now = datetime.now(UTC)
        near = [text for text in wave.texts if abs((text.due_at - now).total_seconds()) < 1.0]
        for _copy in range(COPIES):
            with contextlib.suppress(KombuError, OSError):
                if near:
                    send_batch.delay([[text.pk, 1] for text in field.rng.sample(near, len(near))])
        field.pause(0.1, 0.3)


@on_a_slow_carrier
def cut_database(field: Field, name: str) -> None:
    """pg_terminate_backend of every connection but our own."""
    field.open_wave(name)
    while field.goes_on():
        with (
            contextlib.suppress(psycopg.Error),
            psycopg.connect(field.house.plan.environment["DATABASE_URL"], autocommit=True) as server,
        ):
            server.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            )
        field.pause(0.05, 0.5)
    connections.close_all()


@on_a_slow_carrier
def kill_database(field: Field, name: str) -> None:
    """Kill -9 of PostgreSQL under load; it recovers from its log."""
    field.open_wave(name)
    field.pause(0.5, 1.5)
    kill(field.database_leader())
    field.rest()
    connections.close_all()


@on_a_slow_carrier
def freeze_worker(field: Field, name: str) -> None:
    """SIGSTOP of one busy pool process; it is thawed only after its lease has ended."""
    field.open_wave(name)
    field.pause(0.8, 1.2)
    leader = field.leader(SEND)
    children = leader.children() if leader else []
    frozen = field.rng.choice(children) if children else None
    if frozen is not None:
        frozen.suspend()
        thaw = threading.Timer(FROZEN_SECONDS, partial(_thaw, frozen))
        thaw.start()
        field.later.append(thaw)
    field.rest()


def race_the_commit_point(field: Field, name: str) -> None:
    """STOP, void and cancel of each row at about the moment at which it leaves."""
    wave = field.open_wave(name)
    with ThreadPoolExecutor(max_workers=4) as hands:
        for text in wave.texts:
            at = text.due_at.timestamp() + field.rng.uniform(-STOP_AROUND_SECONDS, STOP_AROUND_SECONDS)
            # An emergency answer is no part of the course that a void takes back.
            way = field.rng.choice((_stop, _void, _cancel) if text.kind == Kind.ADVICE else (_stop, _cancel))
            hands.submit(_at_the_moment, field, way, text, at)
    field.rest()


def carrier_fault(field: Field, name: str, *, effect: str, **wish: object) -> None:
    """One of the carrier's own faults, on requests or on callbacks, by chance."""
    wish = {"operation": "messages.create", "probability": 0.4, "seed": field.rng.randrange(10**6), **wish}
    with field.carrier_fault(effect, **wish):
        field.open_wave(name)
        field.rest()


def blind(field: Field, name: str) -> None:
    """500 after processing, and no callback ever: only the carrier's own list can tell."""
    with field.carrier_fault("lost", operation="message.status"):
        carrier_fault(field, name, effect="error", processed=True, probability=0.6)


def nothing(field: Field, name: str) -> None:
    """A quiet wave, to compare with."""
    field.open_wave(name)
    field.rest()


def _at_the_moment(field: Field, way: Callable[[Field, Message], None], text: Message, at: float) -> None:
    time.sleep(max(0.0, at - time.time()))
    try:
        way(field, text)
        field.taken_back[text.pk] = time.time()
    except (ValueError, OSError, OperationalError) as error:
        field.say(f"{way.__name__} of row {text.pk} did not happen: {error}")
    finally:
        connections.close_all()


def _stop(field: Field, text: Message) -> None:
    field.carrier.text(sender=text.to_number, to=text.sender.number, body="STOP")
    if not ConsentRecord.objects.filter(number=text.to_number, decision=ConsentRecord.Decision.REVOKED).exists():
        raise ValueError("the product did not take the STOP, and the carrier was told so")


def _void(_field: Field, text: Message) -> None:
    visit = text.treatment_session
    if visit is not None:
        void_treatment_session(treatment_session=visit, actor=AuditEvent.Actor.SYSTEM, now=datetime.now(UTC))


def _cancel(_field: Field, text: Message) -> None:
    with transaction.atomic():
        take_back(Message.objects.filter(pk=text.pk), reason="chaos", now=datetime.now(UTC))


def _thaw(process: psutil.Process) -> None:
    with contextlib.suppress(psutil.Error):
        process.resume()


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _callback(effect: str, *, seconds: float = 0.0) -> Strike:
    return partial(carrier_fault, effect=effect, operation="message.status", probability=0.7, seconds=seconds)


FAULTS: Mapping[str, Strike] = {
    "none": nothing,
    "worker-freeze": freeze_worker,
    "worker-kill": kill_workers,
    "crash-points": crash_points,
    "scheduler-kill": kill_schedulers,
    "two-schedulers": two_schedulers,
    "web-kill": kill_web,
    "tasks-doubled": double_tasks,
    "broker-flush": flush_broker,
    "broker-kill": kill_broker,
    "broker-pause": pause_broker,
    "db-cut": cut_database,
    "db-kill": kill_database,
    "carrier-500-before": partial(carrier_fault, effect="error"),
    "carrier-500-after": partial(carrier_fault, effect="error", processed=True),
    "carrier-500-blind": blind,
    "carrier-reset": partial(carrier_fault, effect="reset"),
    "carrier-reset-after": partial(carrier_fault, effect="reset", processed=True),
    "carrier-hang": partial(carrier_fault, effect="hang", probability=0.15),
    "carrier-truncate": partial(carrier_fault, effect="truncate"),
    "carrier-429": partial(carrier_fault, effect="too_many", probability=0.7, retry_after=2),
    "callbacks-late": _callback("late", seconds=3.0),
    "callbacks-doubled": _callback("doubled"),
    "callbacks-reordered": _callback("reordered"),
    "callbacks-lost": _callback("lost"),
    "callbacks-forged": _callback("forged"),
    "stop-races": race_the_commit_point,
}
