"""Settling `ambiguous` from evidence: the carrier's own list, never a blind second try."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from reminders.core.states import CARRIER_RANK, MessageState
from reminders.delivery.port import Carrier, CarrierRecord, CarrierUnavailableError
from reminders.messaging.models import Message
from reminders.messaging.status import record_status

log = structlog.get_logger(__name__)

# Whether the carrier's list shows a text at once is not documented, so absence only counts after this long.
UNRESOLVED_AFTER = timedelta(minutes=15)
# The carrier's clock and ours may differ by a little; a text created before our attempt is not ours.
CLOCK_TOLERANCE = timedelta(seconds=30)


def reconcile_ambiguous(*, now: datetime, carrier: Carrier, limit: int = 100) -> dict[str, int]:
    """Look for each ambiguous text in the carrier's list; return counts of `adopted`, `waiting`, `unresolved`.

    Exactly one candidate (same two numbers, same words, created after our attempt, not known to us) is adopted. None
    by the deadline, or several, become `unresolved`: a person decides on the delivery page.
    """
    counts = {"adopted": 0, "waiting": 0, "unresolved": 0}
    ambiguous = Message.objects.filter(state=MessageState.AMBIGUOUS).select_related("sender").order_by("changed_at")
    for message in ambiguous[:limit]:
        counts[_reconcile(message, carrier, now)] += 1
    return counts


def _reconcile(message: Message, carrier: Carrier, now: datetime) -> str:
    candidates: Sequence[CarrierRecord] = []
    if message.channel == "sms":
        try:
            candidates = _candidates(message, carrier)
        except CarrierUnavailableError:
            log.warning("carrier_not_asked", message_id=message.pk)
            return "waiting"
    if len(candidates) == 1:
        found = candidates[0]
        status = found.status if found.status in CARRIER_RANK else "accepted"
        record_status(
            public_id=message.public_id,
            carrier_sid=found.sid,
            status=status,
            error_code=found.error_code,
            now=now,
        )
        return "adopted"
    if len(candidates) > 1:
        log.error("several_candidates", message_id=message.pk, candidates=len(candidates))
    if len(candidates) > 1 or now - message.changed_at >= UNRESOLVED_AFTER:
        moved = Message.objects.filter(pk=message.pk, state=MessageState.AMBIGUOUS).update(
            state=MessageState.UNRESOLVED, changed_at=now
        )
        return "unresolved" if moved else "waiting"
    return "waiting"


def _candidates(message: Message, carrier: Carrier) -> list[CarrierRecord]:
    first_attempt = message.attempt_log.order_by("number").first()
    since = (first_attempt.started_at if first_attempt else message.created_at) - CLOCK_TOLERANCE
    found = [
        record
        for record in carrier.texts_between(from_number=message.sender.number, to_number=message.to_number)
        if record.body == message.body and record.created_at >= since
    ]
    known = set(Message.objects.filter(carrier_sid__in=[r.sid for r in found]).values_list("carrier_sid", flat=True))
    return [record for record in found if record.sid not in known]
