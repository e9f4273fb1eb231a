"""Real threads with connections of their own."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connection

from tests.waiting import eventually

Result = TypeVar("Result")


def run_at_once(works: Sequence[Callable[[], Result]]) -> list[Result]:
    """Run all of them at the same time, each on its own database connection; return their results in order."""
    with ThreadPoolExecutor(len(works)) as pool:
        return [future.result(timeout=30) for future in [pool.submit(_with_connection, work) for work in works]]


class Background:
    """Something that goes on in a thread while the test does something else."""

    def __init__(self, work: Callable[[], object]) -> None:
        self._pool = ThreadPoolExecutor(1)
        self._future = self._pool.submit(_with_connection, work)

    def finish(self) -> object:
        """Wait for its end and return what it returned."""
        try:
            return self._future.result(timeout=30)
        finally:
            self._pool.shutdown()

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return not self._future.done()


def wait_until_somebody_waits_for_a_lock() -> None:
    """Return once another connection of this database is blocked by a lock."""

    def blocked() -> bool:
        with connection.cursor() as cursor:
            # Within a transaction the statistics would stay as they were first seen.
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            return bool(cursor.fetchone()[0])

    eventually(blocked, what="somebody waits for a lock", seconds=10)


def _with_connection(work: Callable[[], Result]) -> Result:
    try:
        return work()
    finally:
        connection.close()
