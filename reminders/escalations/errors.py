"""Errors of escalations."""

from reminders.clinic.errors import ConflictError, NotFoundError


class EscalationNotFoundError(NotFoundError):
    """There is no such escalation in this clinic."""


class AlreadyTakenError(ConflictError):
    """Somebody else acknowledged or resolved it first."""

    code = "already_taken"
