"""Sending, in five moves: claim, turn, commit point, create, settle. The order of commits is the promise.

claim          scheduled -> claimed     leased to one worker, with a new fence
turn           when each may leave, at its sender's pace; what would have to stand and wait goes back
commit point   claimed -> sending       consent, expiry and lease are checked in the statement that moves the row
create         no transaction is open while the carrier is asked, many at once
settle         sending -> what the carrier said; unknown answers become `ambiguous` and wait for evidence
"""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

import structlog
from django.conf import settings
from django.db import connection, transaction

from reminders.clinic.consent import turn_topic
from reminders.clinic.turns import turn_key
from reminders.core.quiet_hours import is_quiet, next_open, next_start
from reminders.delivery.port import Carrier, CreateResult, OutgoingCall, OutgoingText
from reminders.logs import place_of
from reminders.messaging import crash_points, sql
from reminders.messaging.claimed import Claimed, Held, inspect, is_urgent, keys, known_zone
from reminders.messaging.introducing import introduce
from reminders.messaging.models import PRIORITY, ConsentRule
from reminders.messaging.settling import RESEND_LIMIT, keep_answers

log = structlog.get_logger(__name__)
Result = TypeVar("Result")
Outgoing = OutgoingText | OutgoingCall

CLAIM_LEASE_SECONDS = 30
# Longer than the slowest create, so that a lease never ends under a worker that is still asking.
SENDING_LEASE_SECONDS = 45
# Whoever may be in danger waits less long for a worker that died; the request itself is bounded all the same.
URGENT_CLAIM_LEASE_SECONDS = 6
URGENT_SENDING_LEASE_SECONDS = 25
# A worker that stood still for longer between the commit point and the create (a frozen host) lets the create be: much
# may have been cancelled since. Together with the slowest create well within the lease.
START_WITHIN_SECONDS = 10
# How many rows workers may hold at once: enough to keep them busy, few enough that no lease ends in the queue.
CAPACITY = 1000
# Texts whose turns lie this close together pass the commit point together, this long before the first of them.
TOGETHER_SECONDS = 0.02
COMMIT_AHEAD_SECONDS = 0.01
MOST_GROUPS = 16
PAUSED_RECHECK = timedelta(minutes=5)
# A row that cannot be prepared is tried again until it expires, and is then on the list of what was missed.
BROKEN_RECHECK = timedelta(minutes=1)
# Twilio's limits for ValidityPeriod are 1 and 36,000 seconds; under a minute a text hardly ever arrives.
VALIDITY_SECONDS = (60, 36_000)


@dataclass(frozen=True, slots=True)
class Look:
    """How the outbox stands: when the next text is due, whether an urgent one is, and how many rows workers hold."""

    next_due_at: datetime | None
    is_urgent_due: bool
    held: int


def look(*, now: datetime) -> Look:
    """Return how the outbox stands, at the cost of three short walks along an index."""
    with connection.cursor() as cursor:
        cursor.execute(sql.LOOK, {"now": now})
        return Look(*cursor.fetchone())


def claim_urgent(*, now: datetime, limit: int = CAPACITY) -> list[Held]:
    """Claim what is due and urgent, whatever its senders' pace: someone may be in danger."""
    return _claim(now, [PRIORITY["urgent"]], limit, urgent=True)


def claim_due(*, now: datetime, limit: int = CAPACITY) -> list[Held]:
    """Claim what is due and not urgent, as far as its senders' pace allows and workers hold less than `limit` rows.

    The senders take turns; each has its answers first, then check-ins, then advice, and of these what waited longest.
    Any number of schedulers may call this at once: a row is claimed by one of them.
    """
    return _claim(now, [level for level in sorted(PRIORITY.values()) if level != PRIORITY["urgent"]], limit)


def _claim(now: datetime, priorities: Sequence[int], limit: int, *, urgent: bool = False) -> list[Held]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql.NEED_NOT_LAST)
        cursor.execute(
            sql.CLAIM_DUE,
            {
                "now": now,
                "priorities": list(priorities),
                "urgent": urgent,
                "limit": limit,
                "lease_seconds": URGENT_CLAIM_LEASE_SECONDS if urgent else CLAIM_LEASE_SECONDS,
            },
        )
        rows = sorted(cursor.fetchall(), key=lambda row: (row[2], row[0]))
    return [Held(id=row[0], fence=row[1]) for row in rows]


