"""The answers of the last days, read from what is stored, for a replay under other numbers."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from reminders.clinic.models import Clinic, TreatmentSession
from reminders.conversations.models import CheckIn
from reminders.conversations.policy import UNASKED
from reminders.conversations.situations import EARLIER_SESSIONS
from reminders.core.protocols import Thresholds
from reminders.core.schedule import StepKind
from reminders.core.states import CheckInState
from reminders.core.threshold_replay import Effect, Outcome, PastAnswer, effect, outcomes
from reminders.core.triage import Situation
from reminders.core.understanding import Because, Intent, Reading
from reminders.escalations.models import Escalation

DAYS: Final = timedelta(days=30)
MOST: Final = 1000
"""Courses that are replayed, the newest: so many tell enough, and a page must not take seconds."""


@dataclass(frozen=True, slots=True)
class Course:
    """The answers after one treatment, and what two sets of numbers make of them."""

    treatment_session_id: int
    scores: list[int]
    now: list[Outcome]
    other: list[Outcome]
    effect: Effect


@dataclass(frozen=True, slots=True)
class Replay:
    """All courses of the days; `is_cut` where there were more than are replayed."""

    courses: list[Course]
    is_cut: bool

    def count(self, *effects: Effect) -> int:
        """Return how many courses the other numbers change so."""
        return sum(1 for one in self.courses if one.effect in effects)

    @property
    def cases_now(self) -> int:
        """How many courses have a case with the numbers in force."""
        return sum(1 for one in self.courses if any(found.severity for found in one.now))

    @property
    def cases_other(self) -> int:
        """How many courses have a case with the other numbers."""
        return sum(1 for one in self.courses if any(found.severity for found in one.other))


@dataclass(frozen=True, slots=True)
class Ending:
    """What became of a course in truth: how its cases ended, and whether a danger sign came in its days."""

    outcomes: list[str]
    is_open: bool
    had_danger_sign: bool


def replay(*, clinic: Clinic, protocol_id: int, now_in_force: Thresholds, other: Thresholds, now: datetime) -> Replay:
    """Replay the scored answers of the last 30 days under the numbers in force and under others, newest first."""
    recent = CheckIn.objects.filter(
        clinic=clinic,
        state=CheckInState.ANSWERED,
        answered_at__gt=now - DAYS,
        kind=StepKind.CHECK_IN,
        score__isnull=False,
        outcome__in=[CheckIn.Outcome.RESOLVED, CheckIn.Outcome.PERSISTS],
        plan__protocol_version__protocol=protocol_id,
    )
    ids = list(recent.order_by("-answered_at").values_list("treatment_session_id", flat=True)[: MOST + 1])
    sessions = list(dict.fromkeys(ids[:MOST]))
    answers = _answers(sessions)
    courses = []
    for session_id in sessions:
        past = answers.get(session_id, [])
        was, would = outcomes(answers=past, thresholds=now_in_force), outcomes(answers=past, thresholds=other)
        scores = [one.reading.score for one in past if one.reading.score is not None]
        courses.append(Course(session_id, scores, was, would, effect(now=was, other=would)))
    return Replay(courses, is_cut=len(ids) > MOST)


def endings(*, treatment_session_ids: Collection[int]) -> dict[int, Ending]:
    """Return what became of these courses."""
    found: dict[int, list[tuple[str, str, str]]] = defaultdict(list)
    rows = Escalation.objects.filter(treatment_session__in=treatment_session_ids).order_by("id")
    for session_id, reason, state, outcome in rows.values_list("treatment_session_id", "reason", "state", "outcome"):
        found[session_id or 0].append((reason, state, outcome))
    return {
        session_id: Ending(
            outcomes=[outcome for reason, _, outcome in cases if outcome and reason == "persists"],
            is_open=any(state != "resolved" for reason, state, _ in cases if reason == "persists"),
            had_danger_sign=any(reason == "red_flag" for reason, _, _ in cases),
        )
        for session_id, cases in found.items()
    }


def _answers(session_ids: Sequence[int]) -> dict[int, list[PastAnswer]]:
    rows = (
        CheckIn.objects.filter(
            treatment_session__in=session_ids,
            state=CheckInState.ANSWERED,
            score__isnull=False,
            answered_at__isnull=False,
            outcome__in=[CheckIn.Outcome.RESOLVED, CheckIn.Outcome.PERSISTS],
        )
        .order_by("treatment_session_id", "asked_at", "id")
        .values_list(
            "treatment_session_id",
            "kind",
            "score",
            "outcome",
            "answered_at",
            "treatment_session__technique",
            "treatment_session__regions",
            "treatment_session__ended_at",
            "answer__understanding__intent",
            "answer__understanding__because",
            "answer__understanding__is_sure",
        )
    )
    usual = _usual_scores(session_ids)
    found: dict[int, list[PastAnswer]] = defaultdict(list)
    for session_id, kind, score, outcome, at, technique, regions, ended_at, intent, because, is_sure in rows:
        if score is None or at is None:
            continue
        earlier = found[session_id][-1].reading.score if found[session_id] else None
        situation = Situation(
            asked=StepKind(kind),
            thresholds=UNASKED,
            was_asked=True,
            earlier_score=earlier,
            usual_score=usual.get(session_id),
            technique=technique,
            regions=frozenset(regions),
            hours_since_session=(at - ended_at) / timedelta(hours=1),
        )
        found[session_id].append(PastAnswer(_reading(score, intent or outcome, because, is_sure), situation))
    return found


def _reading(score: int, intent: str, because: list[dict[str, object]] | None, is_sure: bool | None) -> Reading:
    rules = tuple(_because(one) for one in because or [{"rule": "score"}])
    # An answer that was too unsure to count was put before a person and has no score of its own.
    return Reading(Intent(intent), score, frozenset(), rules, sure=is_sure is not False, language="")


def _because(one: dict[str, object]) -> Because:
    return Because(rule=str(one.get("rule", "")), text="", start=0, end=0)


def _usual_scores(session_ids: Sequence[int]) -> dict[int, int]:
    """Return the highest of the newest three earlier courses, by session, as the policy has it when an answer comes."""
    sessions = TreatmentSession.objects.filter(pk__in=session_ids).values_list("pk", "patient_id", "ended_at")
    asked = {pk: (patient_id, ended_at) for pk, patient_id, ended_at in sessions}
    worst: dict[int, dict[int, tuple[datetime, int]]] = defaultdict(dict)
    for patient_id, session_id, ended_at, score in CheckIn.objects.filter(
        patient__in={patient_id for patient_id, _ in asked.values()},
        treatment_session__status=TreatmentSession.Status.COMPLETED,
        score__isnull=False,
    ).values_list("patient_id", "treatment_session_id", "treatment_session__ended_at", "score"):
        if score is None:
            continue
        before = worst[patient_id].get(session_id)
        worst[patient_id][session_id] = (ended_at, max(score, before[1]) if before else score)
    return dict(_usual(asked, worst))


def _usual(
    asked: dict[int, tuple[int, datetime]], worst: dict[int, dict[int, tuple[datetime, int]]]
) -> Iterator[tuple[int, int]]:
    for session_id, (patient_id, ended_at) in asked.items():
        earlier = sorted((one for one in worst[patient_id].values() if one[0] < ended_at), reverse=True)
        if earlier:
            yield session_id, max(score for _, score in earlier[:EARLIER_SESSIONS])
