"""From the facts of one session to the texts of its plan. Nothing here asks the database."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from reminders.clinic.models import PatientPhone, PhoneState
from reminders.clinic.selectors import age_on
from reminders.content.selectors import PublishedText, missing_protocol, missing_text, schedule_step
from reminders.core.advice import AdviceDecision, decide_advice
from reminders.core.catching_up import catch_up
from reminders.core.protocols import Condition, condition_from_json
from reminders.core.quiet_hours import QuietWindow
from reminders.core.rendering import CompiledText, compile_text, render
from reminders.core.schedule import Dropped, DropReason, Placed, ScheduleStep, StepKind, lay_out
from reminders.core.segments import count_segments
from reminders.core.states import MessageState
from reminders.messaging.compose import SEND_GRACE, no_sender, said_of, values_for
from reminders.messaging.models import Kind
from reminders.messaging.plan_facts import House, InForce, Visit

# As they stand in the columns: an enumeration's value is slow to ask for.
ADVICE: Final = Kind.ADVICE.value
KIND_OF_STEP: Final = {StepKind.ADVICE: ADVICE, StepKind.CHECK_IN: Kind.CHECK_IN.value}
SCHEDULED: Final = MessageState.SCHEDULED.value
CANCELLED: Final = MessageState.CANCELLED.value
SUPPRESSED: Final = MessageState.SUPPRESSED.value
EXPIRED: Final = MessageState.EXPIRED.value
DROP_STATE: Final = {DropReason.QUIET_HOURS: SUPPRESSED, DropReason.EXPIRED: EXPIRED}
SENDABLE_PHONES: Final = (PhoneState.OK.value, PhoneState.UNREACHABLE.value)


class Body(NamedTuple):
    """Rendered words, the version they came from, and what they cost."""

    text: str
    version_id: int
    segments: int


class Text(NamedTuple):
    """One text of a plan."""

    step_key: str
    kind: str
    body: Body
    state: str
    reason: str
    introduces: bool
    first_due_at: datetime
    due_at: datetime
    expires_at: datetime


class _Words(NamedTuple):
    version_id: int
    compiled: CompiledText
    names: tuple[str, ...]


class _Step(NamedTuple):
    schedule: ScheduleStep
    template_key: str
    condition: Condition


class Desk:
    """Lays out the sessions of one batch at the moment `now`; what several of them share is worked out once."""

    def __init__(
        self, *, houses: Mapping[int, House], texts: Mapping[tuple[int, str, str], PublishedText], now: datetime
    ) -> None:
        self._houses = houses
        self._texts = texts
        self._now = now
        self._steps: dict[int, list[_Step]] = {}
        self._today: dict[str, date] = {}
        self._common: dict[tuple[int, str], dict[str, object]] = {}
        self._words: dict[tuple[int, str, str], _Words] = {}
        self._bodies: dict[tuple[object, ...], Body] = {}

    def texts(self, visit: Visit, *, gone: Collection[str], is_withheld: bool) -> list[Text]:
        """Return the texts of one session's plan, in step order, without the steps that are `gone` already.

        Raises MissingProtocolError, MissingTextError, NoSenderError, TemplateError, or PatientPhone.DoesNotExist.
        """
        house = self._houses[visit.clinic_id]
        in_force = house.protocol_for(visit.technique)
        if in_force is None:
            raise missing_protocol()
        if visit.number is None:
            raise PatientPhone.DoesNotExist("The patient has no phone that texts go to.")
        steps = [
            step
            for step in self._steps_of(in_force)
            if step.schedule.key not in gone
            and step.condition.holds(technique=visit.technique, regions=visit.regions, screening=visit.screening)
        ]
        if steps and house.sender_id is None:
            raise no_sender()
        advice = self._advice(visit)
        laid = self._lay_out(visit, house, steps)
        first_key = _first_to_leave(laid)
        template_keys = {step.schedule.key: step.template_key for step in steps}
        said = {
            is_first: said_of(technique=visit.technique, first_name=visit.given_name, advice=advice, is_first=is_first)
            for is_first in (True, False)
        }
        texts = []
        for outcome in laid:
            is_first = outcome.key == first_key
            body = self._body(visit, template_keys[outcome.key], said[is_first])
            texts.append(_text(visit, outcome, body, is_first=is_first, is_withheld=is_withheld))
        return texts

    def _steps_of(self, in_force: InForce) -> Sequence[_Step]:
        steps = self._steps.get(in_force.version_id)
        if steps is None:
            steps = [
                _Step(schedule_step(step), step.template_key, condition_from_json(step.condition))
                for step in in_force.steps
            ]
            self._steps[in_force.version_id] = steps
        return steps

    def _lay_out(self, visit: Visit, house: House, steps: Sequence[_Step]) -> list[Placed | Dropped]:
        zone = ZoneInfo(visit.timezone)
        quiet = QuietWindow(house.clinic.quiet_start, house.clinic.quiet_end)
        laid = lay_out(steps=[step.schedule for step in steps], ended_at=visit.ended_at, zone=zone, quiet=quiet)
        return catch_up(laid, now=self._now, zone=zone, quiet=quiet)

    def _advice(self, visit: Visit) -> AdviceDecision:
        today = self._today.get(visit.timezone)
        if today is None:
            today = self._today[visit.timezone] = self._now.astimezone(ZoneInfo(visit.timezone)).date()
        return decide_advice(
            screening=visit.screening,
            technique=visit.technique,
            age_years=age_on(born=visit.birth_date, today=today),
            regions=visit.regions,
        )

    def _body(self, visit: Visit, template_key: str, said: Mapping[str, object]) -> Body:
        """Render a text, or find it rendered: few sessions differ in what their texts say."""
        words = self._words_for(visit, template_key)
        key = (visit.clinic_id, visit.language, words.version_id, *map(said.get, words.names))
        body = self._bodies.get(key)
        if body is None:
            text = render(words.compiled, values={**self._common_values(visit), **said})
            body = self._bodies[key] = Body(text, words.version_id, count_segments(text).segments)
        return body

    def _words_for(self, visit: Visit, template_key: str) -> _Words:
        """Return the words in the patient's language, or else in English, compiled."""
        key = (visit.clinic_id, template_key, visit.language)
        words = self._words.get(key)
        if words is None:
            found = self._texts.get(key) or self._texts.get((visit.clinic_id, template_key, "en"))
            if found is None:
                raise missing_text(template_key)
            compiled = compile_text(found.source)
            words = self._words[key] = _Words(found.version_id, compiled, tuple(compiled.variables))
        return words

    def _common_values(self, visit: Visit) -> dict[str, object]:
        key = (visit.clinic_id, visit.language)
        if key not in self._common:
            clinic = self._houses[visit.clinic_id].clinic
            self._common[key] = values_for(clinic=clinic, language=visit.language, values={})
        return self._common[key]


