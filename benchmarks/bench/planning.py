"""How fast finished sessions become dated texts, as an import asks for it."""

import time
from datetime import UTC, datetime

from benchmarks.bench import rows
from benchmarks.bench.carrier import BenchError
from benchmarks.bench.figures import at_least
from benchmarks.bench.run import Run


def planning(run: Run) -> None:
    """Laying out the plans of many sessions at once, rows written and committed."""
    from reminders import clock
    from reminders.messaging.planning import plan_many

    sessions = run.size(5_000, 500)
    run.engine.stop("scheduler")
    rates = []
    for _ in range(run.times):
        name = run.fresh("planning")
        place = run.place(name, patients=sessions)
        rows.give_texts(place)
        ids = rows.seed_sessions(place, ended_at=datetime.now(UTC))
        began = time.monotonic()
        planned = plan_many(treatment_session_ids=ids, now=clock.now())
        rates.append(planned.messages / (time.monotonic() - began))
        if planned.failures:
            raise BenchError(f"{len(planned.failures)} of {sessions} sessions could not be planned.")
        rows.cancel_waiting(place)
    run.engine.start("scheduler")
    run.book.add("laying out plans", "in bulk, one process", rates, "messages/s", goal=at_least(20_000))
