"""`make pages`: what a page of the console costs the server in a clinic of 50,000 patients and 1,000,000 texts.

Every request passes the product's whole stack in this process (middleware, session, access, queries, templates) on a
PostgreSQL of its own; the network and the web server's own milliseconds are not in it. Exit code 1 where a goal is
missed.
"""

import json
import os
import shutil
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from benchmarks.bench.machine import machine_facts
from reminders.config import BASE_DIR

if TYPE_CHECKING:
    from django.test import Client

    from benchmarks.pages.addresses import Page

MEDIAN_GOAL_MS, P99_GOAL_MS = 60, 200
WARM_UPS = 3


@click.command()
@click.option("--patients", default=50_000, show_default=True)
@click.option("--messages", default=1_000_000, show_default=True)
@click.option("--requests", default=100, show_default=True, help="Of each page, after three to warm up.")
@click.option("--only", default="", help="Pages whose address has this name.")
@click.option("--keep", is_flag=True, help="Leave the database for the next run, which then takes it as it is.")
@click.option("--data-dir", type=click.Path(path_type=Path), default=BASE_DIR / "build" / "pages", show_default=True)
def main(patients: int, messages: int, requests: int, only: str, keep: bool, data_dir: Path) -> None:
    """Fill a clinic, ask for each page many times, print median and 99th percentile, write build/pages.json."""
    facts = machine_facts()
    is_there = (data_dir / "postgres").is_dir()
    _open_server(data_dir)
    from django.contrib.auth import get_user_model
    from django.core.management import call_command

    from benchmarks.pages.addresses import pages_of
    from benchmarks.pages.crowd import fill
    from reminders import clock

    call_command("migrate", verbosity=0)
    if not is_there or not get_user_model().objects.exists():
        began = time.monotonic()
        crowd = fill(patients=patients, messages=messages, now=clock.now())
        click.echo(f"{crowd.patients:,} patients, {crowd.messages:,} texts in {time.monotonic() - began:.0f} s")
    owner = get_user_model().objects.get(username="owner")
    client = _logged_in(owner)
    rows = [measure(client, page, requests) for page in pages_of(owner.clinic) if not only or page.name == only]
    for row in rows:
        click.echo(line(row))
    whole = {"machine": facts, "patients": patients, "messages": messages, "requests": requests, "pages": rows}
    output = BASE_DIR / "build" / "pages.json"
    output.parent.mkdir(exist_ok=True)
    output.write_text(json.dumps(whole, indent=1), encoding="utf-8")
    if not keep:
        import atexit

        atexit.register(shutil.rmtree, data_dir, ignore_errors=True)
    sys.exit(0 if all(row["met"] for row in rows) else 1)


def measure(client: "Client", page: "Page", requests: int) -> dict[str, Any]:
    """Ask for one page many times and return its figures in milliseconds. Raises RuntimeError unless it answers 200."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def ask() -> int:
        response = client.post(page.path, page.posted) if page.posted else client.get(page.path)
        if response.status_code != 200:
            raise RuntimeError(f"The page {page.name!r} answered {response.status_code}.")
        return len(response.content)

    with CaptureQueriesContext(connection) as queries:
        size = ask()
    asked = len(queries)
    for _ in range(WARM_UPS):
        ask()
    took = []
    for _ in range(requests):
        began = time.perf_counter()
        ask()
        took.append((time.perf_counter() - began) * 1000)
    median = statistics.median(took)
    p99 = statistics.quantiles(took, n=100, method="inclusive")[98]
    return {
        "page": page.name,
        "note": page.note,
        "median_ms": round(median, 1),
        "p99_ms": round(p99, 1),
        "queries": asked,
        "kb": round(size / 1024),
        "met": median <= MEDIAN_GOAL_MS and p99 <= P99_GOAL_MS,
    }


def line(row: dict[str, Any]) -> str:
    """Return one row of the table that documents are given."""
    name = f"{row['page']}, {row['note']}" if row["note"] else row["page"]
    met = "met" if row["met"] else "**missed**"
    return f"| {name} | {row['median_ms']} | {row['p99_ms']} | {row['queries']} | {row['kb']} | {met} |"


def _logged_in(owner: Any) -> "Client":
    from django.test import Client

    client = Client(SERVER_NAME="localhost")
    client.force_login(owner)
    return client


def _open_server(data_dir: Path) -> None:
    from reminders import embedded

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reminders.settings")
    os.environ["REMINDERS_DATA_DIR"] = str(data_dir)
    os.environ["PUBLIC_BASE_URL"] = "http://localhost"
    for name in ("DATABASE_URL", "REDIS_URL"):
        os.environ.pop(name, None)
    embedded.provide()
    import django

    django.setup()


if __name__ == "__main__":
    main()
