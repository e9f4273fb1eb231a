"""`reminders demo`: the command. Everything that needs Django is imported once the stack is up."""

import os
import signal
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from types import FrameType

import click

from reminders.management.demo.cast import CLINIC_ZONE
from reminders.management.demo.narrator import Narrator
from reminders.management.rehearsal.house import House, open_house, own_config

# Tuesday, so that the three days are working days and no clock changes in them; just after Dana's session has ended.
FIRST_WEEKDAY = 1
FIRST_HOUR, FIRST_MINUTE = 17, 45
DAYS = timedelta(days=3)
WATCH_SECONDS = 0.5
INTERRUPTED = 130


@click.command()
@click.option("--data-dir", type=click.Path(path_type=Path, file_okay=False), help="Default: REMINDERS_DATA_DIR/demo.")
@click.option("--stay", is_flag=True, help="Keep everything running after the story, to look around; Ctrl-C ends it.")
def demo(data_dir: Path | None, stay: bool) -> None:
    """Tell three days with six patients on a stack of its own, and check every word of it.

    Exit code: 0 where all of it was true, 1 where something was off, 2 where the stack could not be started.
    """
    began = time.monotonic()
    config = own_config()
    folder = (data_dir or config.data_dir / "demo").expanduser().absolute()
    narrator = Narrator()
    narrator.say("Three days with six patients. They are invented, every process is real, no text leaves this machine.")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    try:
        narrator.say("Starting PostgreSQL, Valkey, web, workers, scheduler and the sandbox carrier ...", style="dim")
        with open_house(config=config, data_dir=folder, say=click.echo) as house:
            narrator.say(f"They are up after {time.monotonic() - began:.1f} s.", style="dim")
            _tell(house, narrator)
            _conclude(narrator, seconds=time.monotonic() - began, logs=house.plan.places.logs)
            if stay:
                _stay(house)
    except KeyboardInterrupt:
        click.echo("Stopped.")
        sys.exit(INTERRUPTED)
    sys.exit(1 if narrator.off else 0)


def _tell(house: House, narrator: Narrator) -> None:
    os.environ.update(house.plan.environment)
    import django

    django.setup()
    from reminders.management.demo.three_days import three_days

    three_days(house=house, narrator=narrator, begin=first_moment, lasts=DAYS)


def first_moment(now: datetime) -> datetime:
    """Return the next Tuesday at 17:45 in the clinic's zone, as an aware instant after `now`."""
    local = now.astimezone(CLINIC_ZONE)
    begin = local.replace(hour=FIRST_HOUR, minute=FIRST_MINUTE, second=0, microsecond=0)
    begin += timedelta(days=(FIRST_WEEKDAY - local.weekday()) % 7)
    return begin if begin > local else begin + timedelta(days=7)


def _conclude(narrator: Narrator, *, seconds: float, logs: Path) -> None:
    narrator.title("The end")
    if not narrator.off:
        narrator.say(f"All {narrator.checks} checks hold. Three days took {seconds:.0f} seconds.", style="bold green")
        narrator.say("With --stay everything keeps running after the story, to look around.", style="dim")
        return
    narrator.say(f"{len(narrator.off)} of {narrator.checks} checks do not hold:", style="bold red")
    for sentence in narrator.off:
        narrator.say(f"- {sentence}", style="red")
    narrator.say(f"The logs of all processes are in {logs}.")


def _stay(house: House) -> None:
    click.echo(f"\n  Console   {house.plan.base_url}/   (olivia, theo: {house.password})")
    click.echo(f"  Phones    {house.plan.sandbox_url}/\n\nCtrl-C stops everything.")
    while house.stack.watch():
        time.sleep(WATCH_SECONDS)


def _end(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
