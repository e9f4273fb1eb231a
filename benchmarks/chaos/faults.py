"""The faults by name: those that come one after the other, those that may be there at once, and the two nights."""

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack

from benchmarks.chaos import carriers, nights, processes, rows, stores
from benchmarks.chaos.field import LOOK_AGAIN_SECONDS, Field, patiently
from benchmarks.chaos.processes import Strike
from benchmarks.chaos.races import race_the_commit_point
from reminders import clock

# Of all waves that become due at once: what two cores send easily while creates hang.
TEXTS_PER_SECOND = 100.0
FIRST_TRIES_SECONDS = 20.0
# A create that hangs holds up the texts of other waves in its batch, so that fault comes after the others.
HOLDING_UP = ("carrier-hang",)

ALONE: Mapping[str, Strike] = {
    "none": processes.nothing,
    "worker-freeze": processes.freeze_worker,
    "worker-kill": processes.kill_workers,
    "crash-points": processes.crash_points,
    "scheduler-kill": processes.kill_schedulers,
    "two-schedulers": processes.two_schedulers,
    "web-kill": processes.kill_web,
    "rolling-restart": processes.restart_one_by_one,
    "host-clocks": processes.wrong_clocks,
    "tasks-five-times": stores.deliver_often,
    "broker-flush": stores.flush_broker,
    "broker-kill": stores.kill_broker,
    "broker-pause": stores.pause_broker,
    "db-cut": stores.cut_database,
    "db-kill": stores.kill_database,
    "carrier-20003": carriers.stop_account,
    "stop-races": race_the_commit_point,
}
# After everything else has come to its end: they move the clock by months.
NIGHTS: Mapping[str, Strike] = {"clocks-spring": nights.spring, "clocks-autumn": nights.autumn}

TOGETHER: Mapping[str, carriers.Together] = carriers.TOGETHER

NAMES = (*ALONE, *TOGETHER, *NIGHTS)


def strike_alone(field: Field, name: str) -> None:
    """Let one fault strike its wave, and wait until the wave is over."""
    {**ALONE, **NIGHTS}[name](field, name)
    field.end_waves()


def strike_together(field: Field, names: Sequence[str]) -> None:
    """Let several faults of the carrier strike at once, each its own wave, until each text has met its fault."""
    first = len(field.waves)
    usual = field.wave_seconds
    field.wave_seconds = max(usual, len(names) * field.texts_per_wave / TEXTS_PER_SECOND)
    with ExitStack() as faults:
        for name in names:
            faults.enter_context(TOGETHER[name](field, name))
        field.rest()
        ids = [text.pk for wave in field.waves[first:] for text in wave.texts]
        deadline = time.monotonic() + FIRST_TRIES_SECONDS
        while patiently(lambda: rows.is_anything_untried(ids, now=clock.now())) and time.monotonic() < deadline:
            time.sleep(LOOK_AGAIN_SECONDS)
    field.wave_seconds = usual
    field.end_waves()
