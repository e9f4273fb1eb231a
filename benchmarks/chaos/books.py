"""After the storm: waits until every text has come to its end, and counts what each wave came to."""

import time
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import DatabaseError, InterfaceError, connections

from benchmarks.chaos import rows
from benchmarks.chaos.crowd import QUIET_END, QUIET_START
from benchmarks.chaos.field import CALM_WITHIN, Field, patiently
from benchmarks.chaos.table import Row
from reminders import clock
from reminders.core.states import MessageState
from reminders.management.rehearsal.carrier import Record, message_id
from reminders.messaging.models import Message
from reminders.messaging.reconcile import UNRESOLVED_AFTER

SETTLE_SECONDS = 150.0
LOOK_EVERY_SECONDS = 0.5
PAST_THE_DEADLINE = UNRESOLVED_AFTER + timedelta(minutes=1)
# The carrier samples the product's clock; its dates may be off by the time that takes on a busy machine.
CLOCK_TOLERANCE = timedelta(seconds=0.25)
# What has passed the commit point when a STOP commits, or when it expires, is under way; its create begins within this.
UNDER_WAY = timedelta(seconds=1)
# A text that was still open so long after it was due has been hit by something and come through.
HIT_SECONDS = 5.0
# The steps of the default protocol, in minutes of elapsed time after the session: none may leave before.
OFFSET_MINUTES = {"heat": 60, "exercise": 240, "otc": 360, "check_in": 1440}


@dataclass(slots=True)
class Books:
    """Both sides' books. `last_open` is when a due row was last seen without its end, `first_open` when first."""

    first_open: dict[int, float] = field(default_factory=dict)
    last_open: dict[int, float] = field(default_factory=dict)
    oddities: list[str] = field(default_factory=list)

    def look(self) -> None:
        """Note which rows are due and open. A database that is away just now is no reason to stop."""
        try:
            due = rows.open_and_due(now=clock.now())
        except (DatabaseError, InterfaceError):
            connections.close_all()
            return
        now = time.monotonic()
        self.first_open = dict.fromkeys(due, now) | self.first_open
        self.last_open |= dict.fromkeys(due, now)

    def settle(self, run: Field) -> None:
        """Return once no row is open, of those that are due by the end.

        The clock is moved once, past what is laid out for later, and only when nothing but time can decide the rest.
        """
        deadline = time.monotonic() + SETTLE_SECONDS
        moved = False
        while left := patiently(rows.open_by_id):
            if moved and not patiently(lambda: rows.open_and_due(now=clock.now())):
                return
            if time.monotonic() > deadline:
                self.oddities.append(f"Without an end after {SETTLE_SECONDS:g} s: {rows.describe(list(left))}")
                return
            if not moved and _only_time_decides(left, run):
                patiently(lambda: run.carrier.move_clock(to=clock.now() + PAST_THE_DEADLINE))
                moved = True
            time.sleep(LOOK_EVERY_SECONDS)

    def judge(self, run: Field) -> dict[str, Row]:
        """Return what each wave came to, in the order of the waves."""
        table = {wave.name: Row() for wave in run.waves}
        now = patiently(clock.now)
        tries = rows.tries_by_row()
        undecided = set()
        messages = rows.all_rows()
        # After the rows: what the carrier has told us until then, it knows.
        creates: defaultdict[str, list[Record]] = defaultdict(list)
        for record in run.carrier.texts():
            creates[message_id(record["status_callback"])].append(record)
        for message in messages:
            if message.state == MessageState.UNRESOLVED:
                undecided.add(message.pk)
            wave = run.crowd.wave_of(message)
            # What the product itself has laid out for later (a nudge) is not for this run to judge.
            if wave in table and message.due_at <= now:
                found = creates[str(message.public_id)]
                self._judge_one(table[wave], message, found, tries.get(message.pk, []), run)
        for wave, sentence in run.wrong:
            table[wave].wrong += 1
            self.oddities.append(f"wrong: {wave}: {sentence}")
        self._time_to_heal(table, run, undecided)
        return table

    def _judge_one(
        self, row: Row, message: Message, creates: Sequence[Record], tries: Sequence[str], run: Field
    ) -> None:
        moments = [datetime.fromisoformat(record["created_at"]) for record in creates]
        again = max(0, len(creates) - 1)
        is_settled = rows.waits_for_evidence(message)
        late_stop, under_way = _after(run.taken_back.get(message.pk), moments)
        row.texts += 1
        row.sent += bool(creates)
        row.dropped += rows.is_dropped(message)
        row.unresolved += message.state == MessageState.UNRESOLVED
        row.again += 0 if is_settled else again
        row.under_way += under_way
        row.healed += rows.has_reached(message) and self._was_hit(message, tries)
        verdicts = {
            "lost": _is_lost(message, creates, run),
            "doubled": again if is_settled else 0,
            "early": any(at < _not_before(message) - CLOCK_TOLERANCE for at in moments),
            "at_night": not message.quiet_exempt and any(_is_night(at, message) for at in moments),
            "stale": any(at >= message.expires_at + UNDER_WAY for at in moments),
            # The second: a row that says it never left, of a text that the carrier has.
            "after_stop": late_stop + (rows.is_dropped(message) and bool(creates)),
            "missed": message.state == MessageState.UNRESOLVED and bool(creates),
            "wrong": _says_otherwise(message, creates),
        }
        for name, count in verdicts.items():
            setattr(row, name, getattr(row, name) + int(count))
        broken = [name for name, count in verdicts.items() if count]
        if broken:
            self.oddities.append(
                f"{', '.join(broken)}: {message.dedupe_key or message.step_key} (row {message.pk}) is {message.state} "
                f"{message.reason}, due {message.first_due_at}, tries {list(tries)}, "
                f"created {[str(at) for at in moments]}"
            )

    def _was_hit(self, message: Message, tries: Sequence[str]) -> bool:
        open_for = self.last_open.get(message.pk, 0.0) - self.first_open.get(message.pk, 0.0)
        return open_for > HIT_SECONDS or len(tries) > 1 or any(outcome != "accepted" for outcome in tries)

    def _time_to_heal(self, table: Mapping[str, Row], run: Field, undecided: Collection[int]) -> None:
        for wave in run.waves:
            for message in wave.texts:
                healed = self.last_open.get(message.pk, 0.0) - wave.ended_at
                is_meant = message.due_at < message.created_at + CALM_WITHIN and message.pk not in undecided
                if is_meant and healed > 0:
                    table[wave.name].heal_seconds = max(table[wave.name].heal_seconds, healed)


