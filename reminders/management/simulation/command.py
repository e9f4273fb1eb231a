"""`reminders simulate`: the command. Everything that needs Django is imported once the stack is up."""

import json
import logging
import os
import signal
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from types import FrameType

import click

from reminders.management.rehearsal.house import House, open_house, own_config
from reminders.management.simulation import rates
from reminders.management.simulation.cohort import COURSE_DAYS, make_cohort

CLINIC_ZONE_NAME = "America/Chicago"
INTERRUPTED = 130
MOST_PATIENTS, MOST_DAYS = 2000, 120
MONDAY_WEEK = 7


@click.command()
@click.option("--patients", type=click.IntRange(1, MOST_PATIENTS), default=500, show_default=True, help="People.")
@click.option("--days", type=click.IntRange(COURSE_DAYS + 1, MOST_DAYS), default=30, show_default=True, help="Days.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed makes the same cohort.")
@click.option(
    "--major-per-1000", type=click.FloatRange(0, 1000), default=1000 * rates.MAJOR.value, show_default=True,
    help="Major adverse events in 1,000 sessions; more of them try the alarms harder.",
)  # fmt: skip
@click.option("--json", "json_path", type=click.Path(path_type=Path, dir_okay=False), help="Write all figures here.")
@click.option(
    "--data-dir", type=click.Path(path_type=Path, file_okay=False), help="Default: REMINDERS_DATA_DIR/simulation."
)
def simulate(
    patients: int, days: int, seed: int, major_per_1000: float, json_path: Path | None, data_dir: Path | None
) -> None:
    """Send weeks of an invented clinic through the real product on a stack of its own, and count what came of it.

    Exit code: 0, or 1 where a danger sign was missed, or 2 where the run could not be made.
    """
    began = time.monotonic()
    config = own_config()
    folder = (data_dir or config.data_dir / "simulation").expanduser().absolute()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    try:
        with open_house(config=config, data_dir=folder, say=click.echo, fast_database=True) as house:
            click.echo(f"The stack is up after {time.monotonic() - began:.0f} s.", err=True)
            missed = _simulate(house, patients, days, seed, major_per_1000 / 1000, json_path, began)
    except KeyboardInterrupt:
        click.echo("Stopped.")
        sys.exit(INTERRUPTED)
    sys.exit(1 if missed else 0)


def _simulate(
    house: House, patients: int, days: int, seed: int, major_rate: float, json_path: Path | None, began: float
) -> int:
    """Run the cohort and print its report; return how many danger signs were missed."""
    os.environ.update(house.plan.environment)
    import django

    django.setup()
    _log_to(house.plan.places.logs / "simulate.log")
    from reminders import clock
    from reminders.management.rehearsal.carrier import CarrierControl
    from reminders.management.simulation.prepare import prepare
    from reminders.management.simulation.report import make_report
    from reminders.management.simulation.run import Run, StuckError
    from reminders.management.simulation.telling import lines_of

    begins_at = first_monday(clock.now())
    cohort = make_cohort(patients=patients, days=days, seed=seed, begins_at=begins_at, major_rate=major_rate)
    try:
        prepare(carrier=CarrierControl(house.plan.sandbox_url), begins_at=begins_at)
        run = Run(sandbox_url=house.plan.sandbox_url, cohort=cohort, seed=seed, say=_Days(begins_at, days).say)
        run.play(ends_at=begins_at + timedelta(days=days))
        report = make_report(patients=patients, diary=run.diary)
    except (StuckError, ValueError) as error:
        click.echo(
            f"The simulation stops here: {house.why(error)}\nThe logs are in {house.plan.places.logs}.", err=True
        )
        sys.exit(2)
    click.echo("\n".join(lines_of(report)))
    seconds = time.monotonic() - began
    click.echo(f"\n{days} days took {seconds:.0f} seconds; seed {seed}.")
    if json_path is not None:
        facts = {"seed": seed, "days": days, "begins_at": begins_at.isoformat(), "seconds": round(seconds, 1)}
        json_path.write_text(json.dumps(facts | report.as_json(), indent=2, ensure_ascii=False) + "\n", "utf-8")
    return report.red_flags.missed


def first_monday(now: datetime) -> datetime:
    """Return the midnight in the clinic's zone with which the first Monday after `now` begins."""
    from zoneinfo import ZoneInfo

    local = now.astimezone(ZoneInfo(CLINIC_ZONE_NAME)).replace(hour=0, minute=0, second=0, microsecond=0)
    return local + timedelta(days=MONDAY_WEEK - local.weekday())


def _log_to(path: Path) -> None:
    """Let what this process does for the product be logged beside the other processes, not between the figures."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setStream(path.open("a", encoding="utf-8"))


class _Days:
    """Says how far the run is, once a day, where somebody watches."""

    def __init__(self, begins_at: datetime, days: int) -> None:
        self._begins_at, self._days, self._said = begins_at, days, 0

    def say(self, now: datetime) -> None:
        """Tell the day, if it is a new one."""
        day = (now - self._begins_at).days + 1
        if day != self._said:
            self._said = day
            click.echo(f"\rday {day} of {self._days}", err=True, nl=not sys.stderr.isatty())


def _end(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
