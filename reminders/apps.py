"""The one Django app: every capability's tables share its label and its migration history."""

from django.apps import AppConfig


class RemindersConfig(AppConfig):
    """Aftercare reminders."""

    name = "reminders"
    label = "reminders"
    verbose_name = "Aftercare reminders"
    default_auto_field = "django.db.models.BigAutoField"
