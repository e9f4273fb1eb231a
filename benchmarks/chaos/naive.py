"""The naive way through the same faults, for contrast: `python -m benchmarks.chaos.naive`.

A task with an ETA for each text, a worker that is started again when it dies, the same broker, the same carrier, and
those of our faults that can be applied to it: it has no database, no scheduler and no callbacks that it listens to.
"""

import os
import random
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import psutil

from benchmarks.chaos.__main__ import prepare_hosts
from benchmarks.chaos.table import Results, Row, Storm, print_table
from reminders.config import BASE_DIR, celery_broker_url
from reminders.management.rehearsal.carrier import CarrierControl, Record
from reminders.management.rehearsal.house import House, open_house, own_config

SENDER = "+13125550199"
WAVE_SECONDS = 3.0
LEAD = timedelta(seconds=4)
# The retries of a task come after about 1, 2 and 4 seconds.
DRAIN_SECONDS = 15.0
SHARE_SOON_STALE, SOON_STALE, USEFUL_FOR = 0.05, timedelta(seconds=20), timedelta(hours=2)
READY = b" ready."
TOLERANCE = timedelta(seconds=0.25)
STOP_AROUND_SECONDS = 0.3
UNDER_WAY_SECONDS = 1.0
HANGS = 3
WRONG_BY_SECONDS = 5 * 3600.0
COUNTED = ["texts", "sent", "lost", "doubled", "early", "stale", "after_stop"]
# An account's own database in the broker, so that the stack beside it does not meet these tasks.
BROKER_DATABASE = 5


@dataclass(slots=True)
class Text:
    """One text that somebody wants to have sent."""

    number: str
    due_at: datetime
    expires_at: datetime
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    stopped_at: float | None = None
    """When the STOP had been stored, as a timestamp."""


@dataclass(slots=True)
class Worker:
    """One Celery worker that somebody starts again when it is gone."""

    environment: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    over: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Start it and return once it says that it takes tasks."""
        words = [
            "-m",
            "celery",
            "-A",
            "benchmarks.chaos.naive_app",
            "worker",
            "--concurrency",
            "4",
            "--loglevel",
            "INFO",
        ]
        written = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *words], env=self.environment, cwd=BASE_DIR, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        while self.process.poll() is None and READY not in self.log.read_bytes()[written:]:
            time.sleep(0.05)

    def children(self) -> list[psutil.Process]:
        """Return the processes of its pool."""
        with suppress(psutil.Error):
            return psutil.Process(self.process.pid).children() if self.process else []
        return []

    def end(self, number: int = signal.SIGKILL) -> None:
        """End it with a signal and wait."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                if number == signal.SIGKILL:
                    os.killpg(self.process.pid, number)
                else:
                    self.process.send_signal(number)
            self.process.wait()

    def look_after(self) -> None:
        """Start it again whenever it is gone, until it is over."""
        while not self.over.wait(0.2):
            if self.process is not None and self.process.poll() is not None:
                self.start()


@dataclass(slots=True)
class Run:
    """The naive way, under attack."""

    house: House
    carrier: CarrierControl
    rng: random.Random
    per_wave: int
    environment: dict[str, str]
    stopped: Path
    switches: Path
    waves: dict[str, list[Text]] = field(default_factory=dict)

    def publish(self, name: str, *, seconds: float = WAVE_SECONDS) -> list[Text]:
        """Lay out the texts of a wave: one task with an ETA for each."""
        from benchmarks.chaos.naive_app import send_text

        now = datetime.now(UTC)
        block = f"+1{(312, 773, 630)[len(self.waves) % 3]}5{50 + len(self.waves):02d}0"
        texts = []
        for line in range(self.per_wave):
            due_at = now + LEAD + timedelta(seconds=self.rng.uniform(0, seconds))
            useful_for = SOON_STALE if self.rng.random() < SHARE_SOON_STALE else USEFUL_FOR
            texts.append(Text(f"{block}{line:03d}", due_at, due_at + useful_for))
        self.waves[name] = texts
        for text in texts:
            callback = f"{self.house.plan.base_url}/webhooks/sms/status/{text.id}/"
            words = (text.number, SENDER, f"A text of no matter, {text.id}.", callback)
            send_text.apply_async(words, eta=text.due_at)
        return texts

    def drain(self, *names: str) -> None:
        """Wait until the carrier has all texts of these waves, or until no more can come."""
        deadline = max(text.due_at for name in names for text in self.waves[name]).timestamp() + DRAIN_SECONDS
        wanted = {text.id for name in names for text in self.waves[name]}
        while time.time() < deadline and not wanted <= {_id_in(one) for one in self.carrier.texts()}:
            time.sleep(0.5)

    @contextmanager
    def worker(self) -> Iterator[Worker]:
        """Run the worker for the length of the block; it is started again when it dies."""
        one = Worker(self.environment, self.house.plan.places.logs / "naive.log")
        one.start()
        keeper = threading.Thread(target=one.look_after, daemon=True)
        keeper.start()
        try:
            yield one
        finally:
            one.over.set()
            keeper.join()
            one.end()

    @contextmanager
    def fault(self, name: str, effect: str, **wish: object) -> Iterator[None]:
        """Let the carrier misbehave towards the phones of one wave."""
        prefix = self.waves[name][0].number[:-3]
        wish = {"operation": "messages.create", "seed": self.rng.randrange(10**6), **wish}
        rule = self.carrier.add_fault(effect=effect, to=f"{prefix}*", **wish)
        try:
            yield
        finally:
            self.carrier.remove_fault(rule)


