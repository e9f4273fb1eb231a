"""One way for commands to reach the product: the embedded parts where no address is set, then Django."""

import os

from reminders import embedded


def set_up_django() -> None:
    """Start or find PostgreSQL and Valkey, and make Django ready. Call it once, before importing models."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reminders.settings")
    embedded.provide()
    import django

    django.setup()
