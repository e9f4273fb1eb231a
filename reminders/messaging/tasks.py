"""Thin Celery tasks: they carry ids, read the clock, and call one verb.

What asks the carrier about the past is for the tidy queue, where a carrier that hangs keeps nobody from sending.
"""

from collections.abc import Sequence

import structlog
from celery import shared_task

from reminders import clock
from reminders.delivery.registry import carrier
from reminders.messaging.claimed import Held
from reminders.messaging.outbox import send_claimed
from reminders.messaging.planning import plan_aftercare as plan
from reminders.messaging.planning import plan_many
from reminders.messaging.receipts import ask_for_receipts
from reminders.messaging.reconcile import reconcile_ambiguous

log = structlog.get_logger(__name__)


@shared_task
def send_batch(held: Sequence[Sequence[int]]) -> int:
    """Send claimed messages, given as [id, fence] pairs. Delivered twice or late, it does nothing the second time."""
    return send_claimed(held=[Held(id=pair[0], fence=pair[1]) for pair in held], now=clock.now(), carrier=carrier())


@shared_task
def plan_aftercare(treatment_session_id: int) -> int:
    """Lay out the plan of one treatment session."""
    return plan(treatment_session_id=treatment_session_id, now=clock.now())


@shared_task
def plan_sessions(treatment_session_ids: Sequence[int]) -> int:
    """Lay out the plans of these sessions; one that cannot be planned is logged, and left to the sweep."""
    planned = plan_many(treatment_session_ids=treatment_session_ids, now=clock.now())
    for treatment_session_id, error in planned.failures.items():
        code = getattr(error, "code", type(error).__name__)
        log.error("not_planned", treatment_session_id=treatment_session_id, code=code)
    return planned.messages


@shared_task
def reconcile() -> None:
    """Look for ambiguous texts in the carrier's list."""
    reconcile_ambiguous(now=clock.now(), carrier=carrier())


@shared_task
def find_receipts() -> None:
    """Ask the carrier what became of texts that no callback came for."""
    ask_for_receipts(now=clock.now(), carrier=carrier())
