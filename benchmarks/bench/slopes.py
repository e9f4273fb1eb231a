"""What a long queue and a long history cost: nothing, if it is right."""

import statistics
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from benchmarks.bench import rows
from benchmarks.bench.carrier import BenchError
from benchmarks.bench.drains import drain
from benchmarks.bench.engine import close_connections, memory_bytes, processor_milliseconds
from benchmarks.bench.figures import at_most
from benchmarks.bench.rows import Place
from benchmarks.bench.run import Run

DUE = 500
CLAIMS = 30
FAR = timedelta(days=30)
PATIENCE_SECONDS = 60
REST_SECONDS = 3.0
# Processes breathe: some megabytes come and go whatever is pending. What keeps a pending message keeps hundreds each.
BREATH_BYTES = 8_000_000


def backlog(run: Run) -> None:
    """The cost of a claim with 1,000,000 future rows beside an empty table's, and what else a backlog costs."""
    future = run.size(1_000_000, 50_000)
    place, bystander = run.place("claims", patients=DUE), run.place("backlog", patients=10_000)
    run.engine.stop("worker", "scheduler")
    rows.forget_all_texts()
    rows.vacuum()
    before = claims(run, place)
    run.engine.start("worker", "scheduler")
    drain(run, [place], texts=DUE, delay_ms=0)  # what a process keeps from its first work is not for what is pending
    time.sleep(REST_SECONDS)
    held = _held_outside(run)
    rows.seed(bystander, wave=run.fresh("future"), texts=future, due_at=datetime.now(UTC) + FAR, over=FAR)
    time.sleep(REST_SECONDS)
    each = max(0, _held_outside(run) - held) / future
    run.engine.stop("worker", "scheduler")
    rows.vacuum()
    after = claims(run, place)
    _add_slope(run, before, after, beside=f"{future:,} future rows")
    note = "broker, workers, scheduler and web, with what they take and give back anyhow"
    run.book.add("memory per pending message", "ours", each, "bytes", goal=at_most(BREATH_BYTES / future), note=note)
    _first_send(run, place, pending=future)


def _held_outside(run: Run) -> int:
    """Return what the broker and all processes of the product hold, in bytes."""
    return memory_bytes(run.engine.processes()) + int(run.engine.broker().info("memory")["used_memory"])


def _first_send(run: Run, place: Place, *, pending: int) -> None:
    """Start scheduler and workers beside a full table with one text due; time until it arrives."""
    seconds = []
    for _ in range(run.times):
        run.engine.stop("worker", "scheduler")
        run.stub.reset()
        rows.seed(place, wave=run.fresh("first"), texts=1, due_at=datetime.now(UTC))
        began = time.time()
        run.engine.start("worker", "scheduler")
        run.stub.wait_for(1, seconds=PATIENCE_SECONDS)
        seconds.append(run.stub.creates()[0].at - began)
    what = f"scheduler and workers started beside {pending:,} pending"
    run.book.add("start to first send", what, seconds, "s", note="most of it is Python's own start")


def history(run: Run) -> None:
    """The cost of a claim with 3,000,000 finished rows beside an empty table's."""
    finished = run.size(3_000_000, 100_000)
    place, bystander = run.place("claims", patients=DUE), run.place("backlog", patients=10_000)
    run.engine.stop("worker", "scheduler")
    rows.forget_all_texts()
    rows.vacuum()
    before = claims(run, place)
    began = datetime.now(UTC) - timedelta(days=360)
    rows.seed(
        bystander, wave=run.fresh("history"), texts=finished, due_at=began, over=timedelta(days=359), state="delivered",
        bare=True,
    )  # fmt: skip
    rows.vacuum()
    after = claims(run, place)
    _add_slope(run, before, after, beside=f"{finished:,} finished rows")
    run.engine.start("worker", "scheduler")


@dataclass(frozen=True, slots=True)
class Claims:
    """How long each of some claims took, and what one cost the database's processor, in milliseconds."""

    took: list[float]
    processor: float


def _add_slope(run: Run, before: Claims, after: Claims, *, beside: str) -> None:
    scenario = f"claim of {DUE} due rows"
    run.book.add(scenario, f"empty table, before {beside}", before.took, "ms")
    run.book.add(scenario, beside, after.took, "ms")
    ratio = statistics.median(after.took) / statistics.median(before.took)
    run.book.add(scenario, f"{beside} ÷ empty", ratio, "times", goal=at_most(1.2))
    run.book.add(
        scenario, f"{beside} ÷ empty, in processor time of the database", after.processor / before.processor, "times",
        goal=at_most(1.2), note="others on the machine do not count here",
    )  # fmt: skip


def claims(run: Run, place: Place) -> Claims:
    """Claim the same number of fresh rows some times. No scheduler may run."""
    from reminders import clock
    from reminders.messaging.outbox import claim_due

    took, processor = [], 0.0
    server = rows.server_process()
    for _ in range(CLAIMS):
        wave = run.fresh("claim")
        rows.seed(place, wave=wave, texts=DUE, due_at=datetime.now(UTC) - timedelta(seconds=1))
        now = clock.now()
        used, began = processor_milliseconds(server), time.perf_counter()
        claimed = len(claim_due(now=now, limit=DUE))
        took.append((time.perf_counter() - began) * 1_000)
        processor += processor_milliseconds(server) - used
        if claimed != DUE:
            raise BenchError(f"A claim found {claimed} of {DUE} due rows.")
        rows.end(place, wave=wave)
    close_connections()
    return Claims(took, processor / CLAIMS)
