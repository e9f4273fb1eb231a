"""Other ways to send texts, in the same run, on the same machine, with the same carrier.

Each peer's queue is filled first; then its workers start, and what counts is the rate at which creates arrive between
the first and the last tenth: neither its start nor its filling is held against it. Ours is measured to its
disadvantage, from the moment all is due until the last answer is recorded; peers record no answer but where it says so.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

import psutil
import redis

from benchmarks.bench.carrier import BenchError
from benchmarks.bench.engine import memory_bytes
from benchmarks.bench.limits import arrival_rate, own_servers
from benchmarks.bench.run import Run
from reminders.config import BASE_DIR

PATIENCE_SECONDS = 60.0
PREFORK = ("-m", "celery", "--quiet", "-A", "benchmarks.peers.celery_tasks", "worker", "--loglevel", "ERROR",
           "--without-gossip", "--without-mingle")  # fmt: skip
PROCRASTINATE = ("-m", "procrastinate", "--app", "benchmarks.peers.procrastinate_tasks.app", "worker")
WITHOUT = "no answer recorded, no pace per sender, no consent asked when it leaves"


@dataclass(frozen=True, slots=True)
class Peer:
    """One way to send. `workers` are the command lines of its processes; `lacks` is what it does not promise."""

    label: str
    module: str
    workers: tuple[tuple[str, ...], ...]
    lacks: str
    texts: int = 2_000
    texts_slow: int = 300
    eta_seconds: float | None = None


PEERS: Final = (
    Peer(
        "Celery, task per message, 2 processes", "celery_tasks", ((*PREFORK, "-c", "2"),),
        f"a kill after the create sends again; an emptied Redis loses all; {WITHOUT}", texts_slow=100,
    ),
    Peer(
        "Celery, task per message, 2 processes of 25 threads", "celery_tasks",
        tuple((*PREFORK, "--pool", "threads", "-c", "25", "-n", f"peer{n}@%h") for n in range(2)),
        f"a kill after the create sends again; an emptied Redis loses all; {WITHOUT}", texts_slow=2_000,
    ),
    Peer(
        "Celery, task per message that records the id", "celery_recorded",
        (tuple(word.replace("celery_tasks", "celery_recorded") for word in (*PREFORK, "-c", "2")),),
        "a kill after the create sends again; an emptied Redis loses all; no pace per sender, no consent asked",
        texts_slow=100,
    ),
    Peer(
        "Celery ETA, 2 processes", "celery_tasks", ((*PREFORK, "-c", "2"),),
        f"held in a worker's memory; past the visibility timeout every text goes again; {WITHOUT}",
        texts_slow=100, eta_seconds=8.0,
    ),
    Peer(
        "procrastinate, 2 processes of 25", "procrastinate_tasks",
        tuple((*PROCRASTINATE, "--concurrency", "25", "--name", f"peer{n}") for n in range(2)),
        f"a killed worker's jobs stay `doing` until somebody retries them, sent or not; {WITHOUT}",
        texts=2_000, texts_slow=1_000,
    ),
    Peer(
        "dramatiq, 2 processes of 25 threads", "dramatiq_tasks",
        (("-m", "dramatiq", "benchmarks.peers.dramatiq_tasks", "--processes", "2", "--threads", "25"),),
        f"retries by itself after any error, also where the text has left; an emptied Redis loses all; {WITHOUT}",
        texts_slow=2_000,
    ),
    Peer(
        "huey, 2 processes", "huey_tasks",
        (("-m", "huey.bin.huey_consumer", "benchmarks.peers.huey_tasks.huey", "-w", "2", "-k", "process", "-q"),),
        f"a task leaves Redis before it runs: a kill loses it; {WITHOUT}", texts_slow=100,
    ),
    Peer(
        "APScheduler, jobs in PostgreSQL, 50 threads", "apscheduler_tasks",
        (("-m", "benchmarks.peers.apscheduler_tasks"),),
        f"one process only, a second one runs every job too; a kill loses what it had begun; {WITHOUT}",
        texts=1_000, texts_slow=500,
    ),
)  # fmt: skip


def peers(run: Run) -> None:
    """Celery, procrastinate, dramatiq, huey and APScheduler, each as its documentation shows it."""
    failed = []
    with own_servers(run.folder / "peers") as places:
        environment = os.environ | {
            "DATABASE_URL": places.database_url, "REDIS_URL": places.redis_url, "BENCH_STUB_URL": run.stub.url,
            "PYTHONPATH": str(BASE_DIR), "PYTHONWARNINGS": "ignore",
        }  # fmt: skip
        for peer in PEERS:
            for delay_ms in (0, 150):
                try:
                    rates = [_drain(run, peer, environment, delay_ms) for _ in range(run.times)]
                except (BenchError, subprocess.SubprocessError) as error:
                    failed.append(f"{peer.label} at {delay_ms} ms: {error}")
                    continue
                note = "" if delay_ms else peer.lacks
                run.book.add(f"drain, {delay_ms} ms carrier", peer.label, rates, "texts/s", note=note)
        _memory_of_pending(run, environment)
    if failed:
        raise BenchError("; ".join(failed))


def _drain(run: Run, peer: Peer, environment: dict[str, str], delay_ms: int) -> float:
    """Return creates a second in the middle of the drain of a full queue."""
    texts = peer.texts_slow if delay_ms else peer.texts
    texts = max(50, texts // 4) if run.quick else texts
    redis.Redis.from_url(environment["REDIS_URL"]).flushall()
    run.stub.reset(delay_ms=delay_ms)
    eta = [str(time.time() + peer.eta_seconds)] if peer.eta_seconds else []
    _enqueue(peer.module, environment, str(texts), *eta)
    with _working(peer, environment):
        run.stub.wait_for(texts, seconds=PATIENCE_SECONDS)
    return arrival_rate(run)


def _enqueue(module: str, environment: dict[str, str], *words: str) -> None:
    command = [sys.executable, "-m", "benchmarks.peers.enqueue", module, *words]
    subprocess.run(command, env=environment, cwd=BASE_DIR, check=True, timeout=PATIENCE_SECONDS)


@contextmanager
def _working(peer: Peer, environment: dict[str, str]) -> Iterator[list[psutil.Process]]:
    """Run the peer's workers, each in a session of its own; kill all of them afterwards."""
    started = [
        subprocess.Popen(
            [sys.executable, *words], env=environment, cwd=BASE_DIR, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        for words in peer.workers
    ]  # fmt: skip
    try:
        yield [psutil.Process(one.pid) for one in started]
    finally:
        for one in started:
            with suppress(ProcessLookupError):
                os.killpg(one.pid, signal.SIGKILL)
            one.wait()


def _memory_of_pending(run: Run, environment: dict[str, str]) -> None:
    """What Celery's ETA holds outside the database for each text that waits."""
    peer = next(one for one in PEERS if one.eta_seconds)
    texts = run.size(20_000, 3_000)
    broker = redis.Redis.from_url(environment["REDIS_URL"])
    held = []
    for waiting in (1, texts):
        broker.flushall()
        _enqueue(peer.module, environment, str(waiting), str(time.time() + 3_600))
        with _working(peer, environment) as parents:
            _wait_until_taken(broker, waiting)
            processes = [*parents, *(child for parent in parents for child in parent.children(recursive=True))]
            held.append(memory_bytes(processes) + int(broker.info("memory")["used_memory"]))
    run.book.add(
        "memory per pending message", "Celery ETA", (held[1] - held[0]) / texts, "bytes", note="Redis and workers"
    )


def _wait_until_taken(broker: redis.Redis, tasks: int) -> None:
    """Return once the workers hold all tasks in their memory: the broker keeps a mark of each until its end."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while int(broker.hlen("unacked")) < tasks:
        if time.monotonic() > deadline:
            raise BenchError(f"Celery took {int(broker.hlen('unacked'))} of {tasks} tasks with an ETA.")
        time.sleep(0.1)
    time.sleep(1)
