"""Protocols: what is sent after a treatment and when, and a rehearsal of any patient's story before it is lived."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import render

from reminders import clock
from reminders.clinic.intake import REGIONS
from reminders.clinic.models import Clinic, Technique
from reminders.console import previews
from reminders.console.access import May, StaffRequest, room
from reminders.console.forms import Labelled, choices_with_blank
from reminders.console.wording import FLAGS, INTENTS, plain
from reminders.content.models import Protocol, ProtocolVersion, Step
from reminders.content.selectors import PublishedText, published_texts, schedule_step
from reminders.core.protocols import condition_from_json, thresholds_from_json
from reminders.core.quiet_hours import QuietWindow, is_quiet
from reminders.core.rehearsal import Moment, MomentKind, RehearsalStep, Treatment, rehearse
from reminders.core.texts import TEXTS
from reminders.core.understanding import Reading

UNPROCESSABLE = 422
LONGEST_ANSWER = 300


class RehearsalForm(Labelled):
    """A treatment and what the made-up patient answers."""

    technique = forms.ChoiceField(label="Technique", choices=Technique.choices)
    region = forms.ChoiceField(
        label="Region", required=False, choices=choices_with_blank([(one, plain(one)) for one in REGIONS], "not said")
    )
    language = forms.ChoiceField(label="Language", choices=[("en", "English"), ("es", "Spanish")])
    ended_on = forms.DateField(label="Treated on", widget=forms.DateInput(attrs={"type": "date"}))
    ended_at = forms.TimeField(label="Ended at", widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"))
    first = forms.CharField(label="First answer", required=False, max_length=LONGEST_ANSWER)
    second = forms.CharField(label="Second answer", required=False, max_length=LONGEST_ANSWER)
    third = forms.CharField(label="Third answer", required=False, max_length=LONGEST_ANSWER)

    def clean_ended_on(self) -> Any:
        """Keep to years in which the rules of time zones are known."""
        day = self.cleaned_data["ended_on"]
        if not 2000 <= day.year <= 2100:
            raise ValidationError("Choose a day between 2000 and 2100.")
        return day


@dataclass(frozen=True, slots=True)
class Shown:
    """One moment as the page shows it; `shift` says how the clock changed since the moment before."""

    moment: Moment
    body: str
    is_quiet: bool
    day: str
    shift: str
    read_as: str


@room(may=May.READ)
def protocol_list(request: StaffRequest) -> HttpResponse:
    """List the protocols of the clinic with the version in force."""
    rows = Protocol.objects.filter(clinic=request.user.clinic).select_related("published").order_by("name", "id")
    return render(request, "console/protocols.j2", {"rows": list(rows), "zone": request.user.clinic.timezone})


@room(may=May.READ, methods=("GET", "HEAD", "POST"))
def protocol(request: StaffRequest, key: str) -> HttpResponse:
    """Show the steps and numbers in force; by POST play a story through. Nothing is stored or sent."""
    version = _access_version(request, key)
    clinic = request.user.clinic
    form = RehearsalForm(request.POST) if request.method == "POST" else RehearsalForm(initial=_initial(clinic))
    story = None
    if request.method == "POST" and form.is_valid():
        story = _story(clinic, version, form.cleaned_data)
    context = {
        "protocol": version.protocol,
        "version": version,
        "steps": list(version.steps.order_by("position")),
        "thresholds": thresholds_from_json(version.thresholds),
        "form": form,
        "story": story,
        "clinic": clinic,
        "zone": clinic.timezone,
    }
    is_wrong = request.method == "POST" and story is None
    return render(request, "console/protocol.j2", context, status=UNPROCESSABLE if is_wrong else 200)


def _access_version(request: StaffRequest, key: str) -> ProtocolVersion:
    rows = Protocol.objects.filter(clinic=request.user.clinic_id, key=key, published__isnull=False)
    row = rows.select_related("published").first()
    if row is None or row.published is None:
        raise Http404
    row.published.protocol = row
    return row.published


def _initial(clinic: Clinic) -> dict[str, Any]:
    now = clock.now().astimezone(ZoneInfo(clinic.timezone))
    return {"ended_on": now.date(), "ended_at": "10:00", "technique": "deep", "language": "en", "first": "7, worse"}


def _story(clinic: Clinic, version: ProtocolVersion, given: dict[str, Any]) -> list[Shown]:
    zone = ZoneInfo(clinic.timezone)
    quiet = QuietWindow(clinic.quiet_start, clinic.quiet_end)
    regions = frozenset({given["region"]} - {""})
    ended_at = datetime.combine(given["ended_on"], given["ended_at"], tzinfo=zone).astimezone(UTC)
    moments = rehearse(
        steps=[
            RehearsalStep(schedule_step(step), step.template_key)
            for step in version.steps.order_by("position")
            if _is_for(step, given["technique"], regions)
        ],
        thresholds=thresholds_from_json(version.thresholds),
        treatment=Treatment(ended_at, given["technique"], regions),
        zone=zone,
        quiet=quiet,
        answers=[given["first"], given["second"], given["third"]],
    )
    keys = {one.key for one in moments if one.kind is MomentKind.TEXT}
    words = published_texts(clinic_ids=[clinic.pk], keys=keys)
    shown = []
    before, day = ended_at, ""
    for one in moments:
        local = one.at.astimezone(zone)
        today = f"{local:%A, %B %-d}"
        shown.append(
            Shown(
                moment=one,
                body=_body(clinic, one, given, words) if one.kind is MomentKind.TEXT else one.words,
                is_quiet=is_quiet(at=one.at, zone=zone, quiet=quiet),
                day=today if today != day else "",
                shift=_shift(before, one.at, zone),
                read_as=_read_as(one.reading),
            )
        )
        before, day = one.at, today
    return shown


def _is_for(step: Step, technique: str, regions: frozenset[str]) -> bool:
    """Tell whether the step is for this treatment, of a patient whom nobody screened."""
    return condition_from_json(step.condition).holds(technique=technique, regions=regions)


def _body(clinic: Clinic, one: Moment, given: dict[str, Any], words: dict[tuple[int, str, str], PublishedText]) -> str:
    """Return the published words for this patient, or an empty text where none can be rendered."""
    text = TEXTS.get(one.key)
    language = given["language"]
    found = words.get((clinic.pk, one.key, language)) or words.get((clinic.pk, one.key, "en"))
    if text is None or found is None:
        return ""
    options = previews.options_for(text, {"technique": given["technique"]}, was_sent=True)
    return previews.preview(clinic=clinic, text=text, language=language, source=found.source, options=options).body


def _shift(before: datetime, after: datetime, zone: ZoneInfo) -> str:
    """Say how the clock on the wall changed between two moments; empty where it did not."""
    was, now = before.astimezone(zone).utcoffset(), after.astimezone(zone).utcoffset()
    if was is None or now is None or was == now:
        return ""
    return "The clock went forward an hour." if now - was > timedelta(0) else "The clock went back an hour."


def _read_as(reading: Reading | None) -> str:
    if reading is None:
        return ""
    parts = [INTENTS.get(reading.intent, plain(reading.intent))]
    if reading.score is not None:
        parts.append(f"{reading.score} of 10")
    parts += sorted(FLAGS.get(flag, plain(flag)) for flag in reading.flags)
    if not reading.sure:
        parts.append("not sure")
    return ", ".join(parts)
