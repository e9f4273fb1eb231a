"""Right on time, at the right pace, and nobody in anybody's way."""

import time
from bisect import bisect_left
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import psutil

from benchmarks.bench import rows
from benchmarks.bench.carrier import Create
from benchmarks.bench.figures import at_least, at_most, percentile
from benchmarks.bench.rows import Place
from benchmarks.bench.run import Run

STEADY_A_SECOND = 50
PACES = (10.0, 80.0)
LEAD = timedelta(seconds=3)
PATIENCE_SECONDS = 60.0


def lateness(run: Run) -> None:
    """How late texts leave at a steady 50 a second."""
    place = run.place("steady", patients=STEADY_A_SECOND * 30)
    halves, ends, early = [], [], 0
    for _ in range(run.times):
        seconds = run.size(20, 8)
        texts, wave = seconds * STEADY_A_SECOND, run.fresh("steady")
        run.stub.reset()
        due_at = datetime.now(UTC) + LEAD
        rows.seed(place, wave=wave, texts=texts, due_at=due_at, over=timedelta(seconds=seconds))
        run.stub.wait_for(texts, seconds=seconds + PATIENCE_SECONDS)
        due = rows.due_times(place, wave=wave)
        late = [create.at - due[create.to_number] for create in run.stub.creates()]
        halves.append(percentile(late, 0.5))
        ends.append(percentile(late, 0.99))
        early += sum(seconds < 0 for seconds in late)
    scenario = f"lateness at {STEADY_A_SECOND}/s"
    run.book.add(scenario, "p50", halves, "s", goal=at_most(0.25))
    run.book.add(scenario, "p99", ends, "s", goal=at_most(1.0))
    run.book.add(scenario, "early", early, "texts", goal=at_most(0))


def idle(run: Run) -> None:
    """What the product asks of the database and the processor while nothing is due."""
    time.sleep(2)
    seconds = run.size(20, 8)
    processes = run.engine.processes()
    queries, spent = rows.transactions(), _processor_seconds(processes)
    time.sleep(seconds)
    # Backends tell the statistics what they did within a second or so of being idle.
    run.book.add("idle", "transactions", (rows.transactions() - queries) / seconds, "a second")
    share = (_processor_seconds(processes) - spent) / seconds
    run.book.add("idle", "processor, all processes of the product", share * 100, "% of one core")


def _processor_seconds(processes: Sequence[psutil.Process]) -> float:
    return sum(process.cpu_times().user + process.cpu_times().system for process in processes)


def pacing(run: Run) -> None:
    """Whether a sender with a queue keeps to its allowed rate, and uses it."""
    for pace in PACES:
        shares, worst = [], []
        for _ in range(run.times):
            seconds = run.size(10, 5)
            place = run.place(f"pace {pace:g}", patients=2_000)
            rows.set_rate(place, pace)
            texts = int(pace * seconds)
            run.stub.reset()
            rows.seed(place, wave=run.fresh("pace"), texts=texts, due_at=datetime.now(UTC) + timedelta(seconds=1))
            run.stub.wait_for(texts, seconds=seconds * 2 + PATIENCE_SECONDS)
            times = sorted(create.at for create in run.stub.creates())
            shares.append((texts - 1) / (times[-1] - times[0]) / pace * 100)
            worst.append(_most_in_a_second(times) / pace * 100)
        scenario = f"pacing at {pace:g}/s"
        run.book.add(scenario, "of the allowed rate", shares, "%", goal=at_least(97))
        run.book.add(scenario, "worst window of 1 s", worst, "% of the allowed rate", goal=at_most(100))


def _most_in_a_second(times: Sequence[float]) -> int:
    """Return the most arrivals in any half-open second; `times` is in order."""
    return max(bisect_left(times, at + 1.0) - index for index, at in enumerate(times))


def fairness(run: Run) -> None:
    """A clinic with 10 due, and an urgent text, beside one with 5,000 due."""
    crowd = run.size(5_000, 2_000)
    busy, calm = run.place("busy", patients=5_100), run.place("calm", patients=10)
    calm_seconds, urgent_seconds, all_seconds = [], [], []
    for _ in range(run.times):
        run.stub.reset()
        due_at = datetime.now(UTC) + timedelta(seconds=1 + crowd / 4_000)
        rows.seed(busy, wave=run.fresh("crowd"), texts=crowd, due_at=due_at)
        rows.seed(calm, wave=run.fresh("calm"), texts=10, due_at=due_at)
        middle = due_at + timedelta(seconds=0.5)
        urgent = run.place("urgent", patients=10)
        rows.seed(
            urgent, wave=run.fresh("urgent"), texts=10, due_at=middle, priority=0, kind="emergency",
            over=timedelta(seconds=0.5),
        )  # fmt: skip
        run.stub.wait_for(crowd + 20, seconds=PATIENCE_SECONDS)
        creates = run.stub.creates()
        calm_seconds.append(_last(creates, calm) - due_at.timestamp())
        urgent_seconds.append(_last(creates, urgent) - (middle.timestamp() + 0.45))
        all_seconds.append(_last(creates, busy) - due_at.timestamp())
    scenario = f"a clinic with {crowd:,} due beside others"
    run.book.add(scenario, "its last one", all_seconds, "s after all were due")
    run.book.add(scenario, "last of another clinic's 10", calm_seconds, "s after they were due")
    run.book.add(scenario, "last of 10 urgent ones", urgent_seconds, "s after it was due", goal=at_most(1.0))


def _last(creates: Sequence[Create], place: Place) -> float:
    return max(create.at for create in creates if create.from_number == place.sender_number)
