"""Turns a PostgreSQL URL into Django's settings."""

from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from reminders.config import ConfigError

# As long as one transaction is open, rows that ended since cannot be cleaned away, and the outbox turns over all day.
# So one that a stuck process forgot is ended, and so is a statement that nobody can still be waiting for. Ours take
# milliseconds; migrations, which may take long, lift the limit for themselves (`reminders.apps`).
LIMITS = "-c idle_in_transaction_session_timeout=120s -c statement_timeout=120s"


def database_settings(url: str) -> dict[str, Any]:
    """Return Django's settings for `url`, any form that libpq reads (also Unix sockets and several hosts).

    Connections are kept for a minute and checked before use. A pool would hold fewer of them for many web threads,
    but each process here has a handful of threads, and a kept connection costs no further part that can fail.
    Server options in the URL (`?options=`) win over our limits.
    Raises `ConfigError` where libpq cannot read the URL.
    """
    try:
        parts = {key: str(value) for key, value in conninfo_to_dict(url).items() if value not in (None, "")}
    except psycopg.ProgrammingError:
        # libpq's own message quotes the URL, and with it the password.
        raise ConfigError(
            "DATABASE_URL cannot be read: it must look like postgresql://user:password@host:5432/name."
        ) from None
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.pop("dbname", "reminders"),
        "USER": parts.pop("user", ""),
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": parts.pop("port", ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": "5", **parts, "options": f"{LIMITS} {parts.get('options', '')}".strip()},
    }


def lift_statement_limit(*, using: str, **_signal: Any) -> None:
    """Let what follows on this connection take as long as it takes: a migration may build an index for hours."""
    from django.db import connections

    with connections[using].cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
