"""Settling `ambiguous` from evidence: the carrier's own list, never a blind second try."""

import time
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from django.db import transaction

from reminders.core.evidence import next_look_in
from reminders.core.states import CARRIER_RANK, MessageState
from reminders.delivery.port import Carrier, CarrierRecord, CarrierUnavailableError
from reminders.messaging.models import CarrierEvent, Message, OutboxRow, UnknownPolicy
from reminders.messaging.status import record_status

log = structlog.get_logger(__name__)

# Whether the carrier's list shows a text at once is not documented, so absence only counts after this long.
UNRESOLVED_AFTER = timedelta(minutes=15)
# Nor does it count while the carrier cannot be asked; but a clinic must not wait for a carrier that is away for hours.
UNRESOLVED_UNASKED_AFTER = timedelta(hours=1)
# The carrier's clock and ours may differ by a little; a text created before our attempt is not ours.
CLOCK_TOLERANCE = timedelta(seconds=30)
# A slow carrier must not keep a worker from its other work; the next round goes on where this one ends.
ROUND_SECONDS = 20.0


def is_look_due(*, now: datetime) -> bool:
    """Tell whether evidence is to be looked for by now."""
    return OutboxRow.objects.filter(state=MessageState.AMBIGUOUS, look_at__lte=now).exists()


def reconcile_ambiguous(
    *, now: datetime, carrier: Carrier, limit: int = 200, within_seconds: float = ROUND_SECONDS
) -> dict[str, int]:
    """Look for the ambiguous texts whose look is due in the carrier's list; count `adopted`, `waiting`, `unresolved`.

    Exactly one candidate (same two numbers, same words, created after our attempt, not known to us) is adopted. None
    by the deadline, or several, become `unresolved`: a person decides on the delivery page. A carrier that cannot be
    asked is not asked again in the same round, and proves nothing: those texts wait, but not for ever. Calls are never
    listed; what became of one, only its callback can tell.

    Any number of rounds may run at once: each takes a text by moving its next look, so no two ask for the same one. A
    round ends after `limit` texts or `within_seconds`; what is left stays due for the next.
    """
    counts = {"adopted": 0, "waiting": 0, "unresolved": 0}
    can_be_asked = True
    began = time.monotonic()
    while sum(counts.values()) < limit and time.monotonic() - began < within_seconds:
        message = _take_next(now)
        if message is None:
            break
        candidates: Sequence[CarrierRecord] = []
        patience = UNRESOLVED_AFTER
        if message.channel == "sms":
            try:
                candidates = _candidates(message, carrier) if can_be_asked else []
            except CarrierUnavailableError as error:
                log.warning("carrier_not_asked", kind=str(error))
                can_be_asked = False
            patience = UNRESOLVED_AFTER if can_be_asked else UNRESOLVED_UNASKED_AFTER
        counts[_judge(message, candidates, patience, now)] += 1
    return counts


def _take_next(now: datetime) -> Message | None:
    """Return the ambiguous message that has waited longest for its look, with its next look moved on."""
    with transaction.atomic():
        due = OutboxRow.objects.filter(state=MessageState.AMBIGUOUS, look_at__lte=now).order_by("look_at")
        row = due.select_for_update(skip_locked=True, no_key=True).first()
        if row is None:
            return None
        wait = next_look_in(unknown_for=now - row.changed_at, deadlines=(UNRESOLVED_AFTER, UNRESOLVED_UNASKED_AFTER))
        OutboxRow.objects.filter(pk=row.pk).update(look_at=now + wait)
    return Message.objects.select_related("sender").get(pk=row.pk)


def _judge(message: Message, candidates: Sequence[CarrierRecord], patience: timedelta, now: datetime) -> str:
    if len(candidates) > 1 and message.unknown_policy == UnknownPolicy.RESEND:
        # Created more than once because lost is worse than twice: each of them is it.
        log.warning("sent_again", message_id=message.pk)
        candidates = [max(candidates, key=lambda record: record.created_at)]
    if len(candidates) == 1:
        return "adopted" if _adopt(message, candidates[0], now) else "waiting"
    if len(candidates) > 1:
        log.error("several_candidates", message_id=message.pk, candidates=len(candidates))
    if len(candidates) > 1 or now - message.changed_at >= patience:
        return "unresolved" if give_up(message_id=message.pk, now=now) else "waiting"
    return "waiting"


def give_up(*, message_id: int, now: datetime) -> bool:
    """Leave an ambiguous text to a person; return whether it still was."""
    with transaction.atomic():
        still = Message.objects.filter(pk=message_id, state=MessageState.AMBIGUOUS)
        moved = still.update(state=MessageState.UNRESOLVED, changed_at=now)
        if moved:
            OutboxRow.objects.filter(pk=message_id).update(state=MessageState.UNRESOLVED, changed_at=now)
    return bool(moved)


def _adopt(message: Message, found: CarrierRecord, now: datetime) -> bool:
    # False where another round gave this id to another message with the same words at this moment; the next sees that.
    return record_status(
        public_id=message.public_id,
        carrier_sid=found.sid,
        status=found.status if found.status in CARRIER_RANK else "accepted",
        error_code=found.error_code,
        now=now,
    )


def _candidates(message: Message, carrier: Carrier) -> list[CarrierRecord]:
    first_attempt = message.attempt_log.order_by("started_at").first()
    since = (first_attempt.started_at if first_attempt else message.created_at) - CLOCK_TOLERANCE
    found = [
        record
        for record in carrier.texts_between(from_number=message.sender.number, to_number=message.to_number)
        if record.body == message.body and record.created_at >= since
    ]
    sids = [record.sid for record in found]
    known = {
        *Message.objects.filter(carrier_sid__in=sids).values_list("carrier_sid", flat=True),
        *CarrierEvent.objects.filter(carrier_sid__in=sids)
        .exclude(message=message)
        .values_list("carrier_sid", flat=True),
    }
    return [record for record in found if record.sid not in known]
