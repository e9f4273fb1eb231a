"""Errors of plans and messages."""

from reminders.clinic.errors import ReminderError


class NoSenderError(ReminderError):
    """The clinic has no number to text from."""

    code = "no_sender"


class CannotSendAgainError(ReminderError):
    """A text must not, or need not, be sent again; the message says why."""

    code = "cannot_send_again"
