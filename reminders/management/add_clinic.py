"""`reminders add-clinic`: a new clinic with its texts, its number, its owner and an API key."""

import json
from datetime import time
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from reminders.management.django_setup import set_up_django

WEEKDAYS = {day: ["08:00", "18:00"] for day in ("mon", "tue", "wed", "thu", "fri")}


def _zone(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError):
        raise click.BadParameter("give an IANA zone such as America/Chicago") from None
    return value


def _wall(_context: click.Context, _parameter: click.Parameter, value: str) -> time:
    try:
        return time.fromisoformat(value)
    except ValueError:
        raise click.BadParameter("give a wall time such as 20:00") from None


@click.command("add-clinic")
@click.option("--name", required=True, help="As patients know it.")
@click.option("--slug", required=True, help="Short name for commands: letters, digits and dashes.")
@click.option("--phone", required=True, help="The number patients call.")
@click.option("--sender", "senders", required=True, multiple=True, help="A number to text from; may be repeated.")
@click.option("--parts-per-second", default=1.0, show_default=True, help="What each sender is allowed, in SMS parts.")
@click.option("--timezone", default="America/Chicago", show_default=True, callback=_zone)
@click.option("--quiet-start", default="20:00", show_default=True, callback=_wall)
@click.option("--quiet-end", default="09:00", show_default=True, callback=_wall)
@click.option("--owner", required=True, help="User name of the clinic's first member of staff.")
@click.option("--owner-phone", default="", help="Rung for urgent cases until a ladder is set up.")
@click.password_option("--owner-password", envvar="REMINDERS_OWNER_PASSWORD", help="Asked for where it is not given.")
def add_clinic(**options: Any) -> None:
    """Make a clinic that can go live: starter texts and protocol, sender, owner, API key (shown once, as JSON)."""
    set_up_django()
    from reminders.management.new_clinic import NewClinicError, make_clinic

    try:
        made = make_clinic(**options)
    except NewClinicError as error:
        raise click.ClickException(str(error)) from None
    click.echo(json.dumps(made))
