"""Set-up: who is called when a patient reports danger."""

from collections.abc import Sequence
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from reminders import clock
from reminders.clinic.details import DetailError
from reminders.clinic.ladder_changes import (
    LONGEST_WAIT_MINUTES,
    MOST_STEPS,
    LadderStep,
    reachable_staff,
    set_ladder,
)
from reminders.clinic.models import Clinic, Clinician, LadderRung
from reminders.console.access import May, StaffRequest, room
from reminders.console.forms import Labelled, choices_with_blank

UNPROCESSABLE = 422
WAIT_MINUTES: Final = 3
"""What the ladder begins with: long enough to find the phone, short enough to lose nothing."""


class StepForm(Labelled):
    """One step: a person, a way, and a wait. A step without a person is left out."""

    person = forms.ChoiceField(label="Who", required=False)
    channel = forms.ChoiceField(label="How", choices=LadderRung.Channel.choices)
    wait = forms.IntegerField(
        label="Minutes",
        min_value=1,
        max_value=LONGEST_WAIT_MINUTES,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
        error_messages={"required": "Write how many minutes to wait."},
    )

    def __init__(self, *args: Any, people: Sequence[Clinician], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(str(one.pk), one.display_name) for one in people]
        self.fields["person"].choices = choices_with_blank(choices, "Nobody: leave this step out")  # type: ignore[attr-defined]


@room(may=May.MANAGE_CLINIC, methods=("GET", "HEAD", "POST"))
def ladder(request: StaffRequest) -> HttpResponse:
    """Show the ladder and store another one. Moving and adding steps stores nothing."""
    clinic = request.user.clinic
    people = reachable_staff(clinic=clinic)
    if request.method != "POST":
        return _page(request, _forms(_stored(clinic, people), people), people)
    typed = _typed(request)
    if "up" in request.POST or "add" in request.POST:
        return _page(request, _forms(_rearranged(request, typed), people), people)
    steps = [
        StepForm(_prefixed(values, number), prefix=f"s{number}", people=people) for number, values in enumerate(typed)
    ]
    problems: list[tuple[str, str]] = []
    # Every one of them is asked, so that all problems are shown.
    if not sum(not one.is_valid() for one in steps):
        try:
            changed = set_ladder(clinic=clinic, steps=_chosen(steps), clinician=request.user, now=clock.now())
        except DetailError as error:
            problems = [("id_s0-person", str(error))]
        else:
            said = "Saved. The next urgent case rings like this." if changed else "Nothing was changed."
            messages.success(request, said)
            return redirect("setup")
    for number, one in enumerate(steps, start=1):
        problems += [(element, f"Step {number}, {sentence}") for element, sentence in one.problems()]
    return _page(request, steps, people, problems, UNPROCESSABLE)


def _stored(clinic: Clinic, people: Sequence[Clinician]) -> list[dict[str, str]]:
    """Return the ladder as stored; for a clinic without one, a text and then a call to everybody, to begin with."""
    rows = [
        {"person": str(rung.clinician_id), "channel": rung.channel, "wait": str(rung.wait_minutes)}
        for rung in clinic.ladder.order_by("position")
    ]
    if rows:
        return rows
    ways = list(LadderRung.Channel.values)
    begin = [{"person": str(one.pk), "channel": way, "wait": str(WAIT_MINUTES)} for one in people for way in ways]
    return begin[:MOST_STEPS] or [_empty()]


def _empty() -> dict[str, str]:
    return {"person": "", "channel": str(LadderRung.Channel.VOICE), "wait": str(WAIT_MINUTES)}


def _typed(request: StaffRequest) -> list[dict[str, str]]:
    said = request.POST
    numbers = [number for number in range(MOST_STEPS) if f"s{number}-person" in said]
    return [{name: said.get(f"s{number}-{name}", "") for name in ("person", "channel", "wait")} for number in numbers]


def _rearranged(request: StaffRequest, typed: list[dict[str, str]]) -> list[dict[str, str]]:
    asked = request.POST.get("up", "")
    place = int(asked) if asked.isdecimal() and len(asked) < 3 else 0
    if 0 < place < len(typed):
        typed[place - 1], typed[place] = typed[place], typed[place - 1]
    if "add" in request.POST and len(typed) < MOST_STEPS:
        typed.append(_empty())
    return typed


def _forms(rows: Sequence[dict[str, str]], people: Sequence[Clinician]) -> list[StepForm]:
    return [StepForm(initial=values, prefix=f"s{number}", people=people) for number, values in enumerate(rows)]


def _prefixed(values: dict[str, str], number: int) -> dict[str, str]:
    return {f"s{number}-{name}": value for name, value in values.items()}


def _chosen(steps: Sequence[StepForm]) -> list[LadderStep]:
    said = [one.cleaned_data for one in steps]
    return [LadderStep(int(one["person"]), one["channel"], one["wait"]) for one in said if one["person"]]


def _page(
    request: StaffRequest,
    steps: Sequence[StepForm],
    people: Sequence[Clinician],
    problems: Sequence[tuple[str, str]] = (),
    status: int = 200,
) -> HttpResponse:
    context = {"steps": steps, "people": people, "problems": problems, "has_room": len(steps) < MOST_STEPS}
    return render(request, "console/setup_ladder.j2", context, status=status)
