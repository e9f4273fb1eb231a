"""How the whole installation stands, in figures: what monitoring shows and what `doctor` judges.

Read from rows, so that it does not matter which process answers. A fixed number of queries, each on an index that holds
only what it counts. No figure names a patient, a member of staff or a number.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import connection
from django.db.models import BooleanField, Count, ExpressionWrapper, F, Min, Q, QuerySet
from django.db.models.functions import Now

from reminders import clock
from reminders.clinic.models import AuditEvent, TreatmentSession
from reminders.conversations.models import InboundMessage, Picture
from reminders.core.states import IN_OUTBOX, EscalationState, MessageState, Severity
from reminders.escalations.models import Escalation
from reminders.insights.heartbeats import Duty, duties
from reminders.insights.upkeep import Upkeep, read_upkeep
from reminders.messaging.models import CarrierEvent, OutboxRow, Sender
from reminders.messaging.status import SECOND_CARRIER_ID

LATE_AFTER: Final = timedelta(seconds=60)
LATELY: Final = timedelta(hours=24)
LATELY_COUNTED: Final = 100_000
"""Of what left or ended lately, the newest so many are counted: a busy day must not make the reading slow."""
COUNTED: Final = 10_000
"""Of sessions without a plan, and of reports that name nothing, so many are counted."""
RATE_WINDOW: Final = timedelta(seconds=60)
RATE_COUNTED: Final = 20_000
"""Of what changed within it, the newest so many tell the rate: at full speed that is what left in some seconds."""
_STATES: Final = ", ".join(f"'{state}'" for state in sorted(IN_OUTBOX))
_LEFT_OUTBOX: Final = f"state NOT IN ({_STATES})"
# In one order on an index of their own, so that the planner cannot mistake the newest for most of the table.
LATELY_BY_STATE: Final = f"""
SELECT state, COUNT(*) FROM (
    SELECT state FROM reminders_message
    WHERE {_LEFT_OUTBOX} AND changed_at > %s
    ORDER BY changed_at DESC LIMIT %s
) AS newest GROUP BY state
"""  # noqa: S608  # the inserted parts are our own words
# What the carrier took within the window, by sender; where more changed than are counted, over the time these took.
PARTS_BY_SENDER: Final = f"""
WITH newest AS MATERIALIZED (
    SELECT sender_id, segments, accepted_at, changed_at FROM reminders_message
    WHERE {_LEFT_OUTBOX} AND changed_at > %(since)s
    ORDER BY changed_at DESC LIMIT %(counted)s
), span AS (
    SELECT CASE WHEN COUNT(*) < %(counted)s THEN %(since)s::timestamptz ELSE MIN(changed_at) END AS since FROM newest
)
SELECT sender_id, SUM(segments) / GREATEST(1, EXTRACT(EPOCH FROM %(now)s - since))::float8
FROM newest CROSS JOIN span WHERE accepted_at > since AND accepted_at <= %(now)s GROUP BY sender_id, since
"""  # noqa: S608
HELD: Final = (MessageState.CLAIMED, MessageState.SENDING)
OPEN, ACKNOWLEDGED = EscalationState.OPEN, EscalationState.ACKNOWLEDGED
LOST_TEXTS_SHOWN_FOR: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many wait for something, and for how many seconds the oldest of them has (0 where none waits)."""

    count: int
    oldest_seconds: float


@dataclass(frozen=True, slots=True)
class SenderFigures:
    """One number we text from, by its id: what it may send and sent a second, what is due on it, whether it is held."""

    sender_id: int
    clinic: str
    parts_per_second: float
    used_parts_per_second: float
    due: int
    is_paused: bool
    paused_reason: str


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything at one moment."""

    due: Waiting
    late: int
    held: dict[str, int]
    ambiguous: Waiting
    unresolved: Waiting
    lately: dict[str, int]
    senders: tuple[SenderFigures, ...]
    cases: dict[tuple[str, str], int]
    untaken: dict[str, Waiting]
    overdue_cases: int
    unread: Waiting
    inbox: Waiting
    texts_to_nobody: int
    pictures: Waiting
    sessions_owed_a_plan: Waiting
    second_carrier_ids: int
    reports_of_nothing: int
    upkeep: Upkeep
    duties: tuple[Duty, ...]
    clock_offset_seconds: float


def read_figures(*, now: datetime) -> Figures:
    """Return how everything stands at `now`, the product's time."""
    due = _due_by_sender(now)
    cases, untaken = _cases(now)
    open_cases = Escalation.objects.filter(state=EscalationState.OPEN)
    return Figures(
        due=_sum_of([waiting for waiting, _late in due.values()]),
        late=sum(late for _waiting, late in due.values()),
        held=_held(),
        ambiguous=_waiting(OutboxRow.objects.filter(state=MessageState.AMBIGUOUS), "changed_at", now),
        unresolved=_waiting(OutboxRow.objects.filter(state=MessageState.UNRESOLVED), "changed_at", now),
        lately=_lately(now),
        senders=_senders({sender_id: waiting.count for sender_id, (waiting, _late) in due.items()}, _used_rates(now)),
        cases=cases,
        untaken=untaken,
        overdue_cases=open_cases.filter(due_at__lt=now).exclude(snoozed_until__gt=now).count(),
        unread=_waiting(
            InboundMessage.objects.filter(handled_at__isnull=True, clinic__isnull=False), "received_at", now
        ),
        inbox=_waiting(InboundMessage.objects.filter(inbox=InboundMessage.Inbox.OPEN), "received_at", now),
        texts_to_nobody=InboundMessage.objects.filter(
            clinic__isnull=True, received_at__gt=now - LOST_TEXTS_SHOWN_FOR
        ).count(),
        pictures=_waiting(
            Picture.objects.filter(next_try_at__isnull=False, state=Picture.State.WAITING),
            "inbound__received_at",
            now,
        ),
        sessions_owed_a_plan=_waiting(
            TreatmentSession.objects.exclude(planned_revision=F("revision")).order_by("updated_at")[:COUNTED],
            "updated_at",
            now,
        ),
        second_carrier_ids=AuditEvent.objects.filter(verb=SECOND_CARRIER_ID).aggregate(
            texts=Count("subject_id", distinct=True)
        )["texts"],
        reports_of_nothing=CarrierEvent.objects.filter(message__isnull=True, received_at__gt=now - LATELY)[
            :COUNTED
        ].count(),
        upkeep=read_upkeep(now=now),
        duties=tuple(duties()),
        clock_offset_seconds=clock.offset().total_seconds(),
    )


