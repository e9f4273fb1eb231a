"""The limits: what this machine does where nothing but the bare work is done."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from benchmarks.bench.engine import empty
from benchmarks.bench.run import IN_FLIGHT, SEND_WORKERS, Run
from reminders.embedded.attach import start_detached
from reminders.embedded.places import Places
from reminders.embedded.postgres import EmbeddedPostgres
from reminders.embedded.valkey import EmbeddedValkey

CEILING_SECONDS = 2.0
CLAIM_BATCH = 500


def stub_ceiling(run: Run) -> None:
    """What the stub carrier answers to a compiled client, both on this machine."""
    rates = []
    for _ in range(run.times):
        run.stub.reset()
        rates.append(run.stub.ceiling(connections=IN_FLIGHT, seconds=CEILING_SECONDS))
    run.stub.reset()
    run.book.add("stub carrier", "its own ceiling", rates, "creates/s", note="the carrier is never what limits below")


def bare_http(run: Run) -> None:
    """A bare aiohttp loop that posts the same form, 50 in flight, and records nothing."""
    for delay_ms, texts in ((0, run.size(20_000, 5_000)), (150, run.size(5_000, 2_000))):
        for processes in (1, SEND_WORKERS):
            rates = [_bare_posts(run, texts, processes, delay_ms) for _ in range(run.times)]
            what = f"bare HTTP loop, {processes} process{'es' if processes > 1 else ''}"
            run.book.add(f"drain, {delay_ms} ms carrier", what, rates, "texts/s", note="records nothing")


def _bare_posts(run: Run, texts: int, processes: int, delay_ms: int) -> float:
    run.stub.reset(delay_ms=delay_ms)
    share = texts // processes
    command = [sys.executable, "-m", "benchmarks.peers.bare", run.stub.url, str(share), str(IN_FLIGHT)]
    started = [subprocess.Popen(command) for _ in range(processes)]
    for process in started:
        process.wait()
    return arrival_rate(run)


def arrival_rate(run: Run) -> float:
    """Return creates a second at the carrier, the first and the last tenth of the arrivals left aside."""
    times = sorted(create.at for create in run.stub.creates())
    tenth = len(times) // 10
    middle = times[tenth : len(times) - tenth]
    return (len(middle) - 1) / (middle[-1] - middle[0])


def bare_sql(run: Run) -> None:
    """A bare loop of psycopg: claim 500, settle 500, on a table of nothing else, as durable as ours."""
    with own_servers(run.folder / "limits", broker=False) as places:
        rates = [_claim_and_settle(places.database_url, run.size(50_000, 10_000)) for _ in range(run.times)]
    run.book.add("bare SQL claim loop", "claim and settle by 500", rates, "rows/s", note="one connection")


def _claim_and_settle(database_url: str, rows: int) -> float:
    with psycopg.connect(database_url, autocommit=True) as server:
        server.execute("DROP TABLE IF EXISTS work")
        server.execute("CREATE TABLE work (id bigint PRIMARY KEY, state text NOT NULL, due_at timestamptz, sid text)")
        server.execute("INSERT INTO work SELECT n, 'scheduled', now(), '' FROM generate_series(1, %s) n", [rows])
        server.execute("CREATE INDEX waiting ON work (due_at, id) WHERE state = 'scheduled'")
        server.execute("VACUUM ANALYZE work")
        began = time.monotonic()
        while True:
            claimed = server.execute(
                "UPDATE work SET state = 'sending' WHERE id IN (SELECT id FROM work WHERE state = 'scheduled'"
                " AND due_at <= now() ORDER BY due_at, id LIMIT %s FOR UPDATE SKIP LOCKED) RETURNING id",
                [CLAIM_BATCH],
            ).fetchall()
            if not claimed:
                return rows / (time.monotonic() - began)
            ids = [row[0] for row in claimed]
            server.execute(
                "UPDATE work w SET state = 'accepted', sid = a.sid FROM unnest(%s::bigint[], %s::text[]) a(id, sid)"
                " WHERE w.id = a.id AND w.state = 'sending'",
                [ids, [f"SM{pk:032x}" for pk in ids]],
            )


@contextmanager
def own_servers(folder: Path, *, broker: bool = True) -> Iterator[Places]:
    """Start a PostgreSQL (durable) and a Valkey of their own on an emptied folder; stop them afterwards."""
    empty(folder)
    places = Places(folder)
    places.make()
    parts: list[EmbeddedPostgres | EmbeddedValkey] = [EmbeddedPostgres(places)]
    if broker:
        parts.append(EmbeddedValkey(places))
    try:
        for part in parts:
            start_detached(part, places=places)
        yield places
    finally:
        for part in reversed(parts):
            part.stop()
        shutil.rmtree(places.postgres, ignore_errors=True)
