"""The carrier's word about what it took: status callbacks, and what is found by asking."""

from datetime import datetime
from uuid import UUID

import structlog
from django.db import connection, transaction

from reminders.clinic import audit
from reminders.clinic.consent import turn_topic
from reminders.clinic.models import AuditEvent
from reminders.clinic.turns import take_turn
from reminders.core.carrier_errors import Fault, fault_of
from reminders.core.states import (
    CALL_RANK,
    CALL_STATE,
    CARRIER_RANK,
    CARRIER_STATE,
    MESSAGE_MOVES,
    REACHED_CARRIER,
    MessageState,
)
from reminders.messaging import sql
from reminders.messaging.cancelling import take_back
from reminders.messaging.faults import act_on_fault
from reminders.messaging.models import CarrierEvent, Message, UnknownPolicy

# What the column holds; a longer number is no code of any carrier.
MOST_CODE = 2**31 - 1
SECOND_CARRIER_ID = "second_carrier_id"

# A person may have chosen to send it again, also while this word was on its way.
UNKNOWN_TO_ALL = (MessageState.UNRESOLVED, MessageState.REPLACED)

log = structlog.get_logger(__name__)


def record_status(
    *, public_id: UUID, carrier_sid: str, status: str, error_code: int | None, now: datetime, channel: str = "sms"
) -> bool:
    """Store one callback and move the message forward if its rank rises; return whether it moved.

    Late, doubled and unknown ones are stored and change nothing. A callback carries our own id, so it also settles a
    message whose create was never answered. A second live carrier id for one message is logged as an alarm.
    """
    if error_code is not None and not 0 < error_code <= MOST_CODE:
        error_code = None
    ranks, states = (CALL_RANK, CALL_STATE) if channel == "voice" else (CARRIER_RANK, CARRIER_STATE)
    with transaction.atomic():
        message = Message.objects.select_related("clinic").filter(public_id=public_id).first()
        event = CarrierEvent.objects.create(
            clinic=message.clinic if message else None,
            message=message,
            carrier_sid=carrier_sid[:34],
            status=status[:20],
            error_code=error_code,
            received_at=now,
        )
        if message is None or status not in ranks or not carrier_sid:
            log.warning("status_not_applied", known_message=message is not None, status_known=status in ranks)
            return False
        if message.carrier_sid not in ("", carrier_sid):
            report_second_id(message, now=now)
            return False
        fault = fault_of(code=error_code)
        if fault is Fault.OPTED_OUT:
            # Before the message's row is locked, as an opt-out that comes in as a text does.
            take_turn(clinic=message.clinic, topic=turn_topic(number=message.to_number))
        moved = _move(message, states[status], ranks[status], carrier_sid, error_code, now)
        if moved:
            CarrierEvent.objects.filter(pk=event.pk).update(applied=True)
            if message.state in UNKNOWN_TO_ALL and states[status] in REACHED_CARRIER:
                _stop_sending_again(message, now)
            if states[status] in (MessageState.UNDELIVERED, MessageState.FAILED) and channel == "sms":
                act_on_fault(message=message, fault=fault, code=error_code, now=now)
    return moved


def _stop_sending_again(message: Message, now: datetime) -> None:
    """Take back the text that was to leave in the place of this one, which has left after all."""
    take_back(Message.objects.filter(sends_again=message), reason="first_one_left", now=now)


def report_second_id(message: Message, *, now: datetime) -> None:
    """Raise the alarm that the carrier took one message twice, and keep it on record, where monitoring counts it.

    Where the policy prefers twice to lost, only say so.
    """
    if message.unknown_policy == UnknownPolicy.RESEND:
        log.warning("sent_again", message_id=message.pk)
        return
    log.error(SECOND_CARRIER_ID, message_id=message.pk)
    audit.record(
        clinic=message.clinic,
        actor=AuditEvent.Actor.CARRIER,
        verb=SECOND_CARRIER_ID,
        subject=message,
        patient=message.patient,
        now=now,
    )


def _move(
    message: Message, state: MessageState, rank: int, carrier_sid: str, error_code: int | None, now: datetime
) -> bool:
    from_states = [str(origin) for origin, moves in MESSAGE_MOVES.items() if state in moves or origin is state]
    reason = str(fault_of(code=error_code)) if error_code is not None else ""
    with connection.cursor() as cursor:
        cursor.execute(
            sql.RECORD_STATUS,
            {
                "public_id": message.public_id,
                "state": str(state),
                "rank": rank,
                "sid": carrier_sid,
                "code": error_code,
                "reason": reason,
                "now": now,
                "from_states": from_states,
            },
        )
        return cursor.fetchone() is not None
