"""Errors of plans and messages."""

from reminders.clinic.errors import ReminderError


class NoSenderError(ReminderError):
    """The clinic has no number to text from."""

    code = "no_sender"
