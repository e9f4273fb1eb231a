"""Errors of escalations."""

from reminders.clinic.errors import ConflictError, NotFoundError


class EscalationNotFoundError(NotFoundError):
    """There is no such escalation in this clinic."""


class AlreadyTakenError(ConflictError):
    """Somebody else acknowledged or resolved it first."""

    code = "already_taken"


class CannotSnoozeError(ConflictError):
    """The case has to be looked at now, or the time is none to put it aside until."""

    code = "cannot_snooze"


class CannotHandOverError(ConflictError):
    """Nobody has the case yet, or the colleague cannot have it."""

    code = "cannot_hand_over"


class CannotTellPatientError(ConflictError):
    """No text about this case may reach the patient."""

    code = "cannot_tell_patient"
