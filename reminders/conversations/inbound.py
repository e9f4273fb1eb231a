"""A text comes in: stored before it is acknowledged, counted once, read in order per phone."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import connection, transaction

from reminders.clinic.models import Clinic
from reminders.clinic.selectors import patients_by_number
from reminders.clinic.turns import conversation_of, take_turn
from reminders.conversations.danger import raise_alarm
from reminders.conversations.handling import give_up, handle, read_text
from reminders.conversations.models import InboundMessage
from reminders.conversations.pictures import expect_pictures
from reminders.conversations.staff import case_named
from reminders.core.understanding import Intent
from reminders.logs import place_of
from reminders.messaging.models import Sender

log = structlog.get_logger(__name__)

# Settled while the carrier waits: a danger sign and an opt-out must not depend on a queue.
AT_ONCE = frozenset({Intent.RED_FLAG, Intent.OPT_OUT, Intent.OPT_IN, Intent.HELP})
SWEEP_AFTER = timedelta(seconds=5)
# A text whose handling keeps failing is tried again by the sweep for so long, and then a person gets it as it is.
GIVE_UP_AFTER = timedelta(minutes=1)

# In one round trip, because the carrier waits: the row, unless there is one, and who of the staff has this phone.
STORE = """
INSERT INTO reminders_inboundmessage (
    clinic_id, message_sid, from_number, to_number, body, media, opt_out_type, received_at, clinician_id,
    handled_as, inbox, inbox_reason
)
VALUES (
    %(clinic)s, %(sid)s, %(from)s, %(to)s, %(body)s, %(media)s::jsonb, %(opt_out_type)s, %(now)s,
    (SELECT id FROM reminders_clinician
     WHERE clinic_id = %(clinic)s AND phone = %(from)s AND phone <> '' AND is_active ORDER BY id LIMIT 1),
    '', '', ''
)
ON CONFLICT (message_sid) DO NOTHING
RETURNING id, clinician_id
"""


@dataclass(frozen=True, slots=True)
class IncomingText:
    """A text as the carrier posted it."""

    message_sid: str
    from_number: str
    to_number: str
    body: str
    media: Sequence[dict[str, str]] = ()
    opt_out_type: str = ""
    is_cut_short: bool = False


def receive(*, incoming: IncomingText, now: datetime) -> InboundMessage | None:
    """Store a text and settle what cannot wait, in one transaction; return its row, or None for one we have already.

    The caller acknowledges to the carrier only after this returns. What is not settled here is read by a task, and by
    a sweep where the task is lost. Older texts of the phone may still wait then: they are read later, find the question
    closed or the phone opted out, and cannot take back what the newer text did.
    """
    with transaction.atomic():
        sender = Sender.objects.select_related("clinic").filter(number=incoming.to_number).first()
        clinic = sender.clinic if sender else None
        if clinic is not None:
            # Before the row exists: two texts of one phone get their ids, and so their order, one after the other.
            take_conversation(clinic=clinic, number=incoming.from_number)
        inbound = _store(incoming, clinic, now)
        if inbound is None:
            return None
        expect_pictures(inbound=inbound, now=now)
        if clinic is None:
            log.error("text_to_unknown_sender", inbound_id=inbound.pk)
        elif _cannot_wait(inbound):
            _settle_at_once(inbound, clinic, now)
            # What the row says now: handling it may have failed, and then the row does not have what this object has.
            inbound.refresh_from_db()
    return inbound


def _store(incoming: IncomingText, clinic: Clinic | None, now: datetime) -> InboundMessage | None:
    """Write the row, or return None where the carrier has posted this text before."""
    inbound = InboundMessage(
        clinic=clinic,
        message_sid=incoming.message_sid,
        from_number=incoming.from_number,
        to_number=incoming.to_number,
        body=incoming.body,
        media=list(incoming.media),
        opt_out_type=incoming.opt_out_type,
        received_at=now,
    )
    with connection.cursor() as cursor:
        cursor.execute(
            STORE,
            {
                "clinic": inbound.clinic_id,
                "sid": inbound.message_sid,
                "from": inbound.from_number,
                "to": inbound.to_number,
                "body": inbound.body,
                "media": json.dumps(inbound.media),
                "opt_out_type": inbound.opt_out_type,
                "now": now,
            },
        )
        stored = cursor.fetchone()
    if stored is None:
        return None
    inbound.pk, inbound.clinician_id = stored
    inbound._state.adding, inbound._state.db = False, connection.alias
    if incoming.is_cut_short:
        inbound.is_cut_short = True
        inbound.save(update_fields=["is_cut_short"])
    return inbound


def take_conversation(*, clinic: Clinic, number: str) -> None:
    """Wait for, and hold until this transaction ends, the turn to read or to write in one phone's conversation."""
    take_turn(clinic=clinic, topic=conversation_of(number))