def next_turn_in(*, now: datetime) -> float | None:
    """Return in how many seconds a claim may find some of what is due now, or None where nothing is, or all is held."""
    with connection.cursor() as cursor:
        cursor.execute(sql.NEXT_TURN, {"now": now, "priorities": sorted(PRIORITY.values())})
        (seconds,) = cursor.fetchone()
    return None if seconds is None else max(0.0, float(seconds))


def send_claimed(*, held: Sequence[Held], now: datetime, carrier: Carrier) -> int:
    """Send what is held and still may leave; return how many creates were asked for.

    Safe to call any number of times with the same rows: a fence or a state that has moved on makes it a no-op. A row
    that cannot be prepared is logged and waits by itself; its neighbours leave.
    """
    started = time.monotonic()
    ready = introduce(_put_back_what_must_wait(inspect(held), now), now=now)
    # Whatever may fail is made before the commit point: a row past it may have left.
    outgoing = _for_each(ready, partial(_outgoing, now=now), now)
    ready = [row for row in ready if row.id in outgoing]
    began = time.monotonic()
    turns = _take_turns(ready)
    _put_back([row for row in ready if row.id not in turns], now)
    ready = [row for row in ready if row.id in turns]
    crash_points.reach("before_commit_point")
    groups = _by_turn(ready, turns)
    asked: list[_Asked] = []
    # Each group but the last is asked in a thread of its own: a slow answer makes no other group miss its turn.
    with ThreadPoolExecutor(max_workers=MOST_GROUPS, thread_name_prefix="create") as asking:
        try:
            for group in groups:
                time.sleep(max(0.0, turns[group[0].id] - COMMIT_AHEAD_SECONDS - (time.monotonic() - began)))
                before = time.monotonic()
                at = now + timedelta(seconds=before - started)
                tries = _commit_to_send(group, at)
                committed = [row for row in group if row.id in tries]
                if committed:
                    leaving = [
                        (outgoing[row.id], began + turns[row.id], before + _may_begin_for(row, at)) for row in committed
                    ]
                    ask = partial(_create, carrier, leaving)
                    answer = _answered(ask()) if group is groups[-1] else asking.submit(ask)
                    asked.append(_Asked(committed, tries, at, answer))
        finally:
            # Also where the database went away before the last group: the answers to the others are known here alone.
            for one in asked:
                results = one.answer.result()
                crash_points.reach("before_settle")
                ended = now + timedelta(seconds=time.monotonic() - started)
                keep_answers(one.rows, one.tries, results, began=one.began, now=ended)
    crash_points.reach("before_ack")
    return sum(len(one.rows) for one in asked)


@dataclass(frozen=True, slots=True)
class _Asked:
    """Rows past the commit point, when they passed it, and the answers to come."""

    rows: list[Claimed]
    tries: dict[int, int]
    began: datetime
    answer: Future[list[CreateResult]]


def _by_turn(rows: Sequence[Claimed], turns: Mapping[int, float]) -> list[list[Claimed]]:
    """Return the rows in groups that leave together: whoever takes a text back has until shortly before it leaves."""
    groups: list[list[Claimed]] = []
    for row in sorted(rows, key=lambda row: turns[row.id]):
        if not groups or (turns[row.id] - turns[groups[-1][0].id] > TOGETHER_SECONDS and len(groups) < MOST_GROUPS):
            groups.append([])
        groups[-1].append(row)
    return groups


def _may_begin_for(row: Claimed, at: datetime) -> float:
    """Return for how many seconds from `at` its create may begin: not after it has expired either."""
    return min(START_WITHIN_SECONDS, (row.expires_at - at).total_seconds())


def _create(carrier: Carrier, leaving: Sequence[tuple[Outgoing, float, float]]) -> list[CreateResult]:
    """Ask for each create at its moment on the steady clock, and for none that could not begin in time."""
    crash_points.reach("after_commit_point")
    crash_points.reach("mid_request")
    steady = time.monotonic()
    return carrier.create(
        [
            replace(item, wait_seconds=max(0.0, turn - steady), begin_within_seconds=begin_by - max(steady, turn))
            for item, turn, begin_by in leaving
        ]
    )


def _answered(results: list[CreateResult]) -> Future[list[CreateResult]]:
    answer: Future[list[CreateResult]] = Future()
    answer.set_result(results)
    return answer


