"""The answers of the last days, read from what is stored, for a replay under other numbers."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import connection

from reminders.clinic.models import Clinic
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
MOST: Final = 500
"""Courses that are replayed, the newest: so many tell enough, and a page must not take seconds."""


# By hand, because a thousand patients' histories would otherwise come over whole.
USUAL: Final = """
SELECT s.id, max(earlier.worst)
FROM reminders_treatmentsession s CROSS JOIN LATERAL (
    SELECT max(k.score) AS worst
    FROM reminders_checkin k JOIN reminders_treatmentsession e ON e.id = k.treatment_session_id
    WHERE k.patient_id = s.patient_id AND k.score IS NOT NULL AND e.status = 'completed' AND e.ended_at < s.ended_at
    GROUP BY e.id, e.ended_at ORDER BY e.ended_at DESC LIMIT %s
) earlier
WHERE s.id = ANY (%s)
GROUP BY s.id
"""


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
    """Return, by session, the highest answer of the newest earlier courses, as conversations.situations has it."""
    with connection.cursor() as cursor:
        cursor.execute(USUAL, [EARLIER_SESSIONS, list(session_ids)])
        return dict(cursor.fetchall())
