"""The running stack as whoever breaks it sees it: its processes, its broker, its database, its carrier, and time."""

import contextlib
import json
import random
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import psutil
import redis
from django.db import DatabaseError, InterfaceError, connections

from benchmarks.chaos import rows
from benchmarks.chaos.crowd import Crowd, Wanted, Wave
from reminders import clock
from reminders.config import BASE_DIR
from reminders.embedded.places import Places
from reminders.embedded.processes import servers_in, stack_processes
from reminders.management.rehearsal.carrier import CarrierControl
from reminders.management.rehearsal.house import House
from reminders.management.stack.health import answers
from reminders.management.stack.plan import reminders_command

DATABASE_BACK_SECONDS = 60.0
# A machine that does much else takes long to start a dozen processes; a promise is judged by the books, not by this.
RESTART_SECONDS = 240.0
PATIENCE_SECONDS = 8.0
THREADS_UP_SECONDS = 3.0
LOOK_AGAIN_SECONDS = 0.1
CALM_SECONDS = 4.0
# Texts that are laid out for later keep nobody from being calm.
CALM_WITHIN = timedelta(minutes=1)
# Words in the command lines of the supervised processes.
SEND, URGENT, SCHEDULER, WEB = "-Q send", "-Q urgent", "management scheduler", "gunicorn reminders.wsgi"
WORKERS = "reminders.celery worker"
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
    switches: Path = Path()
    """The file that tells processes which start what is wrong with their host."""
    taken_back: dict[int, float] = field(default_factory=dict)
    """When the STOP, cancel or void of a row had committed at the latest, as a timestamp, by the row's id."""
    may_be_refused: set[int] = field(default_factory=set)
    """Rows that the carrier is right to refuse."""
    wrong: list[tuple[str, str]] = field(default_factory=list)
    """What a fault itself found broken: its name, and a sentence."""
    later: list[threading.Thread] = field(default_factory=list)
    """What ends after its wave, such as a worker that stays frozen past its lease."""
    _until: float = 0.0

    @property
    def wave_span(self) -> timedelta:
        """How long texts of a wave become due."""
        return timedelta(seconds=self.wave_seconds)

    @property
    def plans_per_zone(self) -> int:
        """How many plans of four texts lie across a clock change in each of its zones."""
        return max(1, round(self.texts_per_wave / 20))

    @property
    def places(self) -> Places:
        """The stack's folders."""
        return self.house.plan.places

    def open_wave(self, name: str, *, seconds: float | None = None) -> Wave:
        """Write the rows of a wave; they become due from now on, until `goes_on` says no more."""
        seconds = seconds or self.wave_seconds
        wave = self.open_bare_wave(name, seconds=seconds)
        now = patiently(clock.now)
        self.crowd.write(
            wave=wave, wanted=self.crowd.spread(texts=self.texts_per_wave, seconds=seconds, now=now), now=now
        )
        return wave

    def open_bare_wave(self, name: str, *, seconds: float | None = None) -> Wave:
        """Begin a wave whose rows are still to be written."""
        wave = Wave(name)
        self.waves.append(wave)
        self._until = time.monotonic() + (seconds or self.wave_seconds) + 1
        return wave

    def add(self, wave: Wave, *wanted: Wanted) -> list[int]:
        """Write further rows of a wave; return their ids."""
        return [text.pk for text in self.crowd.write(wave=wave, wanted=wanted, now=patiently(clock.now))]

    def end_waves(self) -> None:
        """Note that the faults of all waves so far are over."""
        for wave in self.waves:
            wave.ended_at = wave.ended_at or time.monotonic()

    def goes_on(self) -> bool:
        """True until the last row of the wave has become due."""
        return time.monotonic() < self._until

    def calm_down(self) -> None:
        """Wait a little for what the wave left to be tried again, so that the next fault strikes its own texts."""
        deadline = time.monotonic() + CALM_SECONDS
        ids = [text.pk for text in self.waves[-1].texts if text.due_at < text.created_at + CALM_WITHIN]
        while patiently(lambda: rows.is_anything_in_state(ids, *rows.UNSENT)) and time.monotonic() < deadline:
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
        return next(iter(self.leaders(words)), None)

    def leaders(self, words: str) -> list[psutil.Process]:
        """Return the supervisor's own children among `programs(words)`."""
        found = []
        for process in self.programs(words):
            with contextlib.suppress(psutil.Error):
                parent = process.parent()
                if parent is not None and "supervisord" in " ".join(parent.cmdline()):
                    found.append(process)
        return found

    def restart(self, *words: str) -> None:
        """Ask the programs with these words to end, and wait until the supervisor has them back, ready for work.

        What has not ended in time is killed, as any supervisor does.
        """
        old = {process for one in words for process in self.leaders(one)}
        for process in old:
            with contextlib.suppress(psutil.Error):
                process.terminate()
        _, stubborn = psutil.wait_procs(old, timeout=PATIENCE_SECONDS)
        for process in stubborn:
            kill(process)
        deadline = time.monotonic() + RESTART_SECONDS
        while not self._are_back(words, old):
            if time.monotonic() > deadline:
                raise ChaosError(f"Not back within {RESTART_SECONDS:g} s: {', '.join(self._missing(words, old))}.")
            time.sleep(LOOK_AGAIN_SECONDS)

    def wait_for_web(self) -> None:
        """Wait until the web process answers again."""
        deadline = time.monotonic() + RESTART_SECONDS
        while not all(answers(url) for url in self.house.plan.health_urls) and time.monotonic() < deadline:
            time.sleep(LOOK_AGAIN_SECONDS)

    def _are_back(self, words: Sequence[str], old: set[psutil.Process]) -> bool:
        new = {process for one in words for process in self.leaders(one)} - old
        if len(new) < len(old) or not all(_is_at_work(process) for process in new):
            return False
        return WEB not in words or all(answers(url) for url in self.house.plan.health_urls)

    def _missing(self, words: Sequence[str], old: set[psutil.Process]) -> list[str]:
        """Say for each of the programs how many there were, how many are back, and how many of these are at work."""
        said = []
        for one in words:
            new = set(self.leaders(one)) - old
            said.append(f"{one} ({len(new)} back, {sum(_is_at_work(process) for process in new)} at work)")
        return said

    def switch(self, *entries: dict[str, object]) -> None:
        """Say what is wrong with the host of processes that start from now on; nothing said means nothing wrong."""
        self.switches.write_text(json.dumps(entries), encoding="utf-8")

    def find_wrong(self, sentence: str) -> None:
        """Note, for the wave of this moment, that a promise is broken which the books cannot see."""
        self.wrong.append((self.waves[-1].name, sentence))

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


def _is_at_work(process: psutil.Process) -> bool:
    """True where a worker has its pool, or its threads. Asking it through the broker would trust its host's clock."""
    with contextlib.suppress(psutil.Error):
        words = " ".join(process.cmdline())
        is_old_enough = time.time() - process.create_time() > THREADS_UP_SECONDS
        return WORKERS not in words or (is_old_enough if URGENT in words else len(process.children()) > 0)
    return False


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
