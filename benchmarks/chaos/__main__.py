"""Breaks a stack of its own in every way we know, by seed: `python -m benchmarks.chaos --seed 1 --messages 1000`.

Exit code: 0 where every promise held, 1 where one was broken, 2 where the run itself could not be done.
"""

import os
import random
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reminders.management.demo.house import House, demo_config, open_house

LEAST_WAVE_SECONDS = 2.0
WATCH_SECONDS = 0.5

if TYPE_CHECKING:
    from benchmarks.chaos.books import Books


@click.command()
@click.option("--seed", default=1, show_default=True, help="Decides victims, moments and chances.")
@click.option("--messages", default=1000, show_default=True, help="Texts in all, spread over the faults.")
@click.option("--faults", default="all", show_default=True, help="Names separated by commas.")
@click.option("--window", default=60.0, show_default=True, help="Seconds over which they become due.")
@click.option("--data-dir", type=click.Path(path_type=Path, file_okay=False), help="Default: .data/chaos")
def main(seed: int, messages: int, faults: str, window: float, data_dir: Path | None) -> None:
    """Run one storm and print what each fault came to."""
    config = demo_config()
    folder = (data_dir or config.data_dir / "chaos").expanduser().absolute()
    with open_house(config=config, data_dir=folder, say=click.echo) as house:
        os.environ.update(house.plan.environment)
        import django

        django.setup()
        broken = _storm(house, seed=seed, messages=messages, names=_names(faults, seed=seed), window=window)
        if broken:
            click.echo(f"The logs of all processes are in {house.plan.places.logs}.")
    sys.exit(1 if broken else 0)


def _names(wish: str, *, seed: int) -> list[str]:
    """Return the faults in this seed's order; the freeze first, because it outlasts the others."""
    from benchmarks.chaos.faults import FAULTS

    names = list(FAULTS) if wish == "all" else [name.strip() for name in wish.split(",")]
    unknown = [name for name in names if name not in FAULTS]
    if unknown:
        raise click.BadParameter(f"unknown: {', '.join(unknown)}; known are {', '.join(FAULTS)}")
    random.Random(seed).shuffle(names)
    return sorted(names, key=lambda name: name != "worker-freeze")


def _storm(house: House, *, seed: int, messages: int, names: list[str], window: float) -> bool:
    from benchmarks.chaos.books import Books, Row
    from benchmarks.chaos.crowd import Crowd
    from benchmarks.chaos.faults import FAULTS
    from benchmarks.chaos.field import Field
    from reminders import clock
    from reminders.clinic.models import Clinic
    from reminders.management.demo.carrier import CarrierControl

    rng = random.Random(seed)
    run = Field(
        house=house,
        carrier=CarrierControl(house.plan.sandbox_url),
        crowd=Crowd(clinic=Clinic.objects.get(), rng=rng, now=clock.now()),
        rng=rng,
        texts_per_wave=-(-messages // len(names)),
        wave_seconds=max(LEAST_WAVE_SECONDS, window / len(names)),
        say=click.echo,
    )
    books = Books()
    over = threading.Event()
    watching = threading.Thread(target=_look_after, args=(house, books, over), daemon=True)
    watching.start()
    began = time.monotonic()
    try:
        for name in names:
            click.echo(f"{time.monotonic() - began:6.1f} s  {name}")
            FAULTS[name](run, name)
            run.waves[-1].ended_at = time.monotonic()
            run.calm_down()
        for thread in run.later:
            thread.join()
        click.echo(f"{time.monotonic() - began:6.1f} s  waiting until every text has come to its end")
        books.settle(run)
        table = books.judge(run)
    finally:
        over.set()
        watching.join()
    total = Row()
    for row in table.values():
        total.add(row)
    _print(table | {"all": total}, seed=seed)
    for line in books.oddities:
        click.echo(line)
    return total.is_broken


def _look_after(house: House, books: "Books", over: threading.Event) -> None:
    """Do what `reminders up` does meanwhile: begin anew what the supervisor has given up on. And look at the rows."""
    from django.db import connections

    while not over.wait(WATCH_SECONDS):
        house.stack.watch()
        books.look()
    connections.close_all()


def _print(table: Mapping[str, object], *, seed: int) -> None:
    from benchmarks.chaos.books import Row

    columns = [column.name for column in fields(Row)]
    click.echo(f"\nSeed {seed}")
    click.echo("| fault | " + " | ".join(name.replace("_", " ") for name in columns) + " |")
    click.echo("| --- |" + " ---: |" * len(columns))
    for name, row in table.items():
        click.echo(f"| {name} | " + " | ".join(f"{getattr(row, column):.4g}" for column in columns) + " |")


if __name__ == "__main__":
    main()