def _put_back_what_must_wait(rows: Sequence[Claimed], now: datetime) -> list[Claimed]:
    """Give back rows that fell into quiet hours since they were laid out, or whose clinic is paused."""
    may_leave = _for_each(rows, partial(_may_leave_at, now=now), now)
    waiting = [row for row in rows if row.id in may_leave and may_leave[row.id] > now]
    _put_back(waiting, now, [may_leave[row.id] for row in waiting])
    return [row for row in rows if row.id in may_leave and may_leave[row.id] <= now]


def _may_leave_at(row: Claimed, now: datetime) -> datetime:
    if row.quiet_exempt:
        return now
    if row.is_paused:
        return min(now + PAUSED_RECHECK, max(row.expires_at, now))
    zone = known_zone(row)
    if row.expires_at > now and is_quiet(at=now, zone=zone, quiet=row.quiet):
        return next_open(at=now, zone=zone, quiet=row.quiet)
    return now


def _for_each(rows: Sequence[Claimed], work: Callable[[Claimed], Result], now: datetime) -> dict[int, Result]:
    """Return what `work` makes of each row, by id. One that breaks it is put aside, and spoils no other."""
    done: dict[int, Result] = {}
    broken: list[Claimed] = []
    for row in rows:
        try:
            done[row.id] = work(row)
        except Exception as error:  # noqa: BLE001  # whatever is wrong with one row, the others must leave
            log.error("message_not_prepared", message_id=row.id, kind=type(error).__name__, where=place_of(error))
            broken.append(row)
    _put_back(broken, now, [min(now + BROKEN_RECHECK, max(row.expires_at, now)) for row in broken])
    return done


def _put_back(rows: Sequence[Held | Claimed], now: datetime, due: Sequence[datetime] | None = None) -> None:
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(sql.PUT_BACK, {**keys(rows), **({"due": list(due)} if due else {}), "now": now})


def _take_turns(rows: Sequence[Claimed]) -> dict[int, float]:
    """Return in how many seconds each may leave, by id; who is missing must wait outside, its sender is too far behind.

    The pace is the database's, so it holds across any number of workers.
    """
    if not rows:
        return {}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql.NEED_NOT_LAST)
        cursor.execute(
            sql.TAKE_TURNS,
            {
                "ids": [row.id for row in rows],
                "senders": [row.sender_id for row in rows],
                "parts": [row.segments for row in rows],
                "urgent": [is_urgent(row) for row in rows],
            },
        )
        return dict(cursor.fetchall())


def _commit_to_send(rows: Sequence[Claimed], now: datetime) -> dict[int, int]:
    """Pass the commit point with those that may; return the number of the try by message id."""
    if not rows:
        return {}
    topics = [
        turn_key(clinic_id=row.clinic_id, topic=turn_topic(number=row.to_number))
        for row in rows
        if row.consent_rule != ConsentRule.NONE
    ]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql.SHARE_TURNS, {"topics": topics})
        lease = URGENT_SENDING_LEASE_SECONDS if all(map(is_urgent, rows)) else SENDING_LEASE_SECONDS
        cursor.execute(sql.COMMIT_TO_SEND, {**keys(rows), "now": now, "lease_seconds": lease})
        tries: dict[int, int] = dict(cursor.fetchall())
        refused = [row for row in rows if row.id not in tries]
        if refused:
            cursor.execute(sql.DISMISS, {**keys(refused), "now": now})
    return tries


def _outgoing(row: Claimed, now: datetime) -> Outgoing:
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


def _validity_seconds(row: Claimed, now: datetime) -> int:
    """Return how long the carrier may hold the text: until it expires, or until the night begins."""
    until = row.expires_at
    night = None if row.quiet_exempt else next_start(at=now, zone=known_zone(row), quiet=row.quiet)
    if night is not None:
        until = min(until, night)
    least, most = VALIDITY_SECONDS
    return max(least, min(most, int((until - now).total_seconds())))


def sweep_leases(*, now: datetime, limit: int = 500) -> int:
    """Settle rows whose lease ended: claimed goes back, sending waits for evidence. Returns how many."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql.SWEEP_LEASES, {"now": now, "limit": limit, "resend_limit": RESEND_LIMIT})
        return len(cursor.fetchall())


def expire_overdue(*, now: datetime, limit: int = 5000) -> int:
    """Expire due rows past their expiry, also where a paused sender would keep them. Returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(sql.EXPIRE_OVERDUE, {"now": now, "limit": limit})
        return int(cursor.rowcount)


def give_back(*, held: Sequence[Held], now: datetime) -> None:
    """Return claimed rows that could not be handed to a worker; they keep the time they were due."""
    _put_back(held, now)
