"""Soreness over time, drawn on the server: this course, the patient's earlier ones, and what is expected.

The chart and its table hold the same numbers. Hours count from the end of the session; scores go from 0 to 10.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from math import ceil
from typing import Final

from reminders.clinic.models import TreatmentSession
from reminders.conversations.models import CheckIn
from reminders.core.expected_soreness import ExpectedSoreness
from reminders.core.protocols import ProtocolError, thresholds_from_json
from reminders.escalations.models import Escalation
from reminders.messaging.models import AftercarePlan

# In units of the drawing, which the page scales to its width.
WIDTH: Final = 360
HEIGHT: Final = 210
LEFT: Final = 26
RIGHT: Final = 14
TOP: Final = 16
BOTTOM: Final = 40
TOP_SCORE: Final = 10
# The length of the axis at least and at most: three days are the course that the studies describe.
SHORTEST_HOURS: Final = 72
LONGEST_HOURS: Final = 168
EARLIER_SESSIONS: Final = 3
MOST_ANSWERS: Final = 40


@dataclass(frozen=True, slots=True)
class Answer:
    """One number a patient gave. `expected` is the most that was expected then, None where nothing is said."""

    at: datetime
    hours: float
    score: int
    expected: int | None
    is_this: bool
    session_ended_at: datetime
    x: float
    y: float

    @property
    def is_above(self) -> bool:
        """Whether it was more than expected."""
        return self.expected is not None and self.score > self.expected


@dataclass(frozen=True, slots=True)
class Chart:
    """What the page draws and lists. Lines are SVG paths; an empty one is not drawn."""

    course: list[Answer]
    earlier: list[Answer]
    course_line: str
    earlier_lines: list[str]
    expected_line: str
    above_area: str
    expected: list[tuple[int, int]]
    hour_ticks: list[tuple[float, int]]
    score_ticks: list[tuple[float, int]]
    sentence: str
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    floor: int = HEIGHT - BOTTOM


def chart_of(*, row: Escalation, score: int | None, said_at: datetime | None) -> Chart | None:
    """Return the chart of a case, or None where no session or no number is known; two queries.

    `score` is the number of the case, said at `said_at`; it is added where no check-in holds it.
    """
    session = row.treatment_session
    if session is None:
        return None
    lines = _lines_for(session)
    course, earlier = _numbers(row, session, score, said_at)
    if not course and not earlier:
        return None
    longest = max(_hours(at, one) for one, at, _ in [*course, *earlier])
    axis = min(LONGEST_HOURS, max(SHORTEST_HOURS, ceil(longest / 24) * 24))
    here = [_answer(session, lines, axis, number) for number in course]
    before = [_answer(session, lines, axis, number) for number in earlier if _hours(number[1], number[0]) <= axis]
    groups = [list(group) for _, group in groupby(before, key=lambda answer: answer.session_ended_at)]
    steps = _steps(lines)
    return Chart(
        course=here,
        earlier=before,
        course_line=_path(here),
        earlier_lines=[_path(group) for group in groups],
        expected_line=_expected_path(steps, axis),
        above_area=_above_area(steps, axis),
        expected=steps,
        hour_ticks=[(_x(hours, axis), hours) for hours in range(0, axis + 1, 24)],
        score_ticks=[(_y(number), number) for number in (0, 5, TOP_SCORE)],
        sentence=_sentence(here, groups, is_danger=row.reason == "red_flag"),
    )


Number = tuple[TreatmentSession, datetime, int]


def _lines_for(session: TreatmentSession) -> list[ExpectedSoreness]:
    """Return the lines of the curve that speak of such a session, whatever the hour."""
    plan = AftercarePlan.objects.filter(treatment_session=session).select_related("protocol_version")
    newest = plan.order_by("-id").first()
    if newest is None:
        return []
    try:
        expected = thresholds_from_json(newest.protocol_version.thresholds).expected
    except ProtocolError:  # a curve that cannot be read must not keep anybody from the case
        return []
    return [
        line
        for line in expected
        if line.holds(technique=session.technique, regions=session.regions, hours=line.from_hours)
    ]


def _numbers(
    row: Escalation, session: TreatmentSession, score: int | None, said_at: datetime | None
) -> tuple[list[Number], list[Number]]:
    answered = CheckIn.objects.filter(
        patient=session.patient_id,
        score__isnull=False,
        answered_at__isnull=False,
        treatment_session__ended_at__lte=session.ended_at,
        treatment_session__status=TreatmentSession.Status.COMPLETED,
    ).select_related("treatment_session")
    newest = answered.order_by("-treatment_session__ended_at", "-answered_at", "-id")[:MOST_ANSWERS]
    found = [
        (one.treatment_session, one.answered_at, one.score)
        for one in reversed(newest)
        if one.answered_at is not None and one.score is not None
    ]
    course = [number for number in found if number[0].pk == session.pk]
    if session.soreness_after is not None:
        course.insert(0, (session, session.ended_at, session.soreness_after))
    is_counted = row.check_in is not None and row.check_in.score is not None
    if score is not None and said_at is not None and not is_counted:
        course = sorted([*course, (session, said_at, score)], key=lambda number: number[1])
    ids = list(dict.fromkeys(one.pk for one, _, _ in reversed(found) if one.pk != session.pk))[:EARLIER_SESSIONS]
    return course, [number for number in found if number[0].pk in ids]


def _hours(at: datetime, session: TreatmentSession) -> float:
    return max(0.0, (at - session.ended_at) / timedelta(hours=1))


def _answer(present: TreatmentSession, lines: Sequence[ExpectedSoreness], axis: int, number: Number) -> Answer:
    session, at, score = number
    hours = _hours(at, session)
    is_this = session.pk == present.pk
    holding = [line.at_most for line in lines if hours >= line.from_hours] if is_this else []
    return Answer(
        at=at,
        hours=hours,
        score=score,
        expected=min(holding, default=None),
        is_this=is_this,
        session_ended_at=session.ended_at,
        x=_x(min(hours, axis), axis),
        y=_y(score),
    )


def _steps(lines: Sequence[ExpectedSoreness]) -> list[tuple[int, int]]:
    """Return (from that hour on, at most so much), the lowest line that holds deciding."""
    steps: list[tuple[int, int]] = []
    for start in sorted({line.from_hours for line in lines}):
        at_most = min(line.at_most for line in lines if start >= line.from_hours)
        if not steps or steps[-1][1] != at_most:
            steps.append((start, at_most))
    return steps


def _x(hours: float, axis: int) -> float:
    return round(LEFT + (WIDTH - LEFT - RIGHT) * hours / axis, 1)


def _y(score: int) -> float:
    return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * score / TOP_SCORE, 1)


def _path(answers: Sequence[Answer]) -> str:
    return "M" + " L".join(f"{answer.x} {answer.y}" for answer in answers) if len(answers) > 1 else ""


def _expected_path(steps: Sequence[tuple[int, int]], axis: int) -> str:
    shown = [step for step in steps if step[0] < axis]
    if not shown:
        return ""
    (start, at_most), *rest = shown
    drawn = f"M{_x(start, axis)} {_y(at_most)}"
    for hours, lower in rest:
        drawn += f" H{_x(hours, axis)} V{_y(lower)}"
    return f"{drawn} H{_x(axis, axis)}"


def _above_area(steps: Sequence[tuple[int, int]], axis: int) -> str:
    line = _expected_path(steps, axis)
    return f"{line} V{_y(TOP_SCORE)} H{line[1:].split()[0]} Z" if line else ""


def _sentence(course: Sequence[Answer], groups: Sequence[Sequence[Answer]], *, is_danger: bool) -> str:
    """Return what the chart shows in a sentence or two; a low number must not calm anybody about a danger sign."""
    last = course[-1] if course else None
    parts = []
    if last is not None:
        parts.append(f"{last.score} of 10, {round(last.hours)} hours after the session")
        if last.expected is not None:
            parts[0] += f"; {'more than' if last.is_above else 'within'} the {last.expected} expected by then"
    if groups:
        worst = max(answer.score for group in groups for answer in group)
        parts.append(f"At most {worst} after the earlier session{'s' if len(groups) > 1 else ''}")
    if is_danger:
        parts.append("A danger sign counts whatever the number is")
    return ". ".join(parts) + "."
