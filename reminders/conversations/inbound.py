"""A text comes in: stored before it is acknowledged, counted once, read in order per phone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import transaction

from reminders.clinic.models import Clinic, Clinician
from reminders.clinic.turns import take_turn
from reminders.conversations.handling import handle
from reminders.conversations.models import InboundMessage
from reminders.conversations.staff import is_staff_answer
from reminders.core.understanding import Intent, read
from reminders.messaging.models import Sender

log = structlog.get_logger(__name__)

# Settled while the carrier waits: a danger sign and an opt-out must not depend on a queue.
AT_ONCE = frozenset({Intent.RED_FLAG, Intent.OPT_OUT, Intent.OPT_IN, Intent.HELP})
SWEEP_AFTER = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class IncomingText:
    """A text as the carrier posted it."""

    message_sid: str
    from_number: str
    to_number: str
    body: str
    media: Sequence[dict[str, str]] = ()
    opt_out_type: str = ""


def receive(*, incoming: IncomingText, now: datetime) -> InboundMessage | None:
    """Store a text and settle what cannot wait, in one transaction; return its row, or None for one we have already.

    The caller acknowledges to the carrier only after this returns. What is not settled here is read by a task, and by
    a sweep where the task is lost.
    """
    with transaction.atomic():
        sender = Sender.objects.select_related("clinic").filter(number=incoming.to_number).first()
        clinic = sender.clinic if sender else None
        clinician = (
            Clinician.objects.filter(clinic=clinic, phone=incoming.from_number, is_active=True).first()
            if clinic
            else None
        )
        inbound, created = InboundMessage.objects.get_or_create(
            message_sid=incoming.message_sid,
            defaults={
                "clinic": clinic,
                "from_number": incoming.from_number,
                "to_number": incoming.to_number,
                "body": incoming.body,
                "media": list(incoming.media),
                "opt_out_type": incoming.opt_out_type,
                "received_at": now,
                "clinician": clinician,
            },
        )
        if not created:
            return None
        if clinic is None:
            log.error("text_to_unknown_sender", inbound_id=inbound.pk)
            return inbound
        if is_staff_answer(inbound) or incoming.opt_out_type or read(incoming.body).intent in AT_ONCE:
            _handle_in_turn(inbound, clinic, now)
    return inbound


def _handle_in_turn(inbound: InboundMessage, clinic: Clinic, now: datetime) -> None:
    take_turn(clinic=clinic, topic=f"conversation:{inbound.from_number}")
    handle(inbound=inbound, now=now)


def read_phone(*, inbound_id: int, now: datetime) -> int:
    """Read everything of one phone that has not been handled, oldest first; return how many texts.

    `inbound_id` names any text of that phone. Runs of the same phone take turns, so order holds across workers.
    """
    handled = 0
    with transaction.atomic():
        trigger = InboundMessage.objects.select_related("clinic").get(pk=inbound_id)
        if trigger.clinic is None:
            return 0
        take_turn(clinic=trigger.clinic, topic=f"conversation:{trigger.from_number}")
        waiting = InboundMessage.objects.filter(
            clinic=trigger.clinic, from_number=trigger.from_number, handled_at__isnull=True
        ).order_by("id")
        for inbound in waiting:
            handle(inbound=inbound, now=now)
            handled += 1
    return handled


def unread(*, now: datetime, limit: int = 200) -> list[int]:
    """Return texts that a lost task left unread, by id."""
    return list(
        InboundMessage.objects.filter(handled_at__isnull=True, clinic__isnull=False, received_at__lte=now - SWEEP_AFTER)
        .order_by("id")
        .values_list("pk", flat=True)[:limit]
    )
