"""A story played through before any patient lives it: what would be sent, asked and decided, minute by minute.

The rules are the ones that run: `core.schedule` places the texts, `core.understanding` reads the answers, and
`core.triage` decides. What a rehearsal adds is only the answers, each half an hour after the question it is for.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from reminders.core.protocols import Thresholds
from reminders.core.quiet_hours import QuietWindow
from reminders.core.schedule import Placed, ScheduleStep, StepKind, lay_out, place_step
from reminders.core.states import Severity
from reminders.core.triage import Decision, Situation, decide, silence_matters
from reminders.core.understanding import Intent, Reading, read

ANSWERED_AFTER = timedelta(minutes=30)
SILENT = frozenset({"", "silent", "silence", "-"})
_OTHER_ANSWERS = {Intent.OPT_OUT: "opt_out_confirmed", Intent.OPT_IN: "opt_in_confirmed", Intent.HELP: "help"}


class MomentKind(StrEnum):
    """What happens at a moment of a rehearsal."""

    TEXT = "text"
    ANSWER = "answer"
    CASE = "case"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that would happen at `at` (UTC).

    A TEXT has the `key` of its template, a planned one its step's key too; an ANSWER has `words` and how they are read;
    a CASE has its `key` (the reason), `severity` and `grounds`; a NOTE has `words`.
    """

    at: datetime
    kind: MomentKind
    key: str = ""
    step: str = ""
    words: str = ""
    reading: Reading | None = None
    severity: Severity | None = None
    grounds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Treatment:
    """The session that a rehearsal starts from; `ended_at` is aware."""

    ended_at: datetime
    technique: str
    regions: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class RehearsalStep:
    """A step of the protocol with the key of its text."""

    step: ScheduleStep
    template_key: str


def rehearse(
    *,
    steps: Sequence[RehearsalStep],
    thresholds: Thresholds,
    treatment: Treatment,
    zone: ZoneInfo,
    quiet: QuietWindow,
    answers: Sequence[str],
) -> list[Moment]:
    """Return what would happen, in the order of time; nothing is stored or sent.

    `answers` are used one after another, each for the next question that waits; "" or "silent" is no answer, and so is
    what is missing at the end. Raises ScheduleError for a moment that the calendar does not hold.
    """
    story = _Story(list(steps), thresholds, treatment, zone, quiet, iter(answers))
    return story.play()


