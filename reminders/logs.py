"""One structured line per event, from structlog and from every library alike.

No code of this product logs names, numbers or words of patients. `drop_patient_details` is the second net: it removes
the keys under which they would travel, should someone log a whole row or form one day.
"""

import logging
import logging.config
import traceback
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import structlog

PATIENT_KEYS = frozenset(
    {
        "body", "text", "words", "content", "html", "message_body", "reply",
        "name", "first_name", "last_name", "full_name", "given_name", "family_name", "patient_name", "preferred_name",
        "phone", "phones", "to_number", "from_number", "number", "to", "from", "from_", "recipient",
        "email", "birth_date", "date_of_birth", "address", "note", "notes",
        "password", "token", "auth_token", "secret", "api_key", "authorization", "cookie", "signature",
    }
)  # fmt: skip

DROPPED = "[dropped]"


def drop_patient_details(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """structlog processor: blank the values of keys that could hold a patient's details or a secret."""
    for key in event:
        if key.lower() in PATIENT_KEYS:
            event[key] = DROPPED
    return event


def place_of(error: BaseException) -> str:
    """Return file and line where an error arose: enough to find it, and no words or phones as in its message."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""


SHARED_PROCESSORS: list[structlog.types.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    drop_patient_details,
]


def logging_settings(*, log_format: str, log_level: str) -> dict[str, Any]:
    """Return the standard library's logging settings: everything to standard error, one line per event."""
    renderer: structlog.types.Processor
    if log_format == "console":
        renderer = structlog.dev.ConsoleRenderer(colors=False)
    else:
        renderer = structlog.processors.JSONRenderer()
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.format_exc_info,
                    renderer,
                ],
                "foreign_pre_chain": SHARED_PROCESSORS,
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": log_level},
        "loggers": {
            # Each of these prints requests or statements with their values at INFO or DEBUG.
            "twilio": {"level": "WARNING"},
            "urllib3": {"level": "WARNING"},
            "aiohttp.access": {"level": "WARNING"},
            "django.db.backends": {"level": "WARNING"},
            # Two lines per task, at 0.5 ms of a core: the rows say what came of it, failures are logged all the same.
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
            # Handlers of their own would print a second, unstructured line.
            "django": {"handlers": [], "propagate": True},
            "django.server": {"handlers": [], "propagate": True},
            "gunicorn.error": {"level": "INFO", "handlers": [], "propagate": True},
        },
    }


def configure_logging(*, log_format: str, log_level: str) -> None:
    """Send structlog's and the standard library's events to standard error, one line each. May be called again."""
    logging.config.dictConfig(logging_settings(log_format=log_format, log_level=log_level))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED_PROCESSORS,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
