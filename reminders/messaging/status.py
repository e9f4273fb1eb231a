"""The carrier's word about what it took: status callbacks, and what is found by asking."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import structlog
from django.db import DataError, IntegrityError, connection, transaction
from django.db.backends.utils import CursorWrapper

from reminders.clinic import audit
from reminders.clinic.consent import turn_topic
from reminders.clinic.models import AuditEvent
from reminders.clinic.turns import take_turn
from reminders.core.carrier_errors import Fault, fault_of
from reminders.core.carrier_words import Standing, after, names_another, word_of
from reminders.core.states import REACHED_CARRIER, MessageState
from reminders.messaging import status_sql
from reminders.messaging.cancelling import take_back
from reminders.messaging.faults import act_on_fault
from reminders.messaging.models import Message, UnknownPolicy

# What the columns hold; anything longer is no code and no id of any carrier.
MOST_CODE = 2**31 - 1
SID_LENGTH = 34
STATUS_LENGTH = 20
SECOND_CARRIER_ID = "second_carrier_id"

# A person may have chosen to send it again, also while this word was on its way.
UNKNOWN_TO_ALL = (MessageState.UNRESOLVED, MessageState.REPLACED)
# Nor could the carrier know better when it said that it failed.
MAY_HAVE_A_SECOND = (*UNKNOWN_TO_ALL, MessageState.UNDELIVERED, MessageState.FAILED)
FELL_AWAY = (MessageState.UNDELIVERED, MessageState.FAILED)
# What these ask for takes turns or holds rows of other messages, so each is a transaction of its own.
ALONE = frozenset(
    {
        *(Fault.OPTED_OUT, Fault.ACCOUNT_STOPPED, Fault.SENDER_FAULT),
        *(Fault.NUMBER_INVALID, Fault.NUMBER_DEAD, Fault.NUMBER_CANNOT_TEXT),
    }
)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Report:
    """One callback: the carrier says of one of our messages how it stands."""

    public_id: UUID
    carrier_sid: str
    status: str
    error_code: int | None = None
    channel: str = "sms"

    @property
    def code(self) -> int | None:
        """The error code, where it can be one."""
        return self.error_code if self.error_code is not None and 0 < self.error_code <= MOST_CODE else None

    @property
    def must_be_alone(self) -> bool:
        """Whether what it may ask for does not go together with other reports in one transaction."""
        return self.code is not None and fault_of(code=self.code) in ALONE


class Heard(StrEnum):
    """What became of a report."""

    MOVED = "moved"  # stored, and the message moved forward
    KEPT = "kept"  # stored; late, doubled, unknown, or of another id: it changes nothing
    NOT_STORED = "not_stored"  # somebody holds the message just now: to be said again, alone


@dataclass(slots=True)
class _Row:
    """A message while its row is held."""

    id: int
    clinic_id: int
    was: MessageState
    standing: Standing
    has_moved: bool = False


@dataclass(frozen=True, slots=True)
class _Event:
    """One report as it is kept, with the message it belongs to where that is known."""

    report: Report
    row: _Row | None
    applied: bool = False
    fell_away: bool = False
    is_second_id: bool = False


def record_status(
    *, public_id: UUID, carrier_sid: str, status: str, error_code: int | None, now: datetime, channel: str = "sms"
) -> bool:
    """Store one callback and move the message forward if its rank rises; return whether it moved.

    Late, doubled and unknown ones are stored and change nothing. A callback carries our own id, so it also settles a
    message whose create was never answered. A second live carrier id for one message is logged as an alarm.
    """
    report = Report(public_id, carrier_sid, status, error_code, channel)
    return record_reports(reports=[report], now=now, alone=True) == [Heard.MOVED]


def record_reports(*, reports: Sequence[Report], now: datetime, alone: bool = False) -> list[Heard]:
    """Store callbacks in the order given and move their messages, all in one transaction; return what became of each.

    One that must be alone has to come alone, with `alone`: then its row is waited for, for some seconds. Together with
    others, one whose message somebody holds is left out. Raises the database's error, with nothing stored, where one
    report of several cannot be stored as it is; alone, such a one is kept without effect.
    """
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            return _record(cursor, reports, now, alone)
    except (IntegrityError, DataError) as error:
        if len(reports) > 1:
            raise
        # An id that another message has: a carrier that is broken, or two of our rounds that adopted it at once.
        log.error("status_not_usable", kind=type(error).__name__)
        with transaction.atomic(), connection.cursor() as cursor:
            rows = _hold(cursor, reports, alone=True)
            _keep(cursor, [_Event(report, rows.get(report.public_id)) for report in reports], now)
    return [Heard.KEPT]


def _record(cursor: CursorWrapper, reports: Sequence[Report], now: datetime, alone: bool) -> list[Heard]:
    if alone:
        cursor.execute(status_sql.WAIT_BRIEFLY)
        for report in reports:
            _take_turn_of_opt_out(report)
    rows = _hold(cursor, reports, alone=alone)
    busy = set() if alone else _existing(cursor, {report.public_id for report in reports} - rows.keys())
    events = [_judge(report, rows.get(report.public_id)) for report in reports if report.public_id not in busy]
    _keep(cursor, events, now)
    _move(cursor, [row for row in rows.values() if row.has_moved], now)
    _follow_up(events, rows.values(), now)
    applied = iter(events)
    return [
        Heard.NOT_STORED if report.public_id in busy else Heard.MOVED if next(applied).applied else Heard.KEPT
        for report in reports
    ]


def _take_turn_of_opt_out(report: Report) -> None:
    """Before the message's row is locked, as an opt-out that comes in as a text does."""
    if fault_of(code=report.code) is Fault.OPTED_OUT:
        message = Message.objects.select_related("clinic").filter(public_id=report.public_id).first()
        if message is not None:
            take_turn(clinic=message.clinic, topic=turn_topic(number=message.to_number))


