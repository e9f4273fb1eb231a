"""What became of treatments over some days: replies, soreness, cases, opt-outs and texts, counted in the database.

Every function asks once, of one clinic and a bounded time, and returns counts alone: no patient, number or word.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Final

from django.db import connection
from django.db.models import Count, Sum

from reminders.clinic.models import Clinic, ConsentRecord
from reminders.core.states import IN_OUTBOX
from reminders.messaging.models import Message

AT_24_HOURS: Final = (12, 36)
AT_48_HOURS: Final = (36, 72)
"""From and to how many hours after the session an answer tells of soreness at 24 and at 48 hours.

Quiet hours move questions, and most answers come within the hour; so the windows meet half-way.
"""


@dataclass(frozen=True, slots=True)
class Scope:
    """What is counted: a clinic, from `since` up to but without `until`, and only where the session is such a one."""

    clinic: Clinic
    since: datetime
    until: datetime
    technique: str = ""
    region: str = ""
    clinician: int = 0

    @property
    def is_filtered(self) -> bool:
        """Whether some sessions are left out."""
        return bool(self.technique or self.region or self.clinician)

    def parameters(self) -> dict[str, int | str | datetime]:
        """Return the values behind the names in the statements."""
        return {
            "clinic": self.clinic.pk,
            "since": self.since,
            "until": self.until,
            "technique": self.technique,
            "region": self.region,
            "clinician": self.clinician,
        }


@dataclass(frozen=True, slots=True)
class Group:
    """Whose figures: `by` is all, technique, region or clinician; `key` its code, or the id of the clinician."""

    by: str
    key: str


@dataclass(frozen=True, slots=True)
class Treated:
    """Sessions that ended, the cases that came of them, and how many of the sessions had any."""

    group: Group
    sessions: int
    cases: int
    with_case: int


@dataclass(frozen=True, slots=True)
class Asked:
    """Questions that are over. Times are seconds, means are scores of 0 to 10; None where nothing was counted.

    `judged` are the first check-ins that were answered by a number or words about soreness, `persists` those of them
    that were still sore.
    """

    group: Group
    over: int
    answered: int
    median_wait: float | None
    within_hour: int
    count_24: int
    mean_24: float | None
    count_48: int
    mean_48: float | None
    judged: int
    persists: int


@dataclass(frozen=True, slots=True)
class Handled:
    """Cases of one severity (empty: all), and how long they waited, in seconds; None where none was."""

    severity: str
    cases: int
    taken: int
    median_taken: float | None
    most_taken: float | None
    resolved: int
    median_resolved: float | None
    most_resolved: float | None


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts of one kind that stand in one state, and their parts."""

    state: str
    kind: str
    count: int
    parts: int


_PICKED: Final = """
    s.status = 'completed'
    AND (%(technique)s = '' OR s.technique = %(technique)s)
    AND (%(region)s = '' OR %(region)s = ANY (s.regions))
    AND (%(clinician)s = 0 OR s.clinician_id = %(clinician)s)
"""

_GROUPED: Final = """
    SELECT
        CASE WHEN GROUPING(technique) = 0 THEN 'technique'
            WHEN GROUPING(clinician_id) = 0 THEN 'clinician' ELSE 'all' END,
        COALESCE(technique, clinician_id::text, ''), {counts}
    FROM picked GROUP BY GROUPING SETS ((), (technique), (clinician_id))
    UNION ALL
    SELECT 'region', region, {counts} FROM picked CROSS JOIN LATERAL unnest(regions) AS region GROUP BY region
"""

# Both are put together of constants alone; what is asked for goes in as parameters.
_TREATED: Final = (
    """
    WITH picked AS MATERIALIZED (
        SELECT s.technique, s.clinician_id, s.regions, COALESCE(e.cases, 0) AS cases
        FROM reminders_treatmentsession s
        LEFT JOIN (
            SELECT treatment_session_id, count(*) AS cases FROM reminders_escalation
            WHERE clinic_id = %(clinic)s AND created_at >= %(since)s GROUP BY treatment_session_id
        ) e ON e.treatment_session_id = s.id
        WHERE s.clinic_id = %(clinic)s AND s.ended_at >= %(since)s AND s.ended_at < %(until)s AND """  # noqa: S608
    + _PICKED
    + ")"
    + _GROUPED.format(counts="count(*), COALESCE(sum(cases), 0)::int, count(*) FILTER (WHERE cases > 0)")
)

