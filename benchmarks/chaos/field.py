"""The running stack as whoever breaks it sees it: its processes, its broker, its database, its carrier, and time."""

import contextlib
import random
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

import psutil
import redis
from django.db import DatabaseError, InterfaceError, connections

from benchmarks.chaos.crowd import Crowd, Wave
from reminders import clock
from reminders.config import BASE_DIR
from reminders.core.states import MessageState
from reminders.embedded.places import Places
from reminders.embedded.processes import servers_in, stack_processes
from reminders.management.demo.carrier import CarrierControl
from reminders.management.demo.house import House
from reminders.management.stack.plan import reminders_command
from reminders.messaging.models import Message

DATABASE_BACK_SECONDS = 60.0
LOOK_AGAIN_SECONDS = 0.1
# A text that was refused waits 10 s and a little.
CALM_SECONDS = 12.0
Found = TypeVar("Found")


class ChaosError(Exception):
    """The run itself could not go on. The message is a sentence."""


@dataclass
class Field:
    """Everything a fault may lay hands on."""

    house: House
    carrier: CarrierControl
    crowd: Crowd
    rng: random.Random
    texts_per_wave: int
    wave_seconds: float
    say: Callable[[str], None]
    waves: list[Wave] = field(default_factory=list)
    taken_back: dict[int, float] = field(default_factory=dict)
    """When the STOP, cancel or void of a row had committed at the latest, as a timestamp, by the row's id."""
    later: list[threading.Thread] = field(default_factory=list)
    """What ends after its wave, such as a worker that stays frozen past its lease."""
    _until: float = 0.0

    @property
    def places(self) -> Places:
        """The stack's folders."""
        return self.house.plan.places

    def open_wave(self, name: str) -> Wave:
        """Write the rows of a wave; they become due from now on, until `goes_on` says no more."""
        patiently(clock.now)
        texts = self.crowd.write(wave=name, texts=self.texts_per_wave, seconds=self.wave_seconds, now=clock.now())
        wave = Wave(name, texts)
        self.waves.append(wave)
        self._until = time.monotonic() + self.wave_seconds + 1
        return wave

    def goes_on(self) -> bool:
        """True until the last row of the wave has become due."""
        return time.monotonic() < self._until

    def calm_down(self) -> None:
        """Wait a little for what the wave left to be tried again, so that the next fault strikes its own texts."""
        name, deadline = self.waves[-1].name, time.monotonic() + CALM_SECONDS
        unsent = (MessageState.SCHEDULED, MessageState.CLAIMED)
        waiting = Message.objects.filter(dedupe_key__startswith=f"chaos:{name}:", state__in=unsent)
        while patiently(waiting.exists) and time.monotonic() < deadline:
            time.sleep(LOOK_AGAIN_SECONDS)

    def pause(self, low: float, high: float) -> None:
        """Wait a random while, but not beyond the wave's end."""
        time.sleep(max(0.0, min(self.rng.uniform(low, high), self._until - time.monotonic())))

    def rest(self) -> None:
        """Wait for the wave's end."""
        time.sleep(max(0.0, self._until - time.monotonic()))

    def programs(self, words: str) -> list[psutil.Process]:
        """Return the stack's processes whose command line holds `words`, children of a pool too."""
        found = []
        for process in stack_processes(self.places.data_dir):
            with contextlib.suppress(psutil.Error):
                if words in " ".join(process.cmdline()):
                    found.append(process)
        return found

    def leader(self, words: str) -> psutil.Process | None:
        """Return the supervisor's own child among `programs(words)`, or None where it has none just now."""
        for process in self.programs(words):
            with contextlib.suppress(psutil.Error):
                parent = process.parent()
                if parent is not None and "supervisord" in " ".join(parent.cmdline()):
                    return process
        return None

    def database_leader(self) -> psutil.Process | None:
        """Return the first of PostgreSQL's processes."""
        servers = servers_in(self.places.postgres, program="postgres")
        numbers = {server.pid for server in servers}
        return next((server for server in servers if server.ppid() not in numbers), None)

    def broker(self) -> redis.Redis:
        """Return a client of the broker; whoever uses it must be ready to find it gone."""
        return redis.Redis.from_url(self.house.plan.environment["REDIS_URL"], socket_timeout=2)

    def start(self, *words: str, **environment: str) -> subprocess.Popen[bytes]:
        """Start one more of the product's processes, in a session of its own, beside those that are supervised."""
        log = (self.places.logs / f"{words[0]}-more.log").open("ab")
        with log:
            return subprocess.Popen(
                reminders_command(*words), env=self.house.plan.environment | environment, cwd=BASE_DIR,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    @contextlib.contextmanager
    def carrier_fault(self, effect: str, **wish: object) -> Iterator[None]:
        """Switch a fault of the carrier on for the block."""
        rule = self.carrier.add_fault(effect=effect, **wish)
        try:
            yield
        finally:
            self.carrier.remove_fault(rule)


def kill(process: psutil.Process | None) -> None:
    """Kill -9, if it still lives."""
    if process is not None:
        with contextlib.suppress(psutil.Error):
            process.kill()


def patiently(question: Callable[[], Found], *, seconds: float = DATABASE_BACK_SECONDS) -> Found:
    """Ask the database until it answers. Only for questions, never for writes that must happen once."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return question()
        except (DatabaseError, InterfaceError) as error:
            connections.close_all()
            if time.monotonic() > deadline:
                raise ChaosError(f"The database did not come back within {seconds:g} s.") from error
            time.sleep(LOOK_AGAIN_SECONDS)
