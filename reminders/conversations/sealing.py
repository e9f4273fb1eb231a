"""Encrypting what patients send, so that the database and its backups hold nothing that can be looked at.

Fernet (AES-128-CBC with an HMAC) under the keys of `REMINDERS_MEDIA_KEYS`: the first encrypts, all may decrypt.
"""

import base64
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

_ID_BYTES = 16


class SealError(Exception):
    """This cannot be opened: no key fits, or it belongs to another picture. Holds no bytes of it."""


def seal(content: bytes, *, picture: UUID) -> bytes:
    """Return `content` encrypted for one picture; it can be opened for that one alone."""
    # A token is base64 text; as bytes it takes a quarter less room.
    return base64.urlsafe_b64decode(_keys().encrypt(picture.bytes + content))


def unseal(sealed: bytes, *, picture: UUID) -> bytes:
    """Return what was sealed for this picture. Raises SealError where no key fits or it was changed."""
    try:
        opened = _keys().decrypt(base64.urlsafe_b64encode(sealed))
    except InvalidToken:
        raise SealError from None
    if opened[:_ID_BYTES] != picture.bytes:
        raise SealError
    return opened[_ID_BYTES:]


def _keys() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.MEDIA_KEYS])
