"""Threshold replay: the answers of the last 30 days under other numbers, and what that would have saved or cost."""

from dataclasses import dataclass, replace
from typing import Any, Final

from django import forms
from django.http import Http404, HttpResponse
from django.shortcuts import render

from reminders import clock
from reminders.clinic.models import TreatmentSession
from reminders.console.access import May, StaffRequest, room
from reminders.console.forms import Labelled
from reminders.console.insight_sections import FEW
from reminders.console.protocols import access_protocol
from reminders.content.models import Protocol, ProtocolVersion
from reminders.content.selectors import definition_of
from reminders.core.intervals import wilson
from reminders.core.protocols import Thresholds
from reminders.core.threshold_replay import Effect
from reminders.insights.threshold_replay import Course, Ending, Replay, endings, replay

UNPROCESSABLE: Final = 422
SHOWN: Final = 25
_ORDER: Final = (Effect.SAVED, Effect.LATER, Effect.ADDED, Effect.SOONER)
_NO_ENDING: Final = Ending([], is_open=False, had_danger_sign=False)


class ReplayForm(Labelled):
    """Three numbers to try, and whose curve."""

    persists = forms.IntegerField(
        label="Soreness persists from",
        min_value=1,
        max_value=10,
        help_text="of 10",
        error_messages={"required": "Give a number."},
    )
    same_day = forms.IntegerField(
        label="A same-day matter from",
        min_value=1,
        max_value=10,
        help_text="of 10",
        error_messages={"required": "Give a number."},
    )
    change = forms.IntegerField(
        label="A change that matters",
        min_value=1,
        max_value=10,
        help_text="points more than before",
        error_messages={"required": "Give a number."},
    )
    curve = forms.ChoiceField(label="Expected curve", choices=[("in_force", "in force")])

    def __init__(self, *args: Any, has_draft: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        drafted = [("draft", "of the draft")] if has_draft else []
        self.fields["curve"].choices = [("in_force", "in force"), *drafted, ("none", "none")]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Check the numbers against each other, as the protocol does."""
        given = super().clean() or {}
        if given.get("same_day", 10) < given.get("persists", 1):
            self.add_error("same_day", "Let it be as high as the number from which soreness persists, or higher.")
        return given


@dataclass(frozen=True, slots=True)
class Shown:
    """One course that would have gone otherwise."""

    course: Course
    session: TreatmentSession
    ending: Ending


@room(may=May.READ)
def replay_page(request: StaffRequest, key: str) -> HttpResponse:
    """Show what the numbers in the address would have done to the answers of the last 30 days. Nothing is stored."""
    row = access_protocol(request, key)
    if row.published is None:
        raise Http404
    row.published.protocol = row
    in_force = definition_of(row.published).thresholds
    draft = _draft_numbers(row)
    start = draft or in_force
    is_asked = "persists" in request.GET
    form = ReplayForm(
        request.GET if is_asked else _typed(start, is_draft=draft is not None), has_draft=draft is not None
    )
    found = None
    if form.is_valid():
        other = _numbers(form.cleaned_data, in_force, draft)
        found = replay(
            clinic=request.user.clinic,
            protocol_id=row.pk,
            now_in_force=in_force,
            other=other,
            now=clock.now(),
        )
    context: dict[str, Any] = {
        "protocol": row,
        "form": form,
        "in_force": in_force,
        "replay": found,
        "few": FEW,
        "effects": Effect,
        "zone": request.user.clinic.timezone,
        "now": clock.now(),
        **(_told(found) if found else {}),
    }
    return render(request, "console/protocol_replay.j2", context, status=200 if found else UNPROCESSABLE)


def _told(found: Replay) -> dict[str, Any]:
    changed = [one for effect in _ORDER for one in found.courses if one.effect is effect]
    ends = endings(treatment_session_ids=[one.treatment_session_id for one in changed])
    shown = changed[:SHOWN]
    sessions = TreatmentSession.objects.select_related("patient").in_bulk([one.treatment_session_id for one in shown])
    missed = [
        ends[one.treatment_session_id]
        for one in changed
        if one.effect in (Effect.SAVED, Effect.LATER) and one.treatment_session_id in ends
    ]
    saved, cases = found.count(Effect.SAVED), found.cases_now
    return {
        "changed": len(changed),
        "shown": [
            Shown(one, sessions[one.treatment_session_id], ends.get(one.treatment_session_id, _NO_ENDING))
            for one in shown
        ],
        "mattered": sum(1 for end in missed if {"seen", "emergency"} & set(end.outcomes)),
        "danger": sum(1 for end in missed if end.had_danger_sign),
        "interval": wilson(hits=saved, of=cases) if cases else None,
    }


def _draft_numbers(row: Protocol) -> Thresholds | None:
    draft: ProtocolVersion | None = row.versions.filter(published_at__isnull=True).first()
    if draft is None:
        return None
    draft.protocol = row
    return definition_of(draft).thresholds


def _typed(numbers: Thresholds, *, is_draft: bool) -> dict[str, object]:
    return {
        "persists": numbers.persists_score,
        "same_day": numbers.same_day_score,
        "change": numbers.meaningful_change,
        "curve": "draft" if is_draft else "in_force",
    }


def _numbers(given: dict[str, Any], in_force: Thresholds, draft: Thresholds | None) -> Thresholds:
    curves = {"in_force": in_force.expected, "draft": draft.expected if draft else (), "none": ()}
    return replace(
        draft or in_force,
        persists_score=given["persists"],
        same_day_score=given["same_day"],
        meaningful_change=given["change"],
        expected=curves[given["curve"]],
    )
