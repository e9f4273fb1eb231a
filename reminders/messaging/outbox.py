"""Sending, in four moves: claim, commit point, create, settle. The order of commits is the promise.

claim          scheduled -> claimed     leased to one worker, with a new fence
commit point   claimed -> sending       consent, expiry and lease are checked in the statement that moves the row
create         no transaction is open while the carrier is asked, many at once
settle         sending -> what the carrier said; unknown answers become `ambiguous` and wait for evidence
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction

from reminders.core.carrier_errors import Fault
from reminders.core.quiet_hours import QuietWindow, is_quiet, next_open, next_start
from reminders.core.states import MessageState
from reminders.delivery.port import (
    Accepted,
    Carrier,
    CreateResult,
    NotProcessed,
    OutgoingCall,
    OutgoingText,
    Refused,
    Unknown,
)
from reminders.messaging import sql
from reminders.messaging.faults import act_on_faults

CLAIM_LEASE_SECONDS = 30
# Longer than the slowest create, so that a lease never ends under a worker that is still asking.
SENDING_LEASE_SECONDS = 45
BATCH = 50
RESEND_LIMIT = 4
BACK_OFF = timedelta(seconds=20)
PAUSED_RECHECK = timedelta(minutes=5)
# Twilio's limits for ValidityPeriod are 1 and 36,000 seconds; under a minute a text hardly ever arrives.
VALIDITY_SECONDS = (60, 36_000)


@dataclass(frozen=True, slots=True)
class Held:
    """A claimed row: its id and the fence that proves who holds it."""

    id: int
    fence: int


@dataclass(frozen=True, slots=True)
class _Row:
    """What a worker must know of a claimed message to judge and to send it."""

    id: int
    fence: int
    public_id: UUID
    channel: str
    to_number: str
    body: str
    quiet_exempt: bool
    due_at: datetime
    expires_at: datetime
    unknown_policy: str
    attempts: int
    sender_number: str
    is_paused: bool
    quiet: QuietWindow
    zone: ZoneInfo


# The columns of INSPECT in their order; quiet start, quiet end and zone follow them.
_ROW_COLUMNS = tuple(field.name for field in fields(_Row))[:-2]


def claim_due(*, now: datetime, limit: int = 500) -> list[Held]:
    """Claim due messages, urgent first, within each sender's allowance; at most `limit` per sender.

    Any number of schedulers may call this at once: a row is claimed by one of them.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql.CLAIM_DUE, {"now": now, "limit": limit, "lease_seconds": CLAIM_LEASE_SECONDS})
        rows = sorted(cursor.fetchall(), key=lambda row: (row[2], row[0]))
    return [Held(id=row[0], fence=row[1]) for row in rows]


def send_claimed(*, held: Sequence[Held], now: datetime, carrier: Carrier) -> int:
    """Send what is held and still may leave; return how many creates were asked for.

    Safe to call any number of times with the same rows: a fence or a state that has moved on makes it a no-op.
    """
    rows = _inspect(held)
    ready = _put_back_what_must_wait(rows, now)
    committed = _commit_to_send(ready, now)
    if not committed:
        return 0
    results = carrier.create([_outgoing(row, now) for row in committed])
    _settle(rows=committed, results=results, now=now)
    return len(committed)


def _inspect(held: Sequence[Held]) -> list[_Row]:
    with connection.cursor() as cursor:
        cursor.execute(sql.INSPECT, _keys(held))
        return [
            _Row(
                **dict(zip(_ROW_COLUMNS, row, strict=False)),
                quiet=QuietWindow(row[-3], row[-2]),
                zone=ZoneInfo(row[-1]),
            )
            for row in cursor.fetchall()
        ]


def _keys(rows: Iterable[Held | _Row]) -> dict[str, Any]:
    rows = list(rows)
    return {"ids": [row.id for row in rows], "fences": [row.fence for row in rows]}


def _put_back_what_must_wait(rows: Sequence[_Row], now: datetime) -> list[_Row]:
    """Give back rows that fell into quiet hours since they were laid out, or whose clinic is paused."""
    ready, waiting, due = [], [], []
    for row in rows:
        if row.is_paused and not row.quiet_exempt:
            waiting.append(row)
            due.append(now + PAUSED_RECHECK)
        elif not row.quiet_exempt and row.expires_at > now and is_quiet(at=now, zone=row.zone, quiet=row.quiet):
            waiting.append(row)
            due.append(next_open(at=now, zone=row.zone, quiet=row.quiet))
        else:
            ready.append(row)
    if waiting:
        with connection.cursor() as cursor:
            cursor.execute(sql.PUT_BACK, {**_keys(waiting), "due": due, "now": now})
    return ready


