"""procrastinate on PostgreSQL, a job per text, written in batches."""

import os

import procrastinate

from benchmarks.peers.text import send

app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=os.environ["DATABASE_URL"]))
BATCH = 1_000


@app.task(name="text")
def text(index: int) -> None:
    """Send one text."""
    send(index)


def enqueue(texts: int, _due_at: float | None) -> None:
    """Write the jobs."""
    connector = procrastinate.SyncPsycopgConnector(conninfo=os.environ["DATABASE_URL"])
    with app.replace_connector(connector) as synchronous, synchronous.open():
        if not synchronous.check_connection():
            synchronous.schema_manager.apply_schema()
        for first in range(0, texts, BATCH):
            wishes = [{"index": number} for number in range(first, min(first + BATCH, texts))]
            synchronous.configure_task("text").batch_defer(*wishes)
