"""`reminders manage`: Django's own commands (`migrate`, `createsuperuser`, `shell`, ...), on the right database."""

import os

import click

from reminders import embedded


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []}, add_help_option=False)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def manage(words: tuple[str, ...]) -> None:
    """Run a Django command, for example `reminders manage migrate`."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reminders.settings")
    embedded.provide()
    from django.core.management import execute_from_command_line

    execute_from_command_line(["reminders manage", *words])