def _commit_to_send(rows: Sequence[_Row], now: datetime) -> list[_Row]:
    if not rows:
        return []
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql.COMMIT_TO_SEND, {**_keys(rows), "now": now, "lease_seconds": SENDING_LEASE_SECONDS})
        passed = {row[0] for row in cursor.fetchall()}
        refused = [row for row in rows if row.id not in passed]
        if refused:
            cursor.execute(sql.DISMISS, {**_keys(refused), "now": now})
    return [row for row in rows if row.id in passed]


def _outgoing(row: _Row, now: datetime) -> OutgoingText | OutgoingCall:
    base = settings.PUBLIC_BASE_URL.rstrip("/")
    # Retries of the carrier's own callbacks; the fragment is an instruction to it and never reaches us.
    callback = f"{base}/webhooks/{{}}/status/{row.public_id}/#rc=3&rp=ct,rt,5xx"
    if row.channel == "voice":
        return OutgoingCall(
            message_id=row.public_id,
            from_number=row.sender_number,
            to_number=row.to_number,
            answer_url=f"{base}/webhooks/voice/answer/{row.public_id}/",
            status_callback_url=callback.format("voice"),
        )
    return OutgoingText(
        message_id=row.public_id,
        from_number=row.sender_number,
        to_number=row.to_number,
        body=row.body,
        status_callback_url=callback.format("sms"),
        validity_seconds=_validity_seconds(row, now),
    )


def _validity_seconds(row: _Row, now: datetime) -> int:
    """Return how long the carrier may hold the text: until it expires, or until the night begins."""
    until = row.expires_at
    night = None if row.quiet_exempt else next_start(at=now, zone=row.zone, quiet=row.quiet)
    if night is not None:
        until = min(until, night)
    least, most = VALIDITY_SECONDS
    return max(least, min(most, int((until - now).total_seconds())))


def _settle(*, rows: Sequence[_Row], results: Sequence[CreateResult], now: datetime) -> None:
    """Store what the carrier answered, for the whole batch in one statement, and act on refusals."""
    answers = [_answer(row, result, now) for row, result in zip(rows, results, strict=True)]
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                sql.SETTLE,
                {
                    **_keys(rows),
                    "states": [answer.state for answer in answers],
                    "reasons": [answer.reason for answer in answers],
                    "sids": [answer.sid for answer in answers],
                    "codes": [answer.code for answer in answers],
                    "due": [answer.due_at for answer in answers],
                    "now": now,
                },
            )
        refused = {row.id: result for row, result in zip(rows, results, strict=True) if isinstance(result, Refused)}
        act_on_faults(refused, now=now)


@dataclass(frozen=True, slots=True)
class _Answer:
    state: str
    reason: str = ""
    sid: str = ""
    code: int | None = None
    due_at: datetime | None = None


def _answer(row: _Row, result: CreateResult, now: datetime) -> _Answer:
    match result:
        case Accepted(sid):
            return _Answer(MessageState.ACCEPTED, sid=sid)
        case NotProcessed(reason, retry_after):
            wait = timedelta(seconds=retry_after) if retry_after else BACK_OFF
            # Spread by id, so that a batch that was told to wait does not come back in one moment.
            return _Answer(MessageState.SCHEDULED, reason, due_at=now + wait + timedelta(milliseconds=row.id % 997))
        case Refused(fault, code):
            if fault in (Fault.ACCOUNT_STOPPED, Fault.SENDER_FAULT):
                return _Answer(MessageState.SCHEDULED, str(fault), code=code, due_at=now + PAUSED_RECHECK)
            state = MessageState.SUPPRESSED if fault is Fault.OPTED_OUT else MessageState.REJECTED
            return _Answer(state, str(fault), code=code)
        case Unknown(reason):
            if row.unknown_policy == "resend" and row.attempts + 1 < RESEND_LIMIT:
                return _Answer(MessageState.SCHEDULED, f"unknown_{reason}"[:60], due_at=now + BACK_OFF)
            return _Answer(MessageState.AMBIGUOUS, f"unknown_{reason}"[:60])


def sweep_leases(*, now: datetime, limit: int = 500) -> int:
    """Settle rows whose lease ended: claimed goes back, sending waits for evidence. Returns how many."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql.SWEEP_LEASES, {"now": now, "limit": limit, "resend_limit": RESEND_LIMIT})
        return len(cursor.fetchall())


def expire_overdue(*, now: datetime) -> int:
    """Expire due rows past their expiry, also where a paused sender would keep them. Returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE reminders_message SET state = 'expired', reason = 'found_past_expiry', changed_at = %(now)s "
            "WHERE state = 'scheduled' AND due_at <= %(now)s AND expires_at <= %(now)s",
            {"now": now},
        )
        return int(cursor.rowcount)


def give_back(*, held: Sequence[Held], now: datetime) -> None:
    """Return claimed rows that could not be handed to a worker; they are due at once again."""
    with connection.cursor() as cursor:
        cursor.execute(sql.PUT_BACK, {**_keys(held), "due": [now] * len(held), "now": now})
