"""The sections of the Insights room: what each says, draws and lists. A page and a CSV file are made of the same."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, TypeVar

from reminders.console.insight_chart import Chart, Figure, chart_of
from reminders.console.moments import span
from reminders.console.wording import TECHNIQUES, plain, say
from reminders.core.intervals import wilson
from reminders.insights.outcomes import Asked, Group, Outcomes, Treated

FEW: Final = 10
"""Below so many cases a figure is shown as a small one: no share of fewer is worth comparing."""
DRAWN: Final = 6
BY: Final[Mapping[str, str]] = {
    "all": "All",
    "technique": "Technique",
    "region": "Region",
    "clinician": "Clinician",
}
DRAWINGS: Final = (
    ("By technique", ("all", "technique")),
    ("By region", ("region",)),
    ("By clinician", ("clinician",)),
)
RENNES_REPLIES: Final = 0.87
"""Of patients texted the day after surgery, answered: Rennes, J Med Syst 2019;43:217, 7,246 patients."""
PUBLISHED_CASES: Final = (17.0, 36.0)
"""Patients of 100 whom a programme of texts passed on to staff.

17: COVID Watch, 3,488 patients, of whom 83 % never were; 36: Rennes 2019, of which 12 were silence.
"""

Cell = tuple[str, str | int | float | None]
"""How a figure is read on the page, and as it stands in a file."""
Counted = TypeVar("Counted", Asked, Treated)
Names = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the room: a sentence that says it all, drawings, and the table with the same figures."""

    slug: str
    title: str
    sentence: str
    note: str
    columns: list[str]
    rows: list[list[Cell]]
    charts: list[Chart] = field(default_factory=list)
    is_empty: bool = False


def replies(found: Outcomes, names: Names) -> Section:
    """Return how many answered, and how soon."""
    rows = _sorted(found.asked, names, lambda one: one.over)
    total = next(one for one in rows if one.group.by == "all")
    wait = f" Half of the answers came within {_span(total.median_wait)}." if total.median_wait is not None else ""
    return Section(
        slug="replies",
        title="Replies",
        sentence=_told(total.answered, total.over, "questions were answered") + wait,
        note=f"Published: {RENNES_REPLIES:.0%} answered, most within the hour (Rennes 2019). "
        "Questions that still wait for an answer are left out.",
        columns=["By", "Which", "Asked", "Answered", "Share", "95% from", "95% to", "Half within", "Within an hour"],
        rows=[
            [
                *_who(one.group, names),
                _count(one.over),
                _count(one.answered),
                *_share(one.answered, one.over),
                _time(one.median_wait),
                _count(one.within_hour),
            ]
            for one in rows
        ],
        charts=_charts(rows, names, lambda one: (_share_figure(one.answered, one.over), None), most=100),
        is_empty=not total.over,
    )


def soreness(found: Outcomes, names: Names) -> Section:
    """Return the mean score at 24 and at 48 hours."""
    rows = _sorted(found.asked, names, lambda one: one.count_24 + one.count_48)
    total = next(one for one in rows if one.group.by == "all")
    return Section(
        slug="soreness",
        title="Soreness at 24 and 48 hours",
        sentence=f"At 24 hours {_mean_told(total.mean_24, total.count_24)}; "
        f"at 48 hours {_mean_told(total.mean_48, total.count_48)}.",
        note="Mean score of 0 to 10. The wide bar tells of answers 12 to 36 hours after the session, "
        "the thin one of answers 36 to 72 hours after it. Who is asked again at 48 hours was often sorer at 24.",
        columns=["By", "Which", "Scores at 24 h", "Mean at 24 h", "Scores at 48 h", "Mean at 48 h"],
        rows=[
            [
                *_who(one.group, names),
                _count(one.count_24),
                _number(one.mean_24),
                _count(one.count_48),
                _number(one.mean_48),
            ]
            for one in rows
        ],
        charts=_charts(
            rows,
            names,
            lambda one: (
                _mean_figure("24 h", one.mean_24, one.count_24),
                _mean_figure("48 h", one.mean_48, one.count_48),
            ),
            most=10,
        ),
        is_empty=not (total.count_24 or total.count_48),
    )


def persisting(found: Outcomes, names: Names) -> Section:
    """Return who was still sore at the first check-in."""
    rows = _sorted(found.asked, names, lambda one: one.judged)
    total = next(one for one in rows if one.group.by == "all")
    return Section(
        slug="persisting",
        title="Still sore",
        sentence=_told(total.persists, total.judged, "first check-ins said still sore"),
        note="Of first check-ins answered about soreness. The line over a bar is the 95% interval; "
        "groups whose lines overlap may well be alike.",
        columns=["By", "Which", "Answered", "Still sore", "Share", "95% from", "95% to"],
        rows=[
            [
                *_who(one.group, names),
                _count(one.judged),
                _count(one.persists),
                *_share(one.persists, one.judged),
            ]
            for one in rows
        ],
        charts=_charts(rows, names, lambda one: (_share_figure(one.persists, one.judged), None), most=100),
        is_empty=not total.judged,
    )


