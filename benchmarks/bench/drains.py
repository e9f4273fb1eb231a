"""How fast due texts leave, from the row to the recorded answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from benchmarks.bench import rows
from benchmarks.bench.carrier import BenchError
from benchmarks.bench.engine import PARTS
from benchmarks.bench.figures import at_least
from benchmarks.bench.rows import Place
from benchmarks.bench.run import Run

PATIENTS = 20_000
CLINICS = 20
FAST = "drain, 0 ms carrier"
GOAL_A_SECOND = 2_500
PATIENCE_SECONDS = 120
LEAST_COST_MS = 0.005


def drain_fast(run: Run) -> None:
    """All due at once, a carrier that answers at once."""
    texts = run.size(20_000, 3_000)
    place = run.place("drain", patients=PATIENTS)
    found = [drain(run, [place], texts=texts, delay_ms=0) for _ in range(run.times)]
    rates = [one.rate for one in found]
    run.book.add(FAST, "ours", rates, "texts/s", goal=at_least(GOAL_A_SECOND), note="one sender")
    add_costs(run, FAST, [one.spent for one in found], each="text")
    places = [run.place(f"drain {n}", patients=PATIENTS // CLINICS) for n in range(CLINICS)]
    rates = [drain(run, places, texts=texts, delay_ms=0).rate for _ in range(run.times)]
    run.book.add(FAST, f"ours, {CLINICS} clinics", rates, "texts/s", goal=at_least(GOAL_A_SECOND))


def drain_slow(run: Run) -> None:
    """The same with a carrier that takes its time: what counts is how many are in flight."""
    place = run.place("drain", patients=PATIENTS)
    rates = [drain(run, [place], texts=run.size(5_000, 1_000), delay_ms=150).rate for _ in range(run.times)]
    run.book.add("drain, 150 ms carrier", "ours", rates, "texts/s")


def workers(run: Run) -> None:
    """The same with 1, 2 and 4 send processes."""
    texts = run.size(10_000, 2_000)
    place = run.place("drain", patients=PATIENTS)
    try:
        for count in (1, 2, 4):
            run.start(workers=count)
            fast = [drain(run, [place], texts=texts, delay_ms=0).rate for _ in range(run.times)]
            slow = [drain(run, [place], texts=texts // 4, delay_ms=150).rate for _ in range(run.times)]
            what = f"{count} process{'es' if count > 1 else ''}"
            run.book.add("send processes, 0 ms carrier", what, fast, "texts/s")
            run.book.add("send processes, 150 ms carrier", what, slow, "texts/s")
    finally:
        run.start()


@dataclass(frozen=True, slots=True)
class Drained:
    """Texts a second from the moment all were due until the last answer was recorded in the database.

    `spent`: what each text cost, in milliseconds of one core, by part of the stack; it tells more than the rate where
    others use the machine too.
    """

    rate: float
    spent: dict[str, float]


def drain(run: Run, places: Sequence[Place], *, texts: int, delay_ms: int) -> Drained:
    """Let texts become due all at once and wait until the last answer is recorded.

    Raises BenchError where a text was lost or doubled, or left early.
    """
    wave = run.fresh("drain")
    run.stub.reset(delay_ms=delay_ms)
    lead = 2.0 + texts / 4_000
    due_at = datetime.now(UTC) + timedelta(seconds=lead)
    for place in places:
        rows.seed(place, wave=wave, texts=texts // len(places), due_at=due_at)
    if datetime.now(UTC) > due_at:
        raise BenchError(f"Writing {texts} rows took longer than the {lead:.1f} s planned for it.")
    before = run.engine.processor_seconds()
    run.stub.wait_for(texts, seconds=PATIENCE_SECONDS)
    for place in places:
        ended = rows.wait_until_ended(place, wave=wave, texts=texts // len(places), seconds=PATIENCE_SECONDS)
    check_once(run, texts=texts, due_at=due_at)
    return Drained(texts / (ended - due_at.timestamp()), cost(run, since=before, things=texts))


def cost(run: Run, *, since: Mapping[str, float], things: int) -> dict[str, float]:
    """Return what each thing has cost since then, in milliseconds of one core, by part of the stack."""
    return {part: (used - since[part]) / things * 1_000 for part, used in run.engine.processor_seconds().items()}


def add_costs(run: Run, scenario: str, costs: Sequence[Mapping[str, float]], *, each: str) -> None:
    """Keep what each thing cost in all, and the parts that matter."""
    unit = f"ms of a core per {each}"
    run.book.add(scenario, "cost, all parts", [sum(one.values()) for one in costs], unit)
    for part in PARTS:
        found = [one[part] for one in costs]
        if max(found) > LEAST_COST_MS:
            run.book.add(scenario, f"cost, {part}", found, unit)


def check_once(run: Run, *, texts: int, due_at: datetime) -> None:
    """Raise BenchError unless the carrier has each text once and none before its time."""
    creates = run.stub.creates()
    numbers = {create.to_number for create in creates}
    if len(creates) != texts or len(numbers) != texts:
        raise BenchError(f"The carrier has {len(creates)} creates to {len(numbers)} numbers for {texts} texts.")
    early = sum(create.at < due_at.timestamp() for create in creates)
    if early:
        raise BenchError(f"{early} texts left before they were due.")
