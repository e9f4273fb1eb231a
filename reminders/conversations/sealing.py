"""Encrypting what patients send, so that the database and its backups hold nothing that can be looked at."""

from uuid import UUID

from reminders.clinic import sealing
from reminders.clinic.sealing import SealError

__all__ = ["SealError", "seal", "unseal"]


def seal(content: bytes, *, picture: UUID) -> bytes:
    """Return `content` encrypted for one picture; it can be opened for that one alone."""
    return sealing.seal(content, bound_to=picture.bytes)


def unseal(sealed: bytes, *, picture: UUID) -> bytes:
    """Return what was sealed for this picture. Raises SealError where no key fits or it was changed."""
    return sealing.unseal(sealed, bound_to=picture.bytes)
