"""The secrets that `reminders up` keeps in the data folder, so that a laptop needs none in its environment."""

import base64
import os
import secrets
from pathlib import Path

KEPT_IN = "secret.key"
MEDIA_KEPT_IN = "media.key"


def read_kept_secret(data_dir: Path) -> str:
    """Return the secret kept in `data_dir`, or an empty string where there is none."""
    return _read(data_dir / KEPT_IN)


def keep_secret(data_dir: Path) -> str:
    """Return the secret of `data_dir`, making it once, readable by its owner alone. Safe when two processes race."""
    return _keep(data_dir / KEPT_IN, secrets.token_urlsafe(48))


def read_kept_media_key(data_dir: Path) -> str:
    """Return the key for pictures kept in `data_dir`, or an empty string where there is none."""
    return _read(data_dir / MEDIA_KEPT_IN)


def keep_media_key(data_dir: Path) -> str:
    """Return the key for pictures of `data_dir`, made as `keep_secret` makes its own."""
    return _keep(data_dir / MEDIA_KEPT_IN, new_media_key())


def new_media_key() -> str:
    """Return a new key as Fernet takes it: 32 random bytes in URL-safe base64."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode("ascii")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return ""


def _keep(path: Path, value: str) -> str:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read(path)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(value)
    return _read(path)
