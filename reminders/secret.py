"""The secret that `reminders up` keeps in the data folder, so that a laptop needs none in its environment."""

import os
import secrets
from pathlib import Path

KEPT_IN = "secret.key"


def read_kept_secret(data_dir: Path) -> str:
    """Return the secret kept in `data_dir`, or an empty string where there is none."""
    try:
        return (data_dir / KEPT_IN).read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return ""


def keep_secret(data_dir: Path) -> str:
    """Return the secret of `data_dir`, making it once, readable by its owner alone. Safe when two processes race."""
    path = data_dir / KEPT_IN
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return read_kept_secret(data_dir)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(48))
    return read_kept_secret(data_dir)
