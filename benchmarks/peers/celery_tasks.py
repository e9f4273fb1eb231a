"""Celery, a task per message, acknowledged after the work."""

import os
from datetime import UTC, datetime
from typing import Any

from celery import Celery

from benchmarks.peers.text import send
from reminders.config import celery_broker_url

app = Celery("peer", broker=celery_broker_url(os.environ["REDIS_URL"]), set_as_current=False)
app.conf.update(task_acks_late=True, task_ignore_result=True, worker_hijack_root_logger=False)


@app.task(name="text")
def text(index: int) -> None:
    """Send one text."""
    send(index)


def enqueue(texts: int, due_at: float | None) -> None:
    """Publish the tasks, with an ETA where `due_at` (seconds since 1970) is given."""
    when: dict[str, Any] = {"eta": datetime.fromtimestamp(due_at, UTC)} if due_at else {}
    with app.producer_pool.acquire(block=True) as producer:
        for number in range(texts):
            text.apply_async((number,), producer=producer, **when)