def _waiting(
    rows: "QuerySet[OutboxRow] | QuerySet[InboundMessage] | QuerySet[Picture] | QuerySet[TreatmentSession]",
    since: str,
    now: datetime,
) -> Waiting:
    found = rows.aggregate(count=Count("pk"), oldest=Min(since))
    return Waiting(found["count"], _seconds_since(found["oldest"], now))


def _seconds_since(then: datetime | None, now: datetime) -> float:
    return 0.0 if then is None else max(0.0, (now - then).total_seconds())


def _sum_of(parts: list[Waiting]) -> Waiting:
    return Waiting(sum(part.count for part in parts), max((part.oldest_seconds for part in parts), default=0.0))


def _due_by_sender(now: datetime) -> dict[int, tuple[Waiting, int]]:
    """Return what is due now, and how many of these are late, by sender."""
    rows = (
        OutboxRow.objects.filter(state=MessageState.SCHEDULED, due_at__lte=now)
        .values("sender_id")
        .annotate(count=Count("pk"), oldest=Min("due_at"), late=Count("pk", filter=Q(due_at__lt=now - LATE_AFTER)))
    )
    return {row["sender_id"]: (Waiting(row["count"], _seconds_since(row["oldest"], now)), row["late"]) for row in rows}


def _held() -> dict[str, int]:
    rows = OutboxRow.objects.filter(state__in=HELD).values_list("state").annotate(count=Count("pk"))
    return {str(state): 0 for state in HELD} | dict(rows)


def _lately(now: datetime) -> dict[str, int]:
    """Return how many texts reached each state in the last day, of those that left or ended."""
    with connection.cursor() as cursor:
        cursor.execute(LATELY_BY_STATE, [now - LATELY, LATELY_COUNTED])
        return dict(cursor.fetchall())


def _used_rates(now: datetime) -> dict[int, float]:
    """Return how many parts a second each sender had the carrier take within the last minute."""
    with connection.cursor() as cursor:
        cursor.execute(PARTS_BY_SENDER, {"since": now - RATE_WINDOW, "now": now, "counted": RATE_COUNTED})
        return dict(cursor.fetchall())


def _senders(due: dict[int, int], used: dict[int, float]) -> tuple[SenderFigures, ...]:
    # Pauses are on the database's unmoved time.
    held = ExpressionWrapper(Q(paused_until__isnull=False, paused_until__gt=Now()), output_field=BooleanField())
    rows = Sender.objects.annotate(held=held).order_by("id")
    return tuple(
        SenderFigures(
            sender_id=row["id"],
            clinic=row["clinic__slug"],
            parts_per_second=row["parts_per_second"],
            used_parts_per_second=used.get(row["id"], 0.0),
            due=due.get(row["id"], 0),
            is_paused=row["held"],
            paused_reason=row["paused_reason"],
        )
        for row in rows.values("id", "clinic__slug", "parts_per_second", "paused_reason", "held")
    )


def _cases(now: datetime) -> tuple[dict[tuple[str, str], int], dict[str, Waiting]]:
    """Return the cases that are not closed by severity and state, and those that nobody took by severity."""
    counts = {(str(severity), str(state)): 0 for severity in Severity for state in (OPEN, ACKNOWLEDGED)}
    untaken = {str(severity): Waiting(0, 0.0) for severity in Severity}
    rows = (
        Escalation.objects.exclude(state=EscalationState.RESOLVED)
        .values("severity", "state")
        .annotate(count=Count("id"), oldest=Min("created_at"))
    )
    for row in rows:
        counts[row["severity"], row["state"]] = row["count"]
        if row["state"] == OPEN:
            untaken[row["severity"]] = Waiting(row["count"], _seconds_since(row["oldest"], now))
    return counts, untaken