def _first_to_leave(laid: Sequence[Placed | Dropped]) -> str | None:
    placed = [outcome for outcome in laid if isinstance(outcome, Placed)]
    return min(placed, key=lambda outcome: outcome.at).key if placed else None


def _text(visit: Visit, outcome: Placed | Dropped, body: Body, *, is_first: bool, is_withheld: bool) -> Text:
    kind = KIND_OF_STEP[outcome.kind]
    if isinstance(outcome, Dropped):
        state, reason = DROP_STATE[outcome.reason], outcome.reason.value
        due_at = expires_at = outcome.first_due_at
    else:
        state, reason = _standing(visit, kind, is_withheld=is_withheld)
        due_at, expires_at = outcome.at, max(outcome.expires_at, outcome.at + SEND_GRACE)
    return Text(outcome.key, kind, body, state, reason, is_first, outcome.first_due_at, due_at, expires_at)


def _standing(visit: Visit, kind: str, *, is_withheld: bool) -> tuple[str, str]:
    """Return whether a text may wait for its time, or which reason keeps it from that already now."""
    if visit.is_opted_out:
        return SUPPRESSED, "opted_out"
    if visit.phone_state not in SENDABLE_PHONES:
        return SUPPRESSED, f"phone_{visit.phone_state}"
    if kind == ADVICE and is_withheld:
        return CANCELLED, "red_flag"
    if kind == ADVICE and visit.has_newer_session:
        return CANCELLED, "newer_session"
    return SCHEDULED, ""
