"""The one Django app: every capability's tables share its label and its migration history."""

from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import pre_migrate

from reminders.database import lift_statement_limit


class RemindersConfig(AppConfig):
    """Aftercare reminders."""

    name = "reminders"
    label = "reminders"
    verbose_name = "Aftercare reminders"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connect who listens to whom, and give every process the same Celery application to publish through."""
        pre_migrate.connect(lift_statement_limit, sender=self)
        import_module("reminders.celery")
        import_module("reminders.messaging.receivers")
        import_module("reminders.escalations.receivers")
        import_module("reminders.conversations.receivers")
        import_module("reminders.console.receivers")
