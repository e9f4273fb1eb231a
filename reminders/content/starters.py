"""The words this product ships with: version 1 of each text, and what stands in where a clinic's own cannot be used."""

from pathlib import Path

from django.conf import settings


def starter_text(*, key: str, language: str) -> str:
    """Return the source of the starter text `key`. Raises OSError where there is none."""
    path: Path = Path(settings.BASE_DIR) / "templates" / "messages" / language / f"{key}.j2"
    return path.read_text("utf-8")