def _is_lost(message: Message, creates: Sequence[Record], run: Field) -> bool:
    """True without an end, with an end that the carrier knows nothing of, or refused for nothing."""
    if message.state == MessageState.REJECTED:
        return message.pk not in run.may_be_refused
    return rows.is_open(message) or (rows.has_reached(message) and not creates)


def _not_before(message: Message) -> datetime:
    """Return the earliest moment for a text, by a rule of its own: for planned ones, time elapsed since the session."""
    offset = OFFSET_MINUTES.get(message.step_key)
    if message.treatment_session is None or offset is None:
        return message.first_due_at
    return max(message.first_due_at, message.treatment_session.ended_at + timedelta(minutes=offset))


def _is_night(at: datetime, message: Message) -> bool:
    """Read the clock on the patient's wall: it knows nothing of how the product turns hours into instants."""
    patient = message.patient
    zone = (patient.timezone if patient is not None else "") or message.clinic.timezone
    try:
        wall = at.astimezone(ZoneInfo(zone)).time()
    except ZoneInfoNotFoundError:
        wall = at.astimezone(ZoneInfo(message.clinic.timezone)).time()
    return wall >= QUIET_START or wall < QUIET_END


def _says_otherwise(message: Message, creates: Sequence[Record]) -> bool:
    """True where the row says that it arrived or did not, and the carrier says the contrary."""
    ends = {record["status"] for record in creates}
    if message.state == MessageState.DELIVERED:
        return "delivered" not in ends
    return message.state in rows.FELL_SHORT and "delivered" in ends


def _after(taken_back: float | None, moments: Sequence[datetime]) -> tuple[int, int]:
    """Return how many creates began after a STOP had committed, and how many within the moment after it."""
    if taken_back is None:
        return 0, 0
    late = [at.timestamp() - taken_back for at in moments if at.timestamp() > taken_back]
    broken = sum(seconds > UNDER_WAY.total_seconds() for seconds in late)
    return broken, len(late) - broken


def _only_time_decides(left: Mapping[int, tuple[str, str]], run: Field) -> bool:
    """True where nothing is due that could still leave, and no evidence will ever come for what is ambiguous."""
    if any(thread.is_alive() for thread in run.later):
        return False
    known = {message_id(record["status_callback"]) for record in run.carrier.texts()}
    due = set(patiently(lambda: rows.open_and_due(now=clock.now())))
    return all(
        state == MessageState.AMBIGUOUS and public_id not in known
        for pk, (state, public_id) in left.items()
        if pk in due or state != MessageState.SCHEDULED
    )
