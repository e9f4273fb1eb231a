"""huey on Redis, a task per text."""

import os

from huey import RedisHuey

from benchmarks.peers.text import send

huey = RedisHuey("peer", url=os.environ["REDIS_URL"], results=False)


@huey.task()
def text(index: int) -> None:
    """Send one text."""
    send(index)


def enqueue(texts: int, _due_at: float | None) -> None:
    """Publish the tasks."""
    for number in range(texts):
        text(number)