@dataclass(slots=True)
class _Story:
    steps: list[RehearsalStep]
    thresholds: Thresholds
    treatment: Treatment
    zone: ZoneInfo
    quiet: QuietWindow
    answers: Iterator[str]
    moments: list[Moment] = field(default_factory=list)
    advice_withheld_at: datetime | None = None
    ended_at: datetime | None = None

    def play(self) -> list[Moment]:
        keys = {one.step.key: one.template_key for one in self.steps}
        plan = lay_out(
            steps=[one.step for one in self.steps],
            ended_at=self.treatment.ended_at,
            zone=self.zone,
            quiet=self.quiet,
        )
        for placed in plan:
            if not isinstance(placed, Placed):
                self._note(placed.first_due_at, placed.sentence, step=placed.key)
            elif placed.kind is StepKind.CHECK_IN:
                self._ask(placed.at, placed.kind, placed.key, keys[placed.key])
            else:
                self._text(placed.at, keys[placed.key], step=placed.key)
        return sorted((one for one in self.moments if self._happens(one)), key=lambda one: one.at)

    def _happens(self, one: Moment) -> bool:
        if self.ended_at is not None and one.at > self.ended_at:
            return False
        is_advice = any(one.step == each.step.key and each.step.kind is StepKind.ADVICE for each in self.steps)
        return not (is_advice and self.advice_withheld_at is not None and one.at > self.advice_withheld_at)

    def _text(self, at: datetime, key: str, step: str = "") -> None:
        self.moments.append(Moment(at, MomentKind.TEXT, key=key, step=step))

    def _note(self, at: datetime, words: str, step: str = "") -> None:
        self.moments.append(Moment(at, MomentKind.NOTE, words=words, step=step))

    def _case(self, at: datetime, reason: str, severity: Severity, grounds: tuple[str, ...] = ()) -> None:
        self.moments.append(Moment(at, MomentKind.CASE, key=reason, severity=severity, grounds=grounds))

    def _next_answer(self) -> str:
        words = next(self.answers, "").strip()
        return "" if words.lower() in SILENT else words

    def _ask(
        self, at: datetime, kind: StepKind, step: str, key: str, *, earlier: int | None = None, rechecks: int = 0
    ) -> None:
        self._text(at, key, step=step)
        answer, asked_at = self._next_answer(), at
        if not answer and kind is StepKind.CHECK_IN:
            nudge = self._place(StepKind.NUDGE, at)
            if nudge is not None:
                self._text(nudge[0].at, nudge[1], step=nudge[0].key)
                answer, asked_at = self._next_answer(), nudge[0].at
        if answer:
            self._answer(asked_at + ANSWERED_AFTER, answer, kind, earlier=earlier, rechecks=rechecks)
        else:
            self._fall_silent(at)

    def _fall_silent(self, asked_at: datetime) -> None:
        at = asked_at + timedelta(minutes=self.thresholds.silent_after_minutes)
        self._note(at, "No answer came: the patient is on the silent list.")
        if silence_matters(technique=self.treatment.technique, regions=self.treatment.regions):
            self._case(at, "silence", Severity.ROUTINE)

    def _place(self, kind: StepKind, anchor_at: datetime) -> tuple[Placed, str] | None:
        for one in self.steps:
            if one.step.kind is kind:
                placed = place_step(
                    step=one.step,
                    anchor_at=anchor_at,
                    ended_at=self.treatment.ended_at,
                    zone=self.zone,
                    quiet=self.quiet,
                )
                if isinstance(placed, Placed):
                    return placed, one.template_key
                self._note(placed.first_due_at, placed.sentence, step=placed.key)
                return None
        return None

    def _answer(
        self,
        at: datetime,
        words: str,
        asked: StepKind,
        *,
        earlier: int | None,
        rechecks: int,
        clarifications: int = 0,
    ) -> None:
        reading = read(words)
        self.moments.append(Moment(at, MomentKind.ANSWER, words=words, reading=reading))
        if reading.intent in _OTHER_ANSWERS:
            self._text(at, _OTHER_ANSWERS[reading.intent])
            if reading.intent is Intent.OPT_OUT:
                self._note(at, "The patient opted out: nothing more is sent.")
                self.ended_at = at
            return
        hours = (at - self.treatment.ended_at) / timedelta(hours=1)
        decision = decide(
            reading=reading,
            situation=Situation(
                asked=asked,
                thresholds=self.thresholds,
                was_asked=True,
                clarifications=clarifications,
                earlier_score=earlier,
                rechecks=rechecks,
                technique=self.treatment.technique,
                regions=self.treatment.regions,
                hours_since_session=hours,
                asks_too="?" in words and len(words.split()) > 2,  # as conversations.situations has it
            ),
        )
        self._follow(at, decision, reading)
        if decision.ask_again:
            again = self._next_answer()
            if again:
                then = clarifications + 1
                self._answer(at + ANSWERED_AFTER, again, asked, earlier=earlier, rechecks=rechecks, clarifications=then)
            else:
                self._fall_silent(at)
        if decision.recheck and (placed := self._place(StepKind.RECHECK, at)) is not None:
            step, key = placed
            self._ask(step.at, StepKind.RECHECK, step.key, key, earlier=reading.score, rechecks=rechecks + 1)

    def _follow(self, at: datetime, decision: Decision, reading: Reading) -> None:
        for key in decision.answers:
            self._text(at, key)
        if decision.withhold_advice:
            self.advice_withheld_at = at
            self._note(at, "Advice that has not left yet is withheld.")
        if decision.severity is not None:
            self._case(at, decision.reason, decision.severity, decision.grounds)
        if decision.inbox_reason:
            self._note(at, "The text goes to the inbox for a person to read.")
        if any(because.rule.startswith("opt_out") for because in reading.because):
            self._note(at, "The patient also asks for the texts to end: nothing more is sent but the emergency answer.")
            self.ended_at = at
