"""How fast due texts leave, from the row to the recorded answer."""

from datetime import UTC, datetime, timedelta

from benchmarks.bench import rows
from benchmarks.bench.carrier import BenchError
from benchmarks.bench.figures import at_least
from benchmarks.bench.rows import Place
from benchmarks.bench.run import Run

PATIENTS = 20_000
GOAL_A_SECOND = 2_500
PATIENCE_SECONDS = 120


def drain_fast(run: Run) -> None:
    """All due at once, a carrier that answers at once."""
    rates = [drain(run, texts=run.size(20_000, 3_000), delay_ms=0) for _ in range(run.times)]
    run.book.add("drain, 0 ms carrier", "ours", rates, "texts/s", goal=at_least(GOAL_A_SECOND))


def drain_slow(run: Run) -> None:
    """The same with a carrier that takes its time: what counts is how many are in flight."""
    rates = [drain(run, texts=run.size(5_000, 1_000), delay_ms=150) for _ in range(run.times)]
    run.book.add("drain, 150 ms carrier", "ours", rates, "texts/s")


def drain(run: Run, *, texts: int, delay_ms: int, place: Place | None = None) -> float:
    """Return texts a second from the moment all are due until the last answer is recorded in the database.

    Raises BenchError where a text was lost or doubled, or left early.
    """
    place = place or run.place("drain", patients=PATIENTS)
    wave = run.fresh("drain")
    run.stub.reset(delay_ms=delay_ms)
    due_at = seed_all_due(place, wave=wave, texts=texts)
    run.stub.wait_for(texts, seconds=PATIENCE_SECONDS)
    ended = rows.wait_until_ended(place, wave=wave, texts=texts, seconds=PATIENCE_SECONDS)
    check_once(run, texts=texts, due_at=due_at)
    return texts / (ended - due_at.timestamp())


def seed_all_due(place: Place, *, wave: str, texts: int) -> datetime:
    """Write texts that are all due at one moment soon after the last of them is written; return that moment."""
    lead = 1.0 + texts / 5_000
    while True:
        due_at = datetime.now(UTC) + timedelta(seconds=lead)
        rows.seed(place, wave=wave, texts=texts, due_at=due_at)
        left = (due_at - datetime.now(UTC)).total_seconds()
        if left > 0:
            return due_at
        raise BenchError(f"Writing {texts} rows took {lead - left:.1f} s, longer than the {lead:.1f} s planned for it.")


def check_once(run: Run, *, texts: int, due_at: datetime) -> None:
    """Raise BenchError unless the carrier has each text once and none before its time."""
    creates = run.stub.creates()
    numbers = {create.to_number for create in creates}
    if len(creates) != texts or len(numbers) != texts:
        raise BenchError(f"The carrier has {len(creates)} creates to {len(numbers)} numbers for {texts} texts.")
    early = sum(create.at < due_at.timestamp() for create in creates)
    if early:
        raise BenchError(f"{early} texts left before they were due.")