def _id_in(record: Record) -> str:
    """Return the id of a text, which the address of its callback ends with."""
    return str(record["status_callback"]).rstrip("/").rpartition("/")[2]


def rest(texts: list[Text]) -> None:
    """Wait until the last text of a wave has been due for a second."""
    time.sleep(max(0.0, max(text.due_at for text in texts).timestamp() + 1 - time.time()))


CARRIER: Mapping[str, dict[str, object]] = {
    "carrier-500-before": {"effect": "error", "probability": 0.4},
    "carrier-500-after": {"effect": "error", "probability": 0.4, "processed": True},
    "carrier-reset": {"effect": "reset", "probability": 0.4},
    "carrier-reset-after": {"effect": "reset", "probability": 0.4, "processed": True},
    "carrier-truncate": {"effect": "truncate", "probability": 0.4},
    "carrier-garbled": {"effect": "garble", "probability": 0.4, "processed": True},
    "carrier-429": {"effect": "too_many", "probability": 0.7, "retry_after": 2},
}


def quiet(run: Run, worker: Worker, name: str) -> None:
    """A quiet wave."""
    rest(run.publish(name))


def bad_carrier(run: Run, _worker: Worker, _name: str) -> None:
    """All faults of the carrier that need not be alone, each towards the phones of its own wave."""
    with ExitStack() as rules:
        for name, wish in CARRIER.items():
            run.publish(name, seconds=2 * WAVE_SECONDS)
            rules.enter_context(run.fault(name, **wish))  # type: ignore[arg-type]
        rest(run.waves[name])
        run.drain(*CARRIER)


