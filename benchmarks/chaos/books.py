"""After the storm: waits until every text has come to its end, and counts what each wave came to."""

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import ClassVar

from django.db import DatabaseError, InterfaceError, connections

from benchmarks.chaos.crowd import wave_of
from benchmarks.chaos.field import ChaosError, Field, patiently
from reminders import clock
from reminders.core.states import DROPPED, REACHED_CARRIER, MessageState
from reminders.management.demo.carrier import Record
from reminders.management.demo.stage import message_id
from reminders.messaging.models import DeliveryAttempt, Message, UnknownPolicy
from reminders.messaging.reconcile import UNRESOLVED_AFTER

OPEN = (MessageState.SCHEDULED, MessageState.CLAIMED, MessageState.SENDING, MessageState.AMBIGUOUS)
SETTLE_SECONDS = 300.0
LOOK_EVERY_SECONDS = 0.5
PAST_THE_DEADLINE = UNRESOLVED_AFTER + timedelta(minutes=1)
# The carrier samples the product's clock; its dates may be off by the time that takes on a busy machine.
CLOCK_TOLERANCE = timedelta(seconds=0.25)
# What has passed the commit point when a STOP commits is under way; its create begins within this.
UNDER_WAY = timedelta(seconds=1)


@dataclass(slots=True)
class Row:
    """What one wave came to. The names are the columns of the table."""

    texts: int = 0
    sent: int = 0
    dropped: int = 0
    lost: int = 0
    doubled: int = 0
    early: int = 0
    stale: int = 0
    after_stop: int = 0
    under_way: int = 0
    again: int = 0
    unresolved: int = 0
    missed: int = 0
    healed: int = 0
    heal_seconds: float = 0.0

    BROKEN: ClassVar = ("lost", "doubled", "early", "stale", "after_stop", "missed")

    @property
    def is_broken(self) -> bool:
        """True where a promise was."""
        return any(getattr(self, name) for name in self.BROKEN)

    def add(self, other: "Row") -> None:
        """Count another run's wave of the same fault in; of the times, the longest stands."""
        for column in fields(self):
            mine, theirs = getattr(self, column.name), getattr(other, column.name)
            setattr(self, column.name, max(mine, theirs) if column.name == "heal_seconds" else mine + theirs)


