"""Receipts that never came: the carrier is asked what became of a text, a few times, and then no more.

A callback may be lost, and some carriers of phones give no receipt at all: `sent` without one stays so, which is true.
"""

import time
from datetime import datetime, timedelta
from typing import Final

import structlog
from django.db.models import QuerySet

from reminders.core.states import CARRIER_STATE, MessageState
from reminders.delivery.port import Carrier, CarrierRecord, CarrierUnavailableError
from reminders.messaging.models import Message
from reminders.messaging.rounds import pass_by, walk_again
from reminders.messaging.status import record_status

log = structlog.get_logger(__name__)

ASKED_AFTER: Final = (timedelta(minutes=2), timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6))
"""Receipts mostly come within seconds; a phone that is switched off takes up to a text's validity."""
GROUP: Final = 20
ROUND_SECONDS: Final = 20.0


def ask_for_receipts(*, now: datetime, carrier: Carrier, within_seconds: float = ROUND_SECONDS) -> dict[str, int]:
    """Ask for texts that have been accepted or sent for so long without another word; count `asked` and `moved`.

    What the carrier says is recorded as its callback would have been; what it says nothing new about stays as it is.
    Where the carrier cannot be asked nothing is passed over, and the round ends. Any number may run at once.
    """
    counts = {"asked": 0, "moved": 0}
    began = time.monotonic()
    for behind in ASKED_AFTER:
        name = f"receipts_{behind // timedelta(minutes=1)}"
        while time.monotonic() - began < within_seconds:
            stretch = pass_by(name=name, behind=behind, among=_without_receipt(), now=now, limit=GROUP)
            if stretch is None:
                break
            messages = {row.carrier_sid: row for row in _without_receipt().filter(pk__in=stretch.found)}
            if not messages:
                continue
            try:
                answers = carrier.texts_by_sid(sids=list(messages))
            except CarrierUnavailableError as error:
                log.warning("carrier_not_asked", kind=str(error))
                walk_again(stretch)
                return counts
            counts["asked"] += len(messages)
            counts["moved"] += sum(_record(messages[sid], answers[sid], now) for sid in answers)
    if counts["moved"]:
        log.warning("receipts_were_missing", **counts)
    return counts


def _without_receipt() -> QuerySet[Message]:
    return Message.objects.filter(
        state__in=[MessageState.ACCEPTED, MessageState.SENT], channel="sms", carrier_sid__gt=""
    )


def _record(message: Message, answer: CarrierRecord, now: datetime) -> bool:
    if CARRIER_STATE.get(answer.status, message.state) == message.state:
        return False
    return record_status(
        public_id=message.public_id,
        carrier_sid=answer.sid,
        status=answer.status,
        error_code=answer.error_code,
        now=now,
    )
