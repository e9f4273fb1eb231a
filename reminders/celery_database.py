"""Celery's Django support, with database connections kept from task to task.

Celery closes them before and after each task. A new connection costs both sides together 9 ms of a core, more than all
else that carrying a batch of fifty texts through Celery costs; so tasks follow the rule that Django itself has for
requests (CONN_MAX_AGE, CONN_HEALTH_CHECKS): kept for a while, looked at before use.
"""

from typing import Any

from celery import Celery
from celery.fixups import django as celerys

# The library's published types are older than the library: they lack half of what is named here.
_WorkerFixup: Any = celerys.DjangoWorkerFixup  # type: ignore[attr-defined]
_Fixup: Any = celerys.DjangoFixup


class KeepingWorkerFixup(_WorkerFixup):  # type: ignore[misc]
    """Lets go of a connection that broke or is old, and of no other. Each thread has its own."""

    def close_database(self, **_signal: Any) -> None:
        from django.db import close_old_connections

        close_old_connections()


class KeepingFixup(_Fixup):  # type: ignore[misc]
    """Celery's Django support with our rule for connections."""

    _worker_fixup: KeepingWorkerFixup | None

    @property
    def worker_fixup(self) -> KeepingWorkerFixup:
        if self._worker_fixup is None:
            self._worker_fixup = KeepingWorkerFixup(self.app)
        return self._worker_fixup


def fixup(app: Celery) -> KeepingFixup:
    """Install it; Celery calls this by its name."""
    installed: KeepingFixup = KeepingFixup(app).install()
    return installed
