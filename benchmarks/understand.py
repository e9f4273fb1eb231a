"""Prints how long one reply takes to read: `python -m benchmarks.understand`."""

import statistics
import time

from reminders.core.understanding import read
from tests.core.understanding_cases import cases_of


def main() -> None:
    """Read all replies of the tests' tables five times and print milliseconds per reply."""
    started = time.perf_counter()
    read("0")
    print(f"first reply, with the lexicon loaded: {(time.perf_counter() - started) * 1000:.0f} ms")
    replies = [case.text for case in cases_of("replies.tsv")]
    times = []
    for _ in range(5):
        for reply in replies:
            started = time.perf_counter()
            read(reply)
            times.append((time.perf_counter() - started) * 1000)
    times.sort()
    mean, median = statistics.mean(times), statistics.median(times)
    print(f"{len(replies)} replies, 5 rounds: mean {mean:.3f} ms, median {median:.3f} ms")
    print(f"99 of 100 within {times[int(len(times) * 0.99)]:.3f} ms, slowest {times[-1]:.3f} ms")


if __name__ == "__main__":
    main()
