"""Weeks of a clinic on the moved clock: sessions come in, phones buzz, people answer, staff take cases."""

import re
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Min

from reminders import clock
from reminders.clinic.models import Clinic
from reminders.clinic.session_files import Row
from reminders.conversations.check_ins import open_asked_check_ins
from reminders.conversations.models import CheckIn
from reminders.conversations.silence import close_silent
from reminders.core.states import CheckInState, EscalationState, MessageState, Severity
from reminders.escalations.models import Escalation
from reminders.escalations.services import ring_due
from reminders.management.rehearsal.carrier import CarrierControl, Record, message_id
from reminders.management.rehearsal.draining import has_sessions_without_plan, has_texts_due, has_unread_texts
from reminders.management.simulation.behaviour import Reply, Voice
from reminders.management.simulation.clockwork import Calendar, next_look
from reminders.management.simulation.cohort import Cohort, Visit
from reminders.management.simulation.staff import taken_at
from reminders.messaging.models import Kind, Message, OutboxRow, Sender
from reminders.messaging.session_import import import_rows

PATIENCE_SECONDS = 60.0
LOOK_AGAIN_SECONDS = 0.008
# Phones that write at the same moment; the product has more threads than that.
PHONES_AT_ONCE = 8
CODE = re.compile(r"\bcase (\w+)")
QUESTIONS = {Kind.CHECK_IN: "check_in", Kind.RECHECK: "recheck"}
FOLLOW_UP, CLARIFY = "told_your_pt_follow_up", "ask_number_again"
LEAST_STEP = timedelta(seconds=1)


class StuckError(Exception):
    """The product did not do something within its time. The message is a sentence."""


@dataclass(frozen=True, slots=True)
class Written:
    """A text that a patient has written: what it was, about which session, and under which id it came in."""

    sid: str
    visit: Visit
    reply: Reply


@dataclass(frozen=True, slots=True)
class _Write:
    """A patient is going to write."""

    visit: Visit
    reply: Reply


@dataclass(frozen=True, slots=True)
class _Take:
    """A member of staff is going to take a case: by its code from this phone."""

    case: int
    phone: str
    code: str


@dataclass(slots=True)
class Diary:
    """What has happened so far, as the people in it know."""

    written: list[Written] = field(default_factory=list)
    asked_at: dict[tuple[str, str], datetime] = field(default_factory=dict)
    """When a question reached the phone, by session and kind."""


