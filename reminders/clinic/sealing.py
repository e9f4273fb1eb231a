"""Encrypting what has to be read again but must not lie open in the database or its backups.

Fernet (AES-128-CBC with an HMAC) under the keys of `REMINDERS_MEDIA_KEYS`: the first encrypts, all may decrypt.
"""

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class SealError(Exception):
    """This cannot be opened: no key fits, or it belongs to something else. Holds no bytes of it."""


def seal(content: bytes, *, bound_to: bytes) -> bytes:
    """Return `content` encrypted for one thing; it can be opened for that one alone. `bound_to` has a fixed length."""
    # A token is base64 text; as bytes it takes a quarter less room.
    return base64.urlsafe_b64decode(_keys().encrypt(bound_to + content))


def unseal(sealed: bytes, *, bound_to: bytes) -> bytes:
    """Return what was sealed for this thing. Raises SealError where no key fits or it was changed."""
    try:
        opened = _keys().decrypt(base64.urlsafe_b64encode(sealed))
    except InvalidToken:
        raise SealError from None
    if not opened.startswith(bound_to):
        raise SealError
    return opened[len(bound_to) :]


def _keys() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.MEDIA_KEYS])
