"""Breaks a stack of its own in every way we know, by seed: `python -m benchmarks.chaos --seed 1 --messages 2000`.

Exit code: 0 where every promise held, 1 where one was broken, 2 where the run itself could not be done.
"""

import os
import random
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reminders.management.rehearsal.house import House, open_house, own_config

LEAST_WAVE_SECONDS = 2.0
WATCH_SECONDS = 0.5

if TYPE_CHECKING:
    from benchmarks.chaos.books import Books
    from benchmarks.chaos.field import Field


@click.command()
@click.option("--seed", default=1, show_default=True, help="Decides victims, moments and chances.")
@click.option("--messages", default=1000, show_default=True, help="Texts in all, spread over the faults.")
@click.option("--faults", default="all", show_default=True, help="Names separated by commas.")
@click.option("--window", default=60.0, show_default=True, help="Seconds over which they become due.")
@click.option("--data-dir", type=click.Path(path_type=Path, file_okay=False), help="Default: .data/chaos")
@click.option("--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Keep the table here too.")
def main(seed: int, messages: int, faults: str, window: float, data_dir: Path | None, json_file: Path | None) -> None:
    """Run one storm and print what each fault came to."""
    config = own_config()
    folder = (data_dir or config.data_dir / "chaos").expanduser().absolute()
    from benchmarks.chaos.table import Results, Storm, print_table

    switches = prepare_hosts(folder)
    began = time.monotonic()
    with open_house(config=config, data_dir=folder, say=click.echo) as house:
        os.environ.update(house.plan.environment)
        import django

        django.setup()
        run = _field(house, seed=seed, messages=messages, names=_names(faults, seed=seed), window=window)
        run.switches = switches
        books = _storm(run, _names(faults, seed=seed))
        rows = books.judge(run)
    storm = Storm(seed, messages, round(time.monotonic() - began, 1), rows, books.oddities)
    print_table(Results([storm]))
    for line in books.oddities:
        click.echo(line)
    if json_file is not None:
        storm.write(json_file)
    if storm.is_broken:
        click.echo(f"The logs of all processes are in {house.plan.places.logs}.")
    sys.exit(1 if storm.is_broken else 0)


def prepare_hosts(folder: Path) -> Path:
    """See to it that every process of the stack looks, when it starts, for what is wrong with its host."""
    from benchmarks.chaos.host_switches import HOST_FOLDER, SWITCHES_VARIABLE

    path = os.environ.get("PYTHONPATH", "")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(HOST_FOLDER), path]))
    switches = folder / "host-switches.json"
    os.environ[SWITCHES_VARIABLE] = str(switches)
    return switches


def _names(wish: str, *, seed: int) -> list[str]:
    """Return the faults in this seed's order; the freeze first, because it outlasts the others."""
    from benchmarks.chaos.faults import NAMES

    names = list(NAMES) if wish == "all" else [name.strip() for name in wish.split(",")]
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        raise click.BadParameter(f"unknown: {', '.join(unknown)}; known are {', '.join(NAMES)}")
    random.Random(seed).shuffle(names)
    return sorted(names, key=lambda name: name != "worker-freeze")


def _field(house: House, *, seed: int, messages: int, names: list[str], window: float) -> "Field":
    from benchmarks.chaos.crowd import Crowd
    from benchmarks.chaos.field import Field
    from reminders import clock
    from reminders.clinic.models import Clinic
    from reminders.management.rehearsal.carrier import CarrierControl

    rng = random.Random(seed)
    return Field(
        house=house,
        carrier=CarrierControl(house.plan.sandbox_url),
        crowd=Crowd(clinic=Clinic.objects.get(), rng=rng, now=clock.now()),
        rng=rng,
        texts_per_wave=-(-messages // len(names)),
        wave_seconds=max(LEAST_WAVE_SECONDS, window / len(names)),
        say=click.echo,
    )


def _storm(run: "Field", names: Sequence[str]) -> "Books":
    """Let all faults strike, wait until every text has come to its end, and return both sides' books."""
    from benchmarks.chaos.books import Books
    from benchmarks.chaos.faults import ALONE, HOLDING_UP, NIGHTS, TOGETHER, strike_alone, strike_together

    books = Books()
    over = threading.Event()
    watching = threading.Thread(target=_look_after, args=(run.house, books, over), daemon=True)
    watching.start()
    began = time.monotonic()

    def tell(words: str) -> None:
        click.echo(f"{time.monotonic() - began:6.1f} s  {words}")

    try:
        for name in filter(ALONE.__contains__, names):
            tell(name)
            strike_alone(run, name)
            run.calm_down()
        at_once = [name for name in names if name in TOGETHER]
        for some in ([name for name in at_once if (name in HOLDING_UP) is late] for late in (False, True)):
            if some:
                tell(", ".join(some))
                strike_together(run, some)
        for thread in run.later:
            thread.join()
        tell("waiting until every text has come to its end")
        books.settle(run)
        for name in (name for name in NIGHTS if name in names):
            tell(name)
            strike_alone(run, name)
            books.settle(run)
        tell("over")
    finally:
        over.set()
        watching.join()
    return books


def _look_after(house: House, books: "Books", over: threading.Event) -> None:
    """Do what `reminders up` does meanwhile: begin anew what the supervisor has given up on. And look at the rows."""
    from django.db import connections

    while not over.wait(WATCH_SECONDS):
        house.stack.watch()
        books.look()
    connections.close_all()


if __name__ == "__main__":
    main()