class Run:
    """One cohort on one stack, from its first session to `ends_at`."""

    def __init__(self, *, sandbox_url: str, cohort: Cohort, seed: int, say: Callable[[datetime], None]) -> None:
        self._carrier = CarrierControl(sandbox_url)
        self._clinic = Clinic.objects.get()
        self._sender = Sender.objects.get(clinic=self._clinic).number
        self._seed, self._say = seed, say
        self._visits = {visit.id: visit for visit in cohort.visits}
        self._voices = {visit.id: Voice(seed=seed, visit=visit) for visit in cohort.visits}
        self._sessions: Calendar[Visit] = Calendar()
        self._soon: Calendar[_Write | _Take] = Calendar()
        self._exact: Calendar[_Write | _Take] = Calendar()
        self._by_sid: dict[str, Visit] = {}
        self._told: set[int] = set()
        self._taken: set[int] = set()
        self._last_case = 0
        self.diary = Diary()
        for visit in cohort.visits:
            self._sessions.add(visit.ended_at, visit)
            alarm = self._voices[visit.id].alarm()
            if alarm is not None:
                self._exact.add(alarm.at, _Write(visit, alarm))

    def play(self, *, ends_at: datetime) -> None:
        """Go from moment to moment until nothing more happens before `ends_at`. Raises StuckError."""
        with ThreadPoolExecutor(PHONES_AT_ONCE) as phones:
            while (at := self._next_moment()) is not None and at < ends_at:
                self._carrier.move_clock(to=at)
                now = clock.now()
                self._hand_in(now)
                deeds = [*self._exact.due(now), *self._soon.due(now)]
                list(phones.map(self._do, deeds))
                self._settle()
                self._listen()
                self._look_at_worklist()
                self._say(now)
        if clock.now() < ends_at:
            self._carrier.move_clock(to=ends_at)
            self._settle()

    def _next_moment(self) -> datetime | None:
        now = clock.now()
        looks = [
            self._sessions.next_at(),
            self._soon.next_at(),
            OutboxRow.objects.filter(state=MessageState.SCHEDULED).aggregate(at=Min("due_at"))["at"],
            CheckIn.objects.filter(state=CheckInState.OPEN, closes_at__gt=now).aggregate(at=Min("closes_at"))["at"],
        ]
        ringing = Escalation.objects.filter(state=EscalationState.OPEN, next_ring_at__isnull=False)
        exact = [self._exact.next_at(), ringing.aggregate(at=Min("next_ring_at"))["at"]]
        moments = [next_look(at) for at in looks if at is not None] + [at for at in exact if at is not None]
        return max(min(moments), now + LEAST_STEP) if moments else None

    def _hand_in(self, now: datetime) -> None:
        """Take in the sessions that have ended, as the clinic's own system hands them in."""
        rows = [Row(number, visit.columns(), ()) for number, visit in enumerate(self._sessions.due(now), start=1)]
        if not rows:
            return
        tally = import_rows(clinic=self._clinic, rows=rows, dry_run=False, progress=lambda: None)
        if tally.refusals:
            raise StuckError(f"{len(tally.refusals)} invented sessions were refused: {tally.refusals[0].problems[0]}")

    def _do(self, deed: _Write | _Take) -> None:
        if isinstance(deed, _Take):
            if deed.case in self._taken:
                return
            self._taken.add(deed.case)
            self._carrier.text(sender=deed.phone, to=self._sender, body=deed.code)
            return
        visit, reply = deed.visit, deed.reply
        sid = self._carrier.text(sender=visit.patient.phone, to=self._sender, body=reply.body)
        self._by_sid[sid] = visit
        self.diary.written.append(Written(sid, visit, reply))

    def _settle(self) -> None:
        """Wait until everything due is done. A scheduler's chores are done here too: it looks each second, and hours
        pass here in less."""
        while True:
            self._wait_for(_is_done, what="everything that is due has left and been read")
            now = clock.now()
            if not open_asked_check_ins(now=now) + ring_due(now=now) + close_silent(now=now):
                return

    def _wait_for(self, done: Callable[[], bool], *, what: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not done():
            if time.monotonic() > deadline:
                raise StuckError(f"This did not happen within {PATIENCE_SECONDS:g} seconds: {what}.")
            time.sleep(LOOK_AGAIN_SECONDS)

    def _listen(self) -> None:
        """Take note of every text that reached a phone since, and of what its owner will do with it."""
        events = self._carrier.new_events(kind="message.created")
        records = {message_id(event["message"]["status_callback"]): event["message"] for event in events}
        for row in _rows(list(records)):
            record = records[str(row["public_id"])]
            if row["clinician_id"] is not None:
                self._hear_of_case(row, record)
            elif row["kind"] in QUESTIONS:
                self._hear_question(row, record)
            elif row["template_version__template__key"] in (FOLLOW_UP, CLARIFY):
                self._hear_answer(row, record)

    def _hear_question(self, row: Mapping[str, Any], record: Record) -> None:
        visit = self._visits[row["treatment_session__external_id"]]
        kind = QUESTIONS[row["kind"]]
        if (visit.id, kind) in self.diary.asked_at:
            return  # the same question once more, because the first did not arrive
        asked_at = self.diary.asked_at[visit.id, kind] = _at(record)
        self._plan(visit, self._voices[visit.id].answer_question(kind=kind, asked_at=asked_at))

    def _hear_answer(self, row: Mapping[str, Any], record: Record) -> None:
        visit = self._by_sid.get(row["in_reply_to__message_sid"])
        if visit is None:
            return
        voice, asks_trend = self._voices[visit.id], row["template_version__template__key"] == FOLLOW_UP
        answer = voice.answer_trend if asks_trend else voice.answer_clarify
        self._plan(visit, answer(asked_at=_at(record)))

    def _plan(self, visit: Visit, reply: Reply | None) -> None:
        if reply is not None:
            self._soon.add(reply.at, _Write(visit, reply))

    def _hear_of_case(self, row: Mapping[str, Any], record: Record) -> None:
        """A notice on a member of staff's phone: they will take the case by its code; the first notice decides."""
        case, code = row["escalation_id"], CODE.search(record["body"])
        if row["kind"] != Kind.STAFF_NOTICE or case in self._told or code is None:
            return
        severity = Severity(row["escalation__severity"])
        self._told.add(case)
        at = self._taken_at(severity, _at(record), case)
        calendar = self._exact if severity is Severity.URGENT else self._soon
        calendar.add(at, _Take(case, record["to"], code[1]))

    def _look_at_worklist(self) -> None:
        """Nobody is told of routine cases; they are taken with the next look at the worklist."""
        for case in Escalation.objects.filter(pk__gt=self._last_case).order_by("pk"):
            self._last_case = case.pk
            if case.severity == Severity.ROUTINE:
                at = self._taken_at(Severity.ROUTINE, case.created_at, case.pk)
                self._soon.add(at, _Take(case.pk, _reader_of(case), case.code))

    def _taken_at(self, severity: Severity, told_at: datetime, case: int) -> datetime:
        return taken_at(clinic=self._clinic, severity=severity, told_at=told_at, seed=self._seed, case=case)


def _is_done() -> bool:
    return not (has_texts_due(now=clock.now()) or has_unread_texts() or has_sessions_without_plan())


def _rows(public_ids: list[str]) -> list[dict[str, Any]]:
    """Return what a text is about, for each of these."""
    found = Message.objects.filter(public_id__in=public_ids).order_by("id").values(
        "public_id", "kind", "clinician_id", "escalation_id", "escalation__severity", "template_version__template__key",
        "treatment_session__external_id", "in_reply_to__message_sid",
    )  # fmt: skip
    return [dict(row) for row in found]


def _reader_of(case: Escalation) -> str:
    """Return the phone of who treated; they read the worklist."""
    session = case.treatment_session
    treated_by = session.clinician if session else None
    return treated_by.phone if treated_by else case.clinic.ladder.order_by("position")[0].clinician.phone


def _at(record: Record) -> datetime:
    return datetime.fromisoformat(record["created_at"])