def _cannot_wait(inbound: InboundMessage) -> bool:
    if inbound.opt_out_type or case_named(inbound) is not None:
        return True
    reading = read_text(inbound)
    return reading is None or reading.intent in AT_ONCE


def _settle_at_once(inbound: InboundMessage, clinic: Clinic, now: datetime) -> None:
    """Handle a text now. Where that fails it is tried again like any other, but people are rung first."""
    try:
        with transaction.atomic():
            handle(inbound=inbound, now=now)
    except Exception as error:  # noqa: BLE001  # the text must be stored, and people rung, whatever broke
        _log_failure("text_not_handled", inbound, error)
        _ring_if_danger(inbound, clinic, now)


def _ring_if_danger(inbound: InboundMessage, clinic: Clinic, now: datetime) -> None:
    """Do the least that a danger sign asks for, after handling it properly has failed."""
    try:
        with transaction.atomic():
            reading = read_text(inbound)
            if reading is None or reading.intent is Intent.RED_FLAG:
                people = patients_by_number(clinic=clinic, number=inbound.from_number)
                raise_alarm(inbound=inbound, clinic=clinic, reading=reading, people=people, now=now)
    except Exception as error:  # noqa: BLE001  # the row stays unread, and the sweep comes back to it
        _log_failure("alarm_not_raised", inbound, error)


def read_phone(*, inbound_id: int, now: datetime) -> int:
    """Read everything of one phone that has not been handled, oldest first; return how many texts.

    `inbound_id` names any text of that phone. Runs of the same phone take turns, so order holds across workers. Each
    text is a transaction of its own; one that fails stops the rest until it is tried again, or given up to a person.
    """
    trigger = InboundMessage.objects.select_related("clinic").get(pk=inbound_id)
    handled = 0
    while trigger.clinic is not None and _read_oldest(trigger.clinic, trigger.from_number, now):
        handled += 1
    return handled


def _read_oldest(clinic: Clinic, number: str, now: datetime) -> bool:
    waiting = InboundMessage.objects.filter(clinic=clinic, from_number=number, handled_at__isnull=True).order_by("id")
    with transaction.atomic():
        take_conversation(clinic=clinic, number=number)
        inbound = waiting.select_related("clinic", "clinician").first()
        if inbound is None:
            return False
        try:
            with transaction.atomic():
                handle(inbound=inbound, now=now)
        except Exception as error:  # noqa: BLE001  # one text that cannot be handled must not loop for ever
            _log_failure("text_not_handled", inbound, error)
            if inbound.received_at > now - GIVE_UP_AFTER:
                return False
            _ring_if_danger(inbound, clinic, now)
            give_up(inbound=InboundMessage.objects.get(pk=inbound.pk), now=now)
    return True


def _log_failure(event: str, inbound: InboundMessage, error: Exception) -> None:
    log.error(event, inbound_id=inbound.pk, kind=type(error).__name__, where=place_of(error))


def unread(*, now: datetime, limit: int = 200) -> list[int]:
    """Return texts that a lost task left unread, by id."""
    return list(
        InboundMessage.objects.filter(handled_at__isnull=True, clinic__isnull=False, received_at__lte=now - SWEEP_AFTER)
        .order_by("id")
        .values_list("pk", flat=True)[:limit]
    )