def _hold(cursor: CursorWrapper, reports: Sequence[Report], *, alone: bool) -> dict[UUID, _Row]:
    statement = status_sql.HOLD if alone else status_sql.HOLD_FREE
    cursor.execute(statement, {"public_ids": [report.public_id for report in reports]})
    return {
        public_id: _Row(pk, clinic_id, MessageState(state), Standing(MessageState(state), rank, sid, code, attempts))
        for pk, public_id, clinic_id, state, rank, sid, code, attempts in cursor.fetchall()
    }


def _existing(cursor: CursorWrapper, public_ids: Collection[UUID]) -> set[UUID]:
    if not public_ids:
        return set()
    cursor.execute(status_sql.WHICH_EXIST, {"public_ids": list(public_ids)})
    return {public_id for (public_id,) in cursor.fetchall()}


def _judge(report: Report, row: _Row | None) -> _Event:
    """Let one report count; the row remembers what is known after it."""
    sid = report.carrier_sid if len(report.carrier_sid) <= SID_LENGTH else ""
    word = word_of(status=report.status, carrier_sid=sid, error_code=report.code, channel=report.channel)
    if row is None or word is None:
        log.warning("status_not_applied", known_message=row is not None, status_known=word is not None)
        return _Event(report, row)
    if names_another(standing=row.standing, word=word):
        return _Event(report, row, is_second_id=True)
    standing = after(standing=row.standing, word=word)
    if standing is None:
        return _Event(report, row)
    row.standing, row.has_moved = standing, True
    return _Event(report, row, applied=True, fell_away=word.state in FELL_AWAY and report.channel == "sms")


def _keep(cursor: CursorWrapper, events: Sequence[_Event], now: datetime) -> None:
    cursor.execute(
        status_sql.KEEP_EVENTS,
        {
            "clinics": [event.row.clinic_id if event.row else None for event in events],
            "messages": [event.row.id if event.row else None for event in events],
            "sids": [event.report.carrier_sid[:SID_LENGTH] for event in events],
            "statuses": [event.report.status[:STATUS_LENGTH] for event in events],
            "codes": [event.report.code for event in events],
            "applied": [event.applied for event in events],
            "now": now,
        },
    )


def _move(cursor: CursorWrapper, rows: Sequence[_Row], now: datetime) -> None:
    if not rows:
        return
    ends = [row.standing for row in rows]
    cursor.execute(
        status_sql.MOVE,
        {
            "ids": [row.id for row in rows],
            "states": [str(end.state) for end in ends],
            "ranks": [end.rank for end in ends],
            "sids": [end.carrier_sid for end in ends],
            "codes": [end.error_code for end in ends],
            "reasons": [end.reason for end in ends],
            "now": now,
        },
    )


def _follow_up(events: Sequence[_Event], rows: Collection[_Row], now: datetime) -> None:
    """Do what the words ask for beyond their own messages, in the same transaction."""
    left = [
        row.id
        for row in rows
        if row.has_moved and row.was in MAY_HAVE_A_SECOND and row.standing.state in REACHED_CARRIER
    ]
    if left:
        # The text that was to leave in the place of one that has left after all.
        take_back(Message.objects.filter(sends_again__in=left), reason="first_one_left", now=now)
    telling = [(event, event.row.id) for event in events if event.row and (event.fell_away or event.is_second_id)]
    if not telling:
        return
    messages = Message.objects.select_related("clinic").in_bulk({pk for _, pk in telling})
    for event, pk in telling:
        if event.is_second_id:
            report_second_id(messages[pk], now=now)
        else:
            code = event.report.code
            act_on_fault(message=messages[pk], fault=fault_of(code=code), code=code, now=now)


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
