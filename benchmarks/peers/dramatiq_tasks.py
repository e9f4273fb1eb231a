"""dramatiq on Redis, a message per text, with its own retries left as they come."""

import os

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from benchmarks.peers.text import send

dramatiq.set_broker(RedisBroker(url=os.environ["REDIS_URL"]))


@dramatiq.actor
def text(index: int) -> None:
    """Send one text."""
    send(index)


def enqueue(texts: int, _due_at: float | None) -> None:
    """Publish the messages."""
    for number in range(texts):
        text.send(number)