def opted_out(run: Run, _worker: Worker, name: str) -> None:
    """The carrier refuses some as opted out, once; every text to them from then on is one after STOP."""
    texts = run.publish(name)
    rules = [
        run.carrier.add_fault(
            effect="refuse", code=21610, first=1, to=text.number, operation="messages.create"
        )
        for text in run.rng.sample(texts, k=-(-len(texts) // 3))
    ]  # fmt: skip
    rest(texts)
    struck = {rule["to"] for rule in run.carrier.state()["faults"] if rule["struck"]}
    for text in texts:
        if text.number in struck:
            text.stopped_at = text.due_at.timestamp() - UNDER_WAY_SECONDS
    run.drain(name)
    for rule in rules:
        run.carrier.remove_fault(rule)


def hanging(run: Run, _worker: Worker, name: str) -> None:
    """Some creates are never answered."""
    texts = run.publish(name)
    with run.fault(name, "hang", first=HANGS):
        rest(texts)
        run.drain(name)


def account(run: Run, _worker: Worker, name: str) -> None:
    """The account is stopped for as long as the wave lasts."""
    texts = run.publish(name)
    with run.fault(name, "unauthorized"):
        rest(texts)


def kill_workers(run: Run, worker: Worker, name: str) -> None:
    """Kill -9 of pool processes and of the whole worker."""
    texts = run.publish(name)
    last = max(text.due_at for text in texts).timestamp()
    time.sleep(LEAD.total_seconds())
    while time.time() < last:
        if run.rng.random() < 0.5:
            worker.end()
        elif victims := worker.children():
            with suppress(psutil.Error):
                run.rng.choice(victims).kill()
        time.sleep(run.rng.uniform(0.3, 1.5))


def restart(run: Run, worker: Worker, name: str) -> None:
    """The worker is asked to end, and started again."""
    texts = run.publish(name)
    time.sleep(LEAD.total_seconds() + WAVE_SECONDS / 3)
    worker.end(signal.SIGTERM)
    rest(texts)


def flush_broker(run: Run, _worker: Worker, name: str) -> None:
    """FLUSHALL, again and again, once the tasks are published."""
    texts = run.publish(name)
    over = threading.Event()

    def flush() -> None:
        import redis

        while not over.wait(run.rng.uniform(0.02, 0.4)):
            with suppress(redis.RedisError):
                redis.Redis.from_url(run.house.plan.environment["REDIS_URL"], socket_timeout=2).flushall()

    flushing = threading.Thread(target=flush, daemon=True)
    flushing.start()
    rest(texts)
    over.set()
    flushing.join()


def kill_broker(run: Run, _worker: Worker, name: str) -> None:
    """Kill -9 of the broker; it comes back empty."""
    texts = run.publish(name)
    from reminders.embedded.processes import servers_in

    last = max(text.due_at for text in texts).timestamp()
    while time.time() < last:
        for server in servers_in(run.house.plan.places.valkey, program="valkey-server"):
            with suppress(psutil.Error):
                server.kill()
        time.sleep(run.rng.uniform(1.0, 3.0))


def stop_races(run: Run, _worker: Worker, name: str) -> None:
    """STOP within 0.3 s of each due time."""
    for text in sorted(run.publish(name), key=lambda one: one.due_at):
        at = text.due_at.timestamp() + run.rng.uniform(-STOP_AROUND_SECONDS, STOP_AROUND_SECONDS)
        time.sleep(max(0.0, at - time.time()))
        (run.stopped / text.number).touch()
        text.stopped_at = time.time()


SEQUENCE: Mapping[str, Callable[[Run, Worker, str], None]] = {
    "none": quiet,
    "worker-kill": kill_workers,
    "rolling-restart": restart,
    "broker-flush": flush_broker,
    "broker-kill": kill_broker,
    "carrier": bad_carrier,
    "carrier-21610": opted_out,
    "carrier-20003": account,
    "stop-races": stop_races,
    "carrier-hang": hanging,
}


def _many_deliveries(run: Run, name: str) -> None:
    """Every task arrives five times: the same copies that our own tasks get."""
    from benchmarks.chaos.host.sitecustomize import deliver_often

    with run.worker():
        undo = deliver_often(5)
        rest(run.publish(name))
        run.drain(name)
        undo()


def _wrong_clock(run: Run, name: str) -> None:
    """The worker's host is five hours ahead."""
    run.switches.write_text(f'[{{"words": "naive_app", "clock_seconds": {WRONG_BY_SECONDS}}}]', encoding="utf-8")
    with run.worker():
        rest(run.publish(name))
        run.drain(name)
    run.switches.write_text("[]", encoding="utf-8")


@click.command()
@click.option("--seed", default=1, show_default=True, help="Decides victims, moments and chances.")
@click.option("--per-wave", default=60, show_default=True, help="Texts of each fault.")
@click.option("--data-dir", type=click.Path(path_type=Path, file_okay=False), help="Default: .data/chaos-naive")
@click.option("--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Keep the table here too.")
def main(seed: int, per_wave: int, data_dir: Path | None, json_file: Path | None) -> None:
    """Send the naive way while things break, and print what that came to."""
    config = own_config()
    folder = (data_dir or config.data_dir / "chaos-naive").expanduser().absolute()
    switches = prepare_hosts(folder)
    began = time.monotonic()
    with open_house(config=config, data_dir=folder, say=click.echo) as house:
        run = _run(house, seed=seed, per_wave=per_wave, switches=switches)
        for name, strike in SEQUENCE.items():
            click.echo(f"{time.monotonic() - began:6.1f} s  {name}")
            with run.worker() as worker:
                strike(run, worker, name)
                run.drain(*([name] if name in run.waves else CARRIER))
        _many_deliveries(run, "tasks-five-times")
        _wrong_clock(run, "host-clocks")
        rows = _judge(run)
    texts = sum(row.texts for row in rows.values())
    storm = Storm(seed, texts, round(time.monotonic() - began, 1), rows, [], COUNTED)
    if json_file is not None:
        storm.write(json_file)
    print_table(Results([storm]))


def _run(house: House, *, seed: int, per_wave: int, switches: Path) -> Run:
    places = house.plan.places
    stopped = places.data_dir / "naive-stopped"
    stopped.mkdir()
    broker = celery_broker_url(f"{places.redis_url}?db={BROKER_DATABASE}")
    os.environ.update(house.plan.environment)
    os.environ |= {"NAIVE_BROKER_URL": broker, "NAIVE_STOPPED": str(stopped)}
    return Run(
        house=house, carrier=CarrierControl(house.plan.sandbox_url), rng=random.Random(seed), per_wave=per_wave,
        environment=dict(os.environ), stopped=stopped, switches=switches,
    )  # fmt: skip


def _judge(run: Run) -> dict[str, Row]:
    """Hold what was wanted against what the carrier has processed."""
    created: defaultdict[str, list[datetime]] = defaultdict(list)
    for record in run.carrier.texts():
        created[_id_in(record)].append(datetime.fromisoformat(record["created_at"]))
    rows: dict[str, Row] = {}
    for name, texts in run.waves.items():
        rows[name] = row = Row()
        for text in texts:
            moments = created[text.id]
            row.texts += 1
            row.sent += bool(moments)
            row.lost += not moments and text.stopped_at is None
            row.doubled += max(0, len(moments) - 1)
            row.early += any(at < text.due_at - TOLERANCE for at in moments)
            row.stale += any(at >= text.expires_at + TOLERANCE for at in moments)
            if text.stopped_at is not None:
                limit = text.stopped_at + UNDER_WAY_SECONDS
                row.after_stop += any(at.timestamp() > limit for at in moments)
    return rows


if __name__ == "__main__":
    main()