_ASKED: Final = (
    """
    WITH picked AS MATERIALIZED (
        SELECT s.technique, s.clinician_id, s.regions, c.kind, c.outcome, c.score, c.state,
            CASE WHEN c.state = 'answered' THEN extract(epoch FROM c.answered_at - c.asked_at)::float8 END AS waited,
            extract(epoch FROM c.answered_at - s.ended_at) / 3600 AS hours
        FROM reminders_checkin c JOIN reminders_treatmentsession s ON s.id = c.treatment_session_id
        WHERE c.clinic_id = %(clinic)s AND c.asked_at >= %(since)s AND c.asked_at < %(until)s
            AND c.outcome <> 'voided' AND """  # noqa: S608
    + _PICKED
    + ")"
    + _GROUPED.format(
        counts=f"""
        count(*) FILTER (WHERE state <> 'open'),
        count(*) FILTER (WHERE state = 'answered'),
        percentile_cont(0.5) WITHIN GROUP (ORDER BY waited),
        count(*) FILTER (WHERE waited <= 3600),
        count(score) FILTER (WHERE hours >= {AT_24_HOURS[0]} AND hours < {AT_24_HOURS[1]}),
        (avg(score) FILTER (WHERE hours >= {AT_24_HOURS[0]} AND hours < {AT_24_HOURS[1]}))::float8,
        count(score) FILTER (WHERE hours >= {AT_48_HOURS[0]} AND hours < {AT_48_HOURS[1]}),
        (avg(score) FILTER (WHERE hours >= {AT_48_HOURS[0]} AND hours < {AT_48_HOURS[1]}))::float8,
        count(*) FILTER (WHERE kind = 'check_in' AND outcome IN ('resolved', 'persists', 'red_flag')),
        count(*) FILTER (WHERE kind = 'check_in' AND outcome = 'persists')
        """
    )
)

_HANDLED: Final = """
    SELECT COALESCE(e.severity, ''), count(*),
        count(e.acknowledged_at),
        percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM e.acknowledged_at - e.created_at)::float8),
        percentile_cont(0.9) WITHIN GROUP (ORDER BY extract(epoch FROM e.acknowledged_at - e.created_at)::float8),
        count(e.resolved_at),
        percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM e.resolved_at - e.created_at)::float8),
        percentile_cont(0.9) WITHIN GROUP (ORDER BY extract(epoch FROM e.resolved_at - e.created_at)::float8)
    FROM reminders_escalation e LEFT JOIN reminders_treatmentsession s ON s.id = e.treatment_session_id
    WHERE e.clinic_id = %(clinic)s AND e.created_at >= %(since)s AND e.created_at < %(until)s
        AND (%(technique)s = '' OR s.technique = %(technique)s)
        AND (%(region)s = '' OR %(region)s = ANY (s.regions))
        AND (%(clinician)s = 0 OR s.clinician_id = %(clinician)s)
    GROUP BY GROUPING SETS ((), (e.severity))
"""


def treated(*, scope: Scope) -> list[Treated]:
    """Return the sessions that ended in these days, not voided, with the cases of each, whenever those came up."""
    return [Treated(Group(by, key), *counts) for by, key, *counts in _rows(_TREATED, scope.parameters())]


def asked(*, scope: Scope) -> list[Asked]:
    """Return what was asked in these days and what came back; what still waits is left out of the shares."""
    return [Asked(Group(by, key), *counts) for by, key, *counts in _rows(_ASKED, scope.parameters())]


def handled(*, scope: Scope) -> list[Handled]:
    """Return the cases that came up in these days, in all (the first, always there) and by severity."""
    found = [Handled(*row) for row in _rows(_HANDLED, scope.parameters())]
    return sorted(found, key=lambda one: one.severity)


def opt_outs(*, scope: Scope) -> dict[str, int]:
    """Return by which way how many numbers were opted out in these days, whatever sessions are asked for."""
    rows = ConsentRecord.objects.filter(
        clinic=scope.clinic, decision="revoked", recorded_at__gte=scope.since, recorded_at__lt=scope.until
    )
    return dict(rows.values_list("method").annotate(count=Count("*")).order_by("-count", "method"))


def texts(*, scope: Scope) -> list[Texts]:
    """Return the texts whose last word so far came in these days; what waits to be sent is not among them."""
    rows = Message.objects.filter(
        clinic=scope.clinic, changed_at__gte=scope.since, changed_at__lt=scope.until, channel="sms"
    ).exclude(state__in=sorted(state.value for state in IN_OUTBOX))
    if scope.technique:
        rows = rows.filter(treatment_session__technique=scope.technique)
    if scope.region:
        rows = rows.filter(treatment_session__regions__contains=[scope.region])
    if scope.clinician:
        rows = rows.filter(treatment_session__clinician=scope.clinician)
    counted = rows.values_list("state", "kind").annotate(count=Count("*"), parts=Sum("segments"))
    return [Texts(*row) for row in counted.order_by("state", "kind")]


class Outcomes:
    """The figures of one scope, each asked for once, when it is first needed."""

    def __init__(self, scope: Scope) -> None:
        """Ask nothing yet."""
        self.scope = scope

    @cached_property
    def asked(self) -> list[Asked]:
        """What came back: see `asked`."""
        return asked(scope=self.scope)

    @cached_property
    def texts(self) -> list[Texts]:
        """What became of texts: see `texts`."""
        return texts(scope=self.scope)

    @cached_property
    def treated(self) -> list[Treated]:
        """Sessions and their cases: see `treated`."""
        return treated(scope=self.scope)

    @cached_property
    def handled(self) -> list[Handled]:
        """How cases waited: see `handled`."""
        return handled(scope=self.scope)

    @cached_property
    def opt_outs(self) -> dict[str, int]:
        """Who ended the texts, by way: see `opt_outs`."""
        return opt_outs(scope=self.scope)


def _rows(statement: str, parameters: Mapping[str, int | str | datetime]) -> Sequence[Sequence[Any]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        rows: Sequence[Sequence[Any]] = cursor.fetchall()
    return rows
