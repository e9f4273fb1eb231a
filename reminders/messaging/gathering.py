"""Asking for plans: one task per session, or, where many are recorded one after the other, a task for each batch."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

import structlog

from reminders.logs import place_of
from reminders.messaging.planning import BATCH
from reminders.messaging.tasks import plan_aftercare, plan_sessions

log = structlog.get_logger(__name__)

# An import of thousands must not stand before texts that are due.
QUEUE: Final = "tidy"

_gathered: ContextVar[list[int] | None] = ContextVar("gathered", default=None)


def ask_for_plan(treatment_session_id: int) -> None:
    """Have a committed session planned: at once, or with the others that are gathered. The sweep plans what is lost."""
    gathered = _gathered.get()
    if gathered is None:
        plan_aftercare.delay(treatment_session_id)
        return
    gathered.append(treatment_session_id)
    if len(gathered) >= BATCH:
        _publish(gathered)


@contextmanager
def plan_together() -> Iterator[None]:
    """Gather the sessions that this thread records inside, so that thousands do not become as many tasks."""
    gathered: list[int] = []
    token = _gathered.set(gathered)
    try:
        yield
    finally:
        _gathered.reset(token)
        _publish(gathered)


def _publish(gathered: list[int]) -> None:
    if gathered:
        try:
            plan_sessions.apply_async((list(gathered),), queue=QUEUE)
        except Exception as error:  # noqa: BLE001  # the sessions are stored; whoever records them is not to fail now
            log.warning(
                "plans_left_to_the_sweep", sessions=len(gathered), kind=type(error).__name__, where=place_of(error)
            )
        gathered.clear()
