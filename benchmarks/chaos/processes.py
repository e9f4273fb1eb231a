"""Faults of the product's own processes: killed, frozen, restarted, too many, or on a host whose clock is wrong."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial, wraps
from typing import get_args

import psutil

from benchmarks.chaos import rows
from benchmarks.chaos.crowd import Wanted
from benchmarks.chaos.field import LOOK_AGAIN_SECONDS, SCHEDULER, SEND, URGENT, WEB, WORKERS, Field, kill, patiently
from reminders import clock
from reminders.core.states import MessageState
from reminders.messaging.crash_points import VARIABLE, Point

# Longer than either lease of the outbox.
FROZEN_SECONDS = 50.0
DOOMED_SECONDS = 20.0
SLOW_SECONDS = 0.3
# Further than any text of a wave is from being due, and than it is useful for.
WRONG_BY = timedelta(hours=5)
LATER = timedelta(minutes=15)
# The scheduler asks for a look at the carrier's list every ten seconds.
EVIDENCE_SECONDS = 30.0

Strike = Callable[[Field, str], None]


def on_a_slow_carrier(strike: Strike) -> Strike:
    """Let each answer take a while during a fault, so that something is under way when it strikes."""

    @wraps(strike)
    def struck(field: Field, name: str) -> None:
        with field.carrier_fault("delay", operation="messages.create", seconds=SLOW_SECONDS, processed=True):
            strike(field, name)

    return struck


def nothing(field: Field, name: str) -> None:
    """A quiet wave, to compare with."""
    field.open_wave(name)
    field.rest()


@on_a_slow_carrier
def kill_workers(field: Field, name: str) -> None:
    """Kill -9 of pool processes, and now and then of the whole worker, at random moments."""
    field.open_wave(name)
    while field.goes_on():
        victims = field.programs(SEND) + field.programs(URGENT)
        if victims:
            kill(field.rng.choice(victims))
        field.pause(0.3, 1.5)


def crash_points(field: Field, name: str) -> None:
    """One worker for each named point, started to die there; the usual ones stand still until all have died."""
    words = ("worker", "--queues", "urgent,send", "--concurrency", "1", "--name")
    doomed = [field.start(*words, f"doomed-{point}@%h", **{VARIABLE: point}) for point in get_args(Point)]
    while not all(psutil.Process(one.pid).children() for one in doomed if one.poll() is None):
        time.sleep(LOOK_AGAIN_SECONDS)
    usual = field.programs(SEND) + field.programs(URGENT)
    usual = [process for process in usual if "doomed" not in " ".join(process.cmdline())]
    try:
        with field.carrier_fault("delay", operation="messages.create", seconds=1.0):
            for process in usual:
                process.suspend()
            field.open_wave(name)
            deadline = time.monotonic() + DOOMED_SECONDS
            while any(one.poll() is None for one in doomed) and time.monotonic() < deadline:
                time.sleep(LOOK_AGAIN_SECONDS)
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
    field.wait_for_web()


def two_schedulers(field: Field, name: str) -> None:
    """Two more schedulers beside the usual one, claiming from the same rows."""
    more = [field.start("scheduler"), field.start("scheduler")]
    field.open_wave(name)
    field.rest()
    for one in more:
        _end(one)


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


@on_a_slow_carrier
def restart_one_by_one(field: Field, name: str) -> None:
    """A new version is rolled out under load: each program is asked to end and comes back, one after the other."""
    wave = field.open_wave(name)
    programs = [SCHEDULER, WORKERS, WEB]
    field.rng.shuffle(programs)
    for words in programs:
        now = patiently(clock.now)
        field.crowd.write(wave=wave, wanted=field.crowd.spread(texts=5, seconds=2, now=now), now=now)
        field.restart(words)
    field.rest()


def wrong_clocks(field: Field, name: str) -> None:
    """Every host's clock is wrong by hours, some ahead and some behind; only the database's is right.

    Among the texts are some that a clock that is ahead would send early, one that a clock that is behind would send
    stale, one that only the right clock knows to be due at night, and some whose answers only the carrier's list knows.
    """
    wrong = WRONG_BY.total_seconds()
    # Those that look for evidence are always ahead of the one that tells them to: that is the harder case.
    field.switch(
        {"words": SCHEDULER, "clock_seconds": -wrong},
        {"words": SEND, "clock_seconds": wrong * field.rng.choice((1, -1))},
        {"words": WORKERS, "clock_seconds": wrong},
        {"words": WEB, "clock_seconds": -wrong},
    )
    field.restart(SCHEDULER, WORKERS, WEB)
    wave = field.open_wave(name)
    now = patiently(clock.now)
    midnight = field.crowd.zone_at_night(now=now)
    field.add(wave, *[Wanted(due_at=now + LATER)] * 3)
    field.add(wave, Wanted(due_at=now - LATER, useful_for=LATER / 2), Wanted(due_at=now, zone=midnight))
    unheard = [field.crowd.write(wave=wave, wanted=[Wanted(due_at=now)], now=now)[0] for _ in range(2)]
    with contextlib.ExitStack() as rules:
        for text in unheard:
            rules.enter_context(field.carrier_fault("lost", operation="message.status", to=text.to_number))
            wish = {"operation": "messages.create", "to": text.to_number, "processed": True}
            rules.enter_context(field.carrier_fault("error", **wish))
        field.rest()
        _wait_for_evidence(field, [text.pk for text in unheard])
    field.switch()
    field.restart(SCHEDULER, WORKERS, WEB)


def _wait_for_evidence(field: Field, ids: list[int]) -> None:
    deadline = time.monotonic() + EVIDENCE_SECONDS
    unsettled = (*rows.UNSENT, MessageState.SENDING, MessageState.AMBIGUOUS)
    while patiently(lambda: rows.is_anything_in_state(ids, *unsettled)):
        if time.monotonic() > deadline:
            field.find_wrong(
                f"while hosts' clocks are wrong, the carrier's list settles nothing within {EVIDENCE_SECONDS:g} s"
            )
            return
        time.sleep(LOOK_AGAIN_SECONDS)


def _thaw(process: psutil.Process) -> None:
    with contextlib.suppress(psutil.Error):
        process.resume()


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
