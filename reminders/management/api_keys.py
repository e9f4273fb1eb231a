"""`reminders api-key`: the keys with which other systems send sessions."""

import sys
from typing import TYPE_CHECKING, NoReturn

import click

from reminders.management.django_setup import set_up_django

if TYPE_CHECKING:
    from reminders.clinic.models import Clinic


@click.group("api-key")
def api_key() -> None:
    """Make, list and end the API keys of a clinic."""
    set_up_django()


@api_key.command()
@click.option("--clinic", "slug", metavar="SLUG", help="Whose key; not needed where there is one clinic.")
@click.option("--label", required=True, help="Which system gets it, for the list.")
def create(slug: str | None, label: str) -> None:
    """Make a key and show it, this once."""
    from reminders import clock
    from reminders.clinic.services import create_api_key

    _row, plain = create_api_key(clinic=_clinic(slug), label=label, now=clock.now())
    click.echo(plain)
    click.echo("Keep it as a secret of that system: it is stored nowhere here and cannot be shown again.", err=True)


@api_key.command("list")
@click.option("--clinic", "slug", metavar="SLUG", help="Whose keys; not needed where there is one clinic.")
def list_keys(slug: str | None) -> None:
    """Show the keys of a clinic by their first letters, with their last use."""
    for key in _clinic(slug).api_keys.order_by("id"):
        used = f"last used {key.last_used_at:%Y-%m-%d %H:%M} UTC" if key.last_used_at else "never used"
        click.echo(f"{key.prefix}...  {key.label}  {'revoked' if key.revoked_at else used}")


@api_key.command()
@click.option("--clinic", "slug", metavar="SLUG", help="Whose key; not needed where there is one clinic.")
@click.argument("prefix")
def revoke(slug: str | None, prefix: str) -> None:
    """End the key that begins with PREFIX, at once."""
    from reminders import clock
    from reminders.clinic.services import revoke_api_key

    found = list(_clinic(slug).api_keys.filter(prefix=prefix.removesuffix("...")[:12], revoked_at__isnull=True))
    if len(found) != 1:
        _fail("No live key of this clinic begins like that: see `reminders api-key list`.")
    revoke_api_key(api_key=found[0], now=clock.now())
    click.echo("Revoked.")


def _clinic(slug: str | None) -> "Clinic":
    from reminders.clinic.session_files import SessionFileError
    from reminders.management.choose_clinic import choose_clinic

    try:
        return choose_clinic(slug)
    except SessionFileError as error:
        _fail(str(error))


def _fail(sentence: str) -> NoReturn:
    click.echo(sentence, err=True)
    sys.exit(2)
