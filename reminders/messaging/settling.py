"""What follows from the carrier's answers: for the messages of a batch, and for senders, phones and consents."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import DatabaseError, IntegrityError, InterfaceError, OperationalError, connection, transaction

from reminders.core.carrier_errors import Fault
from reminders.core.states import MessageState
from reminders.delivery.port import Accepted, CreateResult, NotProcessed, Refused, Unknown
from reminders.messaging import sql
from reminders.messaging.cancelling import stop_sending_again
from reminders.messaging.claimed import Claimed, is_urgent
from reminders.messaging.faults import act_on_fault
from reminders.messaging.models import Message, UnknownPolicy
from reminders.messaging.status import UNKNOWN_TO_ALL, report_second_id

log = structlog.get_logger(__name__)

# How often one whose policy prefers twice to lost may be created without knowing what became of it.
RESEND_LIMIT = 4
# The first wait after a try that was not processed; it doubles with each, up to the longest.
BACK_OFF_SECONDS = 10
LONGEST_BACK_OFF_SECONDS = 300
URGENT_BACK_OFF_SECONDS = 0.5
LONGEST_URGENT_BACK_OFF_SECONDS = 5.0
# Twilio's error 21611: more texts wait for this number than it carries in hours.
SENDER_QUEUE_FULL = 21611
URGENT_FULL_QUEUE_SECONDS = 30.0
# A database that restarts is back within seconds. Together with the slowest create, within the lease of the try.
STORE_WITHIN_SECONDS = 20.0
STORE_AGAIN_SECONDS = 0.25


def keep_answers(
    rows: Sequence[Claimed],
    tries: Mapping[int, int],
    results: Sequence[CreateResult],
    *,
    began: datetime,
    now: datetime,
) -> None:
    """Act on what the carrier answered and store it, also where the database is away for a moment.

    Nobody else knows these answers, and doing all of it twice changes nothing more. Raises the database's error once it
    has been away for too long: then the lease ends, and evidence decides.
    """
    deadline = time.monotonic() + STORE_WITHIN_SECONDS
    while True:
        try:
            act_on_refusals(rows, results, now)
            settle(rows, tries, results, began=began, now=now)
        except (OperationalError, InterfaceError) as error:
            if connection.in_atomic_block or time.monotonic() >= deadline:
                raise
            log.warning("answers_not_stored_yet", messages=len(rows), kind=type(error).__name__)
            connection.close()
            time.sleep(STORE_AGAIN_SECONDS)
        else:
            return


def act_on_refusals(rows: Sequence[Claimed], results: Sequence[CreateResult], now: datetime) -> None:
    """Pause senders, mark phones and mirror opt-outs, as each refusal asks.

    Before the messages are settled: a sender is held by the time its message waits again, and who dies in between has
    lost nothing that the next refusal would not tell again.
    """
    refused = {row.id: result for row, result in zip(rows, results, strict=True) if isinstance(result, Refused)}
    if not refused:
        return
    for message in Message.objects.filter(pk__in=refused).select_related("clinic", "sender", "patient"):
        result = refused[message.pk]
        try:
            act_on_fault(message=message, fault=result.fault, code=result.code, now=now)
        except DatabaseError as error:  # a deadlock or a cut connection must not keep the answers from being stored
            log.error("fault_not_acted_on", message_id=message.pk, fault=str(result.fault), kind=type(error).__name__)


def settle(
    rows: Sequence[Claimed],
    tries: Mapping[int, int],
    results: Sequence[CreateResult],
    *,
    began: datetime,
    now: datetime,
) -> None:
    """Store what the carrier answered, for the whole batch in one statement.

    An id that another message has already comes from a carrier that is broken: it must not spoil the whole batch.
    """
    answers = [_answer(row, result, now) for row, result in zip(rows, results, strict=True)]
    try:
        _store_answers(rows, tries, answers, began, now)
    except IntegrityError:
        for row, answer in zip(rows, answers, strict=True):
            try:
                _store_answers([row], tries, [answer], began, now)
            except IntegrityError:
                log.error("carrier_id_taken", message_id=row.id)
                taken = _Answer(MessageState.AMBIGUOUS, "unknown", "carrier_id_taken")
                _store_answers([row], tries, [taken], began, now)


def _store_answers(
    rows: Sequence[Claimed],
    tries: Mapping[int, int],
    answers: Sequence["_Answer"],
    began: datetime,
    now: datetime,
) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            sql.SETTLE,
            {
                "ids": [row.id for row in rows],
                "tries": [tries[row.id] for row in rows],
                "states": [answer.state for answer in answers],
                "reasons": [answer.reason for answer in answers],
                "outcomes": [answer.outcome for answer in answers],
                "sids": [answer.sid for answer in answers],
                "codes": [answer.code for answer in answers],
                "due": [answer.due_at for answer in answers],
                "began": began,
                "now": now,
            },
        )
        settled: dict[int, str] = dict(cursor.fetchall())
        for pk in settled:
            if settled[pk] in UNKNOWN_TO_ALL:
                stop_sending_again(message_id=pk, now=now)
    sids = {row.id: answer.sid for row, answer in zip(rows, answers, strict=True) if answer.sid}
    if sids.keys() - settled.keys():
        _look_for_second_ids({pk: sid for pk, sid in sids.items() if pk not in settled}, now)


def _look_for_second_ids(sids: Mapping[int, str], now: datetime) -> None:
    """Raise the alarm where a message that was settled without us has another id than the one we were given."""
    for message in Message.objects.filter(pk__in=sids).exclude(carrier_sid=""):
        if message.carrier_sid != sids[message.pk]:
            report_second_id(message, now=now)


@dataclass(frozen=True, slots=True)
class _Answer:
    """Where a message goes from here, and what its try came to: accepted, refused, not_processed or unknown."""

    state: str
    outcome: str
    reason: str = ""
    sid: str = ""
    code: int | None = None
    due_at: datetime | None = None


def _answer(row: Claimed, result: CreateResult, now: datetime) -> _Answer:
    match result:
        case Accepted(sid):
            return _Answer(MessageState.ACCEPTED, "accepted", sid=sid)
        case NotProcessed(reason, retry_after, code):
            due_at = now + (_urgent_back_off(row, code) if is_urgent(row) else _back_off(row, retry_after))
            return _Answer(MessageState.SCHEDULED, "not_processed", reason, due_at=due_at, code=code)
        case Refused(fault, code):
            if fault in (Fault.ACCOUNT_STOPPED, Fault.SENDER_FAULT):
                # It keeps its place; the pause of its sender holds it.
                return _Answer(MessageState.SCHEDULED, "refused", str(fault), code=code)
            state = MessageState.SUPPRESSED if fault is Fault.OPTED_OUT else MessageState.REJECTED
            return _Answer(state, "refused", str(fault), code=code)
        case Unknown(reason):
            reason = f"unknown_{reason}"[:60]
            if row.unknown_policy == UnknownPolicy.RESEND and row.unknown_tries + 1 < RESEND_LIMIT:
                wait = _urgent_back_off(row, None) if is_urgent(row) else _back_off(row, None)
                return _Answer(MessageState.SCHEDULED, "unknown", reason, due_at=now + wait)
            return _Answer(MessageState.AMBIGUOUS, "unknown", reason)


def _back_off(row: Claimed, retry_after_seconds: float | None) -> timedelta:
    """Return how long to wait: as the carrier asks, else longer with each try. Spread by id, so that a batch that was
    told to wait does not come back in one moment."""
    if retry_after_seconds is None:
        retry_after_seconds = min(BACK_OFF_SECONDS * 2 ** min(row.attempts, 10), LONGEST_BACK_OFF_SECONDS)
    return timedelta(seconds=retry_after_seconds, milliseconds=row.id % 997)


def _urgent_back_off(row: Claimed, code: int | None) -> timedelta:
    """Return how long an emergency waits. The carrier asks its whole client for room, and everything else gives it;
    a few tries a second cost the carrier nothing, and ten seconds cost the patient. A full queue lasts for hours."""
    if code == SENDER_QUEUE_FULL:
        return timedelta(seconds=URGENT_FULL_QUEUE_SECONDS)
    seconds = min(URGENT_BACK_OFF_SECONDS * 2 ** min(row.attempts, 10), LONGEST_URGENT_BACK_OFF_SECONDS)
    return timedelta(seconds=seconds, milliseconds=row.id % 97)