@dataclass(slots=True)
class Books:
    """Both sides' books. `last_open` is when a row was last seen without its end, in steady seconds."""

    last_open: dict[int, float] = field(default_factory=dict)
    oddities: list[str] = field(default_factory=list)

    def look(self) -> None:
        """Note which rows are due and open. A database that is away just now is no reason to stop."""
        try:
            due = Message.objects.filter(state__in=OPEN, first_due_at__lte=clock.now())
            self.last_open |= dict.fromkeys(due.values_list("pk", flat=True), time.monotonic())
        except (DatabaseError, InterfaceError):
            connections.close_all()

    def settle(self, run: Field) -> None:
        """Return once no row is open. The clock is moved only for those that nothing but time can decide."""
        deadline = time.monotonic() + SETTLE_SECONDS
        moved = False
        while rows := patiently(_open_rows):
            if time.monotonic() > deadline:
                raise ChaosError(f"{len(rows)} rows had not come to an end after {SETTLE_SECONDS:g} s: {_states(rows)}")
            if not moved and _only_time_decides(rows, run):
                patiently(lambda: run.carrier.move_clock(to=clock.now() + PAST_THE_DEADLINE))
                moved = True
            time.sleep(LOOK_EVERY_SECONDS)

    def judge(self, run: Field) -> dict[str, Row]:
        """Return what each wave came to, in the order of the waves."""
        creates: defaultdict[str, list[Record]] = defaultdict(list)
        for record in run.carrier.texts():
            creates[message_id(record["status_callback"])].append(record)
        table = {wave.name: Row() for wave in run.waves}
        ended = {wave.name: wave.ended_at for wave in run.waves}
        tries = defaultdict(list)
        for pk, outcome in DeliveryAttempt.objects.order_by("number").values_list("message_id", "outcome"):
            tries[pk].append(outcome)
        for message in Message.objects.order_by("id"):
            wave = wave_of(message, run.waves)
            if wave in table:
                found = creates[str(message.public_id)]
                self._judge_one(table[wave], message, found, tries[message.pk], run.taken_back, ended[wave])
        return table

    def _judge_one(
        self, row: Row, message: Message, creates: Sequence[Record], tries: Sequence[str],
        taken_back: Mapping[int, float], ended_at: float,
    ) -> None:  # fmt: skip
        reached = message.state in REACHED_CARRIER or message.state in (MessageState.UNDELIVERED, MessageState.FAILED)
        moments = [datetime.fromisoformat(record["created_at"]) for record in creates]
        row.texts += 1
        row.sent += bool(creates)
        row.dropped += message.state in DROPPED
        row.unresolved += message.state == MessageState.UNRESOLVED
        lost = message.state in OPEN or (reached and not creates) or message.state == MessageState.REJECTED
        again = max(0, len(creates) - 1)
        is_settled = message.unknown_policy == UnknownPolicy.SETTLE
        early = any(at < message.first_due_at - CLOCK_TOLERANCE for at in moments)
        stale = any(at >= message.expires_at + CLOCK_TOLERANCE for at in moments)
        late_stop, under_way = _after(taken_back.get(message.pk), moments)
        # A row that says it never left, of a text that the carrier has.
        late_stop += message.state in DROPPED and bool(creates)
        missed = message.state == MessageState.UNRESOLVED and bool(creates)
        row.lost += lost
        row.doubled += again if is_settled else 0
        row.again += 0 if is_settled else again
        row.early += early
        row.stale += stale
        row.after_stop += late_stop
        row.under_way += under_way
        row.missed += missed
        if reached and (message.fence > 1 or len(tries) > 1 or any(outcome != "accepted" for outcome in tries)):
            row.healed += 1
        if message.state != MessageState.UNRESOLVED:
            row.heal_seconds = max(row.heal_seconds, self.last_open.get(message.pk, 0.0) - ended_at)
        verdicts = {
            "lost": lost, "doubled": is_settled and again, "early": early, "stale": stale,
            "after STOP": late_stop, "missed": missed,
        }  # fmt: skip
        broken = [name for name, holds in verdicts.items() if holds]
        if broken:
            self.oddities.append(
                f"{', '.join(broken)}: {message.dedupe_key} (row {message.pk}) is {message.state} {message.reason}, "
                f"due {message.first_due_at.time()}, tries {list(tries)}, fence {message.fence}, "
                f"created {[str(at.time()) for at in moments]}"
            )


def _after(taken_back: float | None, moments: Sequence[datetime]) -> tuple[int, int]:
    """Return how many creates began after a STOP had committed, and how many within the moment after it."""
    if taken_back is None:
        return 0, 0
    late = [at.timestamp() - taken_back for at in moments if at.timestamp() > taken_back]
    broken = sum(seconds > UNDER_WAY.total_seconds() for seconds in late)
    return broken, len(late) - broken


def _open_rows() -> list[int]:
    return list(Message.objects.filter(state__in=OPEN).values_list("pk", flat=True))


def _states(rows: Sequence[int]) -> str:
    found = Message.objects.filter(pk__in=rows).values_list("dedupe_key", "state", "reason")[:20]
    return "; ".join(f"{key} {state} {reason}" for key, state, reason in found)


def _only_time_decides(rows: Sequence[int], run: Field) -> bool:
    """True where all open rows are ambiguous and the carrier has none of them: no evidence will ever come."""
    if any(thread.is_alive() for thread in run.later):
        return False
    known = {message_id(record["status_callback"]) for record in run.carrier.texts()}
    found = patiently(lambda: list(Message.objects.filter(pk__in=rows).values_list("state", "public_id")))
    return all(state == MessageState.AMBIGUOUS and str(public_id) not in known for state, public_id in found)
