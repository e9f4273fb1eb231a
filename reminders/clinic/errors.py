"""The product's errors: one root, a stable `code`, and a sentence a user can act on. They never hold PHI."""

from collections.abc import Sequence
from dataclasses import dataclass


class ReminderError(Exception):
    """Root of all errors a user can act on. `code` is stable; the message is a whole sentence."""

    code = "error"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with one field of an input."""

    field: str
    code: str
    sentence: str


class InvalidInputError(ReminderError):
    """An input has one or more problems; nothing was stored."""

    code = "invalid_input"

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(" ".join(problem.sentence for problem in problems))
        self.problems = tuple(problems)


class NotFoundError(ReminderError):
    """There is no such row in this clinic."""

    code = "not_found"


class ConflictError(ReminderError):
    """Somebody else was faster, or the row is past the state this needs."""

    code = "conflict"
