"""Errors of the words and the protocols."""

from reminders.clinic.errors import ReminderError


class MissingTextError(ReminderError):
    """A text that is needed has no published version in this clinic, in no language."""

    code = "missing_text"


class MissingProtocolError(ReminderError):
    """The clinic has no published protocol for this treatment."""

    code = "missing_protocol"


class DraftChangedError(ReminderError):
    """Somebody else kept or published something since the author began."""

    code = "draft_changed"

    def __init__(self) -> None:
        super().__init__("Somebody changed this protocol while you were at it.")


class ChecksDifferError(ReminderError):
    """A kept story plays otherwise with the draft, and nobody said that it is meant."""

    code = "checks_differ"

    def __init__(self) -> None:
        super().__init__("A check plays otherwise with this draft: read what differs, and tick that it is meant.")
