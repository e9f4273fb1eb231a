"""Ours beside the others, from the figures of this run."""

from benchmarks.bench.drains import FAST
from benchmarks.bench.figures import at_least
from benchmarks.bench.run import Run

BARE = "bare HTTP loop, 1 process"
PLAIN = "Celery, task per message, 2 processes"
RECORDED = "Celery, task per message that records the id"


def ratios(run: Run) -> None:
    """How ours compares, in the same run."""
    ours = run.book.median(FAST, "ours")
    if ours is None:
        return
    for other, goal in ((BARE, 0.5), (PLAIN, 5.0), (RECORDED, 5.0)):
        found = run.book.median(FAST, other)
        if found:
            run.book.add(FAST, f"ours ÷ {other}", ours / found, "times", goal=at_least(goal))