def cases(found: Outcomes, names: Names) -> Section:
    """Return how many cases came of 100 sessions, beside what programmes like this have published."""
    rows = _sorted(found.treated, names, lambda one: one.sessions)
    total = next(one for one in rows if one.group.by == "all")
    low, high = PUBLISHED_CASES
    rate = f" That is {100 * total.cases / total.sessions:.0f} per 100." if total.sessions >= FEW else ""
    few = " Too few sessions to tell a rate." if 0 < total.sessions < FEW else ""
    return Section(
        slug="cases",
        title="Cases per 100 sessions",
        sentence=f"{_many(total.cases, 'case')} came of {_many(total.sessions, 'session')}.{rate}{few}",
        note=f"The shaded band is {low:.0f} to {high:.0f}: patients of 100 whom published programmes passed on to "
        "staff (COVID Watch; Rennes 2019). They count patients, not sessions, after other treatments.",
        columns=["By", "Which", "Sessions", "Cases", "Per 100", "With a case", "Share", "95% from", "95% to"],
        rows=[
            [
                *_who(one.group, names),
                _count(one.sessions),
                _count(one.cases),
                _number(100 * one.cases / one.sessions if one.sessions else None),
                _count(one.with_case),
                *_share(one.with_case, one.sessions),
            ]
            for one in rows
        ],
        charts=_charts(
            rows,
            names,
            lambda one: (_rate_figure(one.cases, one.sessions), None),
            most=_reach(rows),
            band=PUBLISHED_CASES,
        ),
        is_empty=not total.sessions,
    )


def _sorted(rows: Sequence[Counted], names: Names, size: Callable[[Counted], int]) -> list[Counted]:
    """Return the groups in the order of the page: all, then the largest of each kind first."""
    order = list(BY)

    def place(row: Counted) -> tuple[int, int, str]:
        return order.index(row.group.by), -size(row), name_of(row.group, names)

    return sorted(rows, key=place)


def _charts(
    rows: Sequence[Counted],
    names: Names,
    figures: Callable[[Counted], tuple[Figure, Figure | None]],
    *,
    most: float | None = None,
    band: tuple[float, float] | None = None,
) -> list[Chart]:
    """Return one drawing for all and the techniques, one for the regions and one for the clinicians."""
    drawn: list[Chart] = []
    for title, kinds in DRAWINGS:
        lines: list[tuple[str, Figure, Figure | None]] = []
        for row in rows:
            if row.group.by in kinds and len(lines) < DRAWN:
                first, second = figures(row)
                lines.append((name_of(row.group, names), first, second))
        if lines:
            drawn.append(chart_of(title=title, rows=lines, most=most, band=band))
    return drawn


def name_of(group: Group, names: Names) -> str:
    """Return a group as people say it; `names` are those of the clinicians, by id."""
    if group.by == "all":
        return "All"
    if group.by == "technique":
        return say(group.key, TECHNIQUES)
    if group.by == "region":
        return plain(group.key).capitalize()
    return names.get(group.key, "Nobody named")


def _who(group: Group, names: Names) -> list[Cell]:
    name = name_of(group, names)
    return [(BY[group.by], BY[group.by]), (name, name)]


def _count(number: int) -> Cell:
    return (f"{number:,}", number)


def _number(value: float | None) -> Cell:
    return ("–", None) if value is None else (f"{value:.1f}", round(value, 2))


def _time(seconds: float | None) -> Cell:
    """Return a length of time; files hold minutes."""
    return ("–", None) if seconds is None else (_span(seconds), round(seconds / 60, 1))


def _share(hits: int, of: int) -> list[Cell]:
    """Return the share and its interval; files hold per cent."""
    if not of:
        return [("–", None)] * 3
    share, (low, high) = hits / of, wilson(hits=hits, of=of)
    few = " (few)" if of < FEW else ""
    cells = [(f"{share:.0%}{few}", share), (f"{low:.0%}", low), (f"{high:.0%}", high)]
    return [(said, round(100 * value, 1)) for said, value in cells]


def _reach(rows: Sequence[Treated]) -> float:
    """Return the right end of all drawings of rates, so that the band stands in one place; few may run out of it."""
    told = [100 * one.cases / one.sessions for one in rows if one.sessions >= FEW]
    return max([1.25 * PUBLISHED_CASES[1], *told])


def _share_figure(hits: int, of: int) -> Figure:
    if not of:
        return Figure(None, "none counted")
    low, high = wilson(hits=hits, of=of)
    said = f"{hits:,} of {of:,}" + (", few" if of < FEW else f" · {hits / of:.0%}")
    return Figure(100 * hits / of, said, 100 * low, 100 * high, is_few=of < FEW)


def _mean_figure(when: str, mean: float | None, count: int) -> Figure:
    if mean is None:
        return Figure(None, f"{when}: none counted")
    return Figure(mean, f"{when}: {mean:.1f} of {count:,}{', few' if count < FEW else ''}", is_few=count < FEW)


def _rate_figure(cases_found: int, sessions: int) -> Figure:
    if not sessions:
        return Figure(None, "none counted")
    if sessions < FEW:
        said = f"{cases_found:,} from {sessions:,}, few"
    else:
        said = f"{100 * cases_found / sessions:.0f} per 100 ({sessions:,})"
    return Figure(100 * cases_found / sessions, said, is_few=sessions < FEW)


def _told(hits: int, of: int, what: str) -> str:
    if not of:
        return "Nothing was counted in these days."
    if of < FEW:
        return f"{hits} of {of} {what}: too few to tell a share."
    low, high = wilson(hits=hits, of=of)
    return f"{hits:,} of {of:,} {what}: {hits / of:.0%} (95% interval {low:.0%} to {high:.0%})."


def _mean_told(mean: float | None, count: int) -> str:
    if mean is None:
        return "nobody gave a score"
    return f"the mean was {mean:.1f} of {_many(count, 'score')}{' (few)' if count < FEW else ''}"


def _many(count: int, one: str) -> str:
    return f"{count:,} {one}{'' if count == 1 else 's'}"


def _span(seconds: float | None) -> str:
    return span(timedelta(seconds=seconds or 0.0))
