"""Insights: what became of the treatments of some days, as a page, on paper and as files."""

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.http import Http404, HttpResponse
from django.shortcuts import render

from reminders import clock
from reminders.clinic.intake_fields import REGIONS
from reminders.clinic.models import Clinician
from reminders.console import insight_sections, insight_work
from reminders.console.access import May, StaffRequest, room
from reminders.console.insight_sections import Names, Section
from reminders.console.wording import TECHNIQUES, plain
from reminders.insights.outcomes import Outcomes, Scope

PERIODS: Final = (7, 28, 90)
DEFAULT_DAYS: Final = 28
LONGEST_DAYS: Final = 366
SECTIONS: Final[Mapping[str, Callable[[Outcomes, Names], Section]]] = {
    "replies": insight_sections.replies,
    "soreness": insight_sections.soreness,
    "persisting": insight_sections.persisting,
    "cases": insight_sections.cases,
    "waiting": insight_work.waiting,
    "opt-outs": insight_work.opted_out,
    "delivery": insight_work.delivery,
    "parts": insight_work.parts,
}
# A sheet takes a cell that begins so for a formula, and runs it.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Choice:
    """What the address asks for. Days are the clinic's, both included; `days` is 0 where dates were given."""

    scope: Scope
    days: int
    first: date
    last: date
    problem: str

    def query(self, **other: object) -> str:
        """Return the same question for an address, with other values where some are given."""
        period: dict[str, object] = (
            {"days": self.days} if self.days else {"from": self.first.isoformat(), "to": self.last.isoformat()}
        )
        filters = {"technique": self.scope.technique, "region": self.scope.region, "clinician": self.scope.clinician}
        return urlencode({key: value for key, value in {**(other or period), **filters}.items() if value})


@room(may=May.READ)
def insights_room(request: StaffRequest) -> HttpResponse:
    """Show all sections; the period and the filters stand in the address, which holds nothing about a patient."""
    names = _names(request)
    asked = _asked(request, names)
    outcomes = Outcomes(asked.scope)
    context = {
        "asked": asked,
        "typed_from": request.GET.get("from", "") if asked.problem else asked.first.isoformat(),
        "typed_to": request.GET.get("to", "") if asked.problem else asked.last.isoformat(),
        "periods": PERIODS,
        "techniques": TECHNIQUES,
        "regions_known": {code: plain(code).capitalize() for code in REGIONS},
        "names": names,
        "zone": request.user.clinic.timezone,
        "sections": [section(outcomes, names) for section in SECTIONS.values()],
        "now": clock.now(),
    }
    return render(request, "console/insights.j2", context, status=422 if asked.problem else 200)


@room(may=May.READ)
def section_csv(request: StaffRequest, section: str) -> HttpResponse:
    """Return the table of one section as a file: counts, per cent and minutes as plain numbers."""
    if section not in SECTIONS:
        raise Http404
    names = _names(request)
    asked = _asked(request, names)
    if asked.problem:
        return HttpResponse(asked.problem, status=422, content_type="text/plain; charset=utf-8")
    found = SECTIONS[section](Outcomes(asked.scope), names)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="insights-{section}-{asked.first}-{asked.last}.csv"'
    response.write("\ufeff")  # without it, sheets read accents as other letters
    rows = csv.writer(response)
    rows.writerow(found.columns)
    rows.writerows([_safe(raw) for _, raw in row] for row in found.rows)
    return response


def _safe(value: str | int | float | None) -> str | int | float:
    if value is None:
        return ""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _names(request: StaffRequest) -> dict[str, str]:
    """Return the names of the clinic's staff by id, those who left too: their sessions are counted."""
    staff = Clinician.objects.filter(clinic=request.user.clinic_id)
    return dict(sorted(((str(one.pk), one.display_name) for one in staff), key=lambda pair: pair[1].casefold()))


def _asked(request: StaffRequest, names: Mapping[str, str]) -> Choice:
    """Read the address. What a list does not hold is answered 404; bad dates are said, and 28 days are shown."""
    given = request.GET
    technique, region, clinician = (given.get(key, "") for key in ("technique", "region", "clinician"))
    if (
        (technique and technique not in TECHNIQUES)
        or (region and region not in REGIONS)
        or (clinician and clinician not in names)
    ):
        raise Http404
    zone = ZoneInfo(request.user.clinic.timezone)
    today = clock.now().astimezone(zone).date()
    days = next((number for number in PERIODS if str(number) == given.get("days", "")), DEFAULT_DAYS)
    first, last, problem = today - timedelta(days=days - 1), today, ""
    if given.get("from") or given.get("to"):
        try:
            first, last, days = *_dates(given.get("from", ""), given.get("to", ""), today), 0
        except ValueError as error:
            problem = str(error)
    scope = Scope(
        clinic=request.user.clinic,
        since=datetime.combine(first, time.min, zone),
        until=datetime.combine(last + timedelta(days=1), time.min, zone),
        technique=technique,
        region=region,
        clinician=int(clinician or 0),
    )
    return Choice(scope, days, first, last, problem)


def _dates(typed_first: str, typed_last: str, today: date) -> tuple[date, date]:
    """Return both days, the last one no later than today; raises ValueError with what to do."""
    try:
        first, last = date.fromisoformat(typed_first), date.fromisoformat(typed_last)
    except ValueError:
        raise ValueError("Give both days, each as year-month-day, such as 2026-03-31.") from None
    last = min(last, today)
    if first > last:
        raise ValueError("The first day must not come after the last, nor lie ahead.")
    if (last - first).days >= LONGEST_DAYS:
        raise ValueError("Choose a year at most.")
    if first.year < 2000:
        raise ValueError("Choose days after the year 1999.")
    return first, last
