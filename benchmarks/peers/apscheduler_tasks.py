"""APScheduler with its jobs in PostgreSQL: one dated job per text. As a program it does the jobs.

Only one process may work on a store: a second one would run every job too.
"""

import os
import threading
from datetime import UTC, datetime, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler

from benchmarks.peers.text import send

THREADS = 50


def scheduler() -> BackgroundScheduler:
    """Return a scheduler on the database, as its user guide sets one up."""
    url = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://", 1)
    return BackgroundScheduler(
        jobstores={"default": SQLAlchemyJobStore(url=url)},
        executors={"default": ThreadPoolExecutor(THREADS)},
        # Late is better than never, however late.
        job_defaults={"misfire_grace_time": None},
        timezone=UTC,
    )


def enqueue(texts: int, _due_at: float | None) -> None:
    """Write the jobs."""
    own = scheduler()
    own.start(paused=True)
    due_at = datetime.now(UTC) + timedelta(seconds=1)
    for number in range(texts):
        own.add_job(send, "date", run_date=due_at, args=(number,))
    own.shutdown()


if __name__ == "__main__":
    scheduler().start()
    threading.Event().wait()
