"""Celery, a task per message, that keeps the carrier's id in PostgreSQL: the least that "durably recorded" can mean."""

import os
import threading

import psycopg
from celery import Celery

from benchmarks.peers.text import send
from reminders.config import celery_broker_url

app = Celery("recorded", broker=celery_broker_url(os.environ["REDIS_URL"]), set_as_current=False)
app.conf.update(task_acks_late=True, task_ignore_result=True, worker_hijack_root_logger=False)

_own = threading.local()


@app.task(name="text")
def text(index: int) -> None:
    """Send one text and keep its id, on a connection that each worker keeps."""
    sid = send(index)
    if not hasattr(_own, "server"):
        _own.server = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)
    _own.server.execute("UPDATE sent SET sid = %s, at = now() WHERE id = %s", [sid, index])


def enqueue(texts: int, _due_at: float | None) -> None:
    """Write the rows and publish the tasks."""
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as server:
        server.execute("DROP TABLE IF EXISTS sent")
        server.execute("CREATE TABLE sent (id bigint PRIMARY KEY, sid text, at timestamptz)")
        server.execute("INSERT INTO sent SELECT n FROM generate_series(0, %s) n", [texts])
    with app.producer_pool.acquire(block=True) as producer:
        for number in range(texts):
            text.apply_async((number,), producer=producer)
