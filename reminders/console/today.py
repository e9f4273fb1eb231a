"""Today: who needs us now, what is under way, and what went wrong."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.http import HttpResponse, HttpResponseNotModified
from django.shortcuts import render
from django.template.loader import render_to_string
from markupsafe import Markup

from reminders import clock
from reminders.console.access import May, StaffRequest, room
from reminders.console.marks import deciding_words
from reminders.console.moments import span, today_in_words
from reminders.conversations.models import InboundMessage
from reminders.core.states import EscalationState
from reminders.escalations.models import Escalation
from reminders.escalations.selectors import worklist
from reminders.insights import selectors

# The token differs in every rendering, the form does not.
_CSRF: Final = re.compile(r'name="csrfmiddlewaretoken" value="[^"]*"')


@dataclass(frozen=True, slots=True)
class Case:
    """One line of the worklist."""

    escalation: Escalation
    inbound: InboundMessage | None
    because: list[Any]
    since: datetime
    waited: str
    is_back: bool
    is_aside: bool

    @property
    def needs_somebody(self) -> bool:
        """Whether it waits for a person: nobody has it, or the time until which it was put aside is over."""
        return not self.is_aside and (self.is_back or self.escalation.state == EscalationState.OPEN)


@dataclass(frozen=True, slots=True)
class LivePart:
    """The part of the page that refreshes itself, with a tag that changes only when its words do."""

    html: Markup
    etag: str
    waiting: int


@room(may=May.READ)
def today(request: StaffRequest) -> HttpResponse:
    """Show the whole page."""
    return render(request, "console/today.j2", {"live": _live_part(request), "clinic": request.user.clinic})


@room(may=May.READ)
def live(request: StaffRequest) -> HttpResponse:
    """Answer only the part that changes; 304 with no body where nothing did."""
    request.is_poll = True  # see console.idle
    part = _live_part(request)
    if request.headers.get("If-None-Match") == part.etag:
        return HttpResponseNotModified()
    return render(request, "console/today_live.j2", {"live": part, "alone": True})


def words_of(escalation: Escalation) -> InboundMessage | None:
    """Return the patient's words behind a case: the text that raised it, else the check-in's answer."""
    if escalation.inbound:
        return escalation.inbound
    return escalation.check_in.answer if escalation.check_in else None


def _case(escalation: Escalation, now: datetime) -> Case:
    inbound = words_of(escalation)
    until = escalation.snoozed_until
    is_back = until is not None and until <= now
    since = escalation.handed_over_at or escalation.acknowledged_at or escalation.created_at
    if until is not None and is_back and escalation.state != EscalationState.OPEN:
        since = until
    return Case(
        escalation=escalation,
        inbound=inbound,
        because=deciding_words(inbound),
        since=since,
        waited=span(now - since),
        is_back=is_back,
        is_aside=until is not None and not is_back,
    )


def _headline(cases: list[Case], now: datetime) -> str:
    """Return the one true sentence the page begins with."""
    if not cases:
        return "Nobody needs you right now."
    people = len({case.escalation.patient_id or -case.escalation.pk for case in cases})
    waited = span(now - min(case.since for case in cases))
    if people == 1:
        return f"1 patient needs you; waiting for {waited}."
    return f"{people} patients need you; the oldest has waited {waited}."


def _live_part(request: StaffRequest) -> LivePart:
    clinic = request.user.clinic
    now = clock.now()
    rows = worklist(clinic=clinic).select_related(
        "patient",
        "owner",
        "handed_over_by",
        "treatment_session",
        "inbound__understanding",
        "check_in__answer__understanding",
    )
    cases = [_case(row, now) for row in rows]
    waiting = [case for case in cases if case.needs_somebody]
    context = {
        "clinic": clinic,
        "now": now,
        "today_in_words": today_in_words(now, clinic.timezone),
        "headline": _headline(waiting, now),
        "waiting": waiting,
        "in_hands": [case for case in cases if not case.needs_somebody and not case.is_aside],
        "aside": sorted(
            (case for case in cases if case.is_aside), key=lambda case: case.escalation.snoozed_until or now
        ),
        "board": selectors.check_in_board(clinic=clinic, now=now),
        "missed": selectors.missed_count(clinic=clinic, now=now),
        "missed_days": selectors.MISSED_COUNTED_FOR.days,
        "inbox": [(row, deciding_words(row)) for row in selectors.inbox(clinic=clinic)],
        "trouble": selectors.delivery_trouble(clinic=clinic, now=now),
    }
    html = render_to_string("console/today_cases.j2", context, request=request)
    digest = hashlib.sha256(_CSRF.sub("", html).encode()).hexdigest()
    return LivePart(html=Markup(html), etag=f'"{digest[:24]}"', waiting=len(waiting))  # noqa: S704  # a template's output
