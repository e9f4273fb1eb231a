"""A rehearsal on a page: what is asked for it, and the story it gives."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError

from reminders.clinic.intake import REGIONS
from reminders.clinic.models import Clinic, Patient, Technique
from reminders.clinic.selectors import age_years, screening_answers
from reminders.console.forms import Labelled, choices_with_blank
from reminders.console.wording import FLAGS, INTENTS, plain
from reminders.content.selectors import published_texts
from reminders.core.advice import Screening, decide_advice
from reminders.core.protocols import ProtocolDefinition
from reminders.core.quiet_hours import QuietWindow, is_quiet
from reminders.core.rehearsal import Moment, MomentKind
from reminders.core.rehearsal_checks import Story, play_story
from reminders.core.rendering import TemplateError, compile_text, render
from reminders.core.understanding import Reading
from reminders.messaging.compose import said_of, values_for

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
    check_name = forms.CharField(
        label="Name of the check",
        required=False,
        max_length=80,
        help_text="What the story is about: “chest pain in the night”.",
        widget=forms.TextInput(attrs={"form": "rehearse"}),
    )

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


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a story is about: a patient with what is known of them, or a sample of whom nothing is known."""

    zone: str
    given_name: str = ""
    screening: Screening | None = None
    age: int | None = None


def person_of(*, patient: Patient | None, clinic: Clinic, now: datetime) -> Person:
    """Return what a story has to know of a patient; without one it is of a sample who lives where the clinic is."""
    if patient is None:
        return Person(clinic.timezone)
    return Person(
        zone=patient.timezone,
        given_name=patient.given_name,
        screening=screening_answers(patient=patient),
        age=age_years(patient=patient, now=now),
    )


def first_values(*, clinic: Clinic, now: datetime, patient: Patient | None = None) -> dict[str, Any]:
    """Return what an empty form begins with: a treatment this morning, a patient's as the last one was."""
    local = now.astimezone(ZoneInfo(patient.timezone if patient else clinic.timezone))
    values = {"ended_on": local.date(), "ended_at": "10:00", "technique": "deep", "language": "en", "first": "7, worse"}
    if patient is None:
        return values
    newest = patient.treatment_sessions.order_by("-ended_at", "-id").first()
    if newest is not None:
        values |= {"technique": newest.technique, "region": next(iter(newest.regions), "")}
    return values | {"language": patient.language}


def as_story(*, clinic: Clinic, given: dict[str, Any], zone: str = "") -> Story:
    """Return the story of a clean form, in the patient's zone (or else the clinic's) and the clinic's quiet hours."""
    return Story(
        technique=given["technique"],
        region=given["region"],
        ended_on=given["ended_on"],
        ended_at=given["ended_at"],
        zone=zone or clinic.timezone,
        quiet_start=clinic.quiet_start,
        quiet_end=clinic.quiet_end,
        answers=(given["first"], given["second"], given["third"]),
    )


def story_of(*, clinic: Clinic, definition: ProtocolDefinition, given: dict[str, Any], person: Person) -> list[Shown]:
    """Return the story of a clean form as the page shows it, with the words that would leave."""
    zone = ZoneInfo(person.zone)
    quiet = QuietWindow(clinic.quiet_start, clinic.quiet_end)
    story = as_story(clinic=clinic, given=given, zone=person.zone)
    moments = play_story(definition=definition, story=story, screening=person.screening)
    words = _Words(clinic, given, person, moments)
    shown = []
    before, day = story.ends(), ""
    for one in moments:
        local = one.at.astimezone(zone)
        today = f"{local:%A, %B %-d}"
        shown.append(
            Shown(
                moment=one,
                body=words.of(one) if one.kind is MomentKind.TEXT else one.words,
                is_quiet=is_quiet(at=one.at, zone=zone, quiet=quiet),
                day=today if today != day else "",
                shift=_shift(before, one.at, zone),
                read_as=_read_as(one.reading),
            )
        )
        before, day = one.at, today
    return shown


class _Words:
    """The published words as this person would get them, by what their screening allows."""

    def __init__(self, clinic: Clinic, given: dict[str, Any], person: Person, moments: Sequence[Moment]) -> None:
        self._clinic, self._given, self._person = clinic, given, person
        keys = {one.key for one in moments if one.kind is MomentKind.TEXT}
        self._found = published_texts(clinic_ids=[clinic.pk], keys=keys)
        self._first = next((one for one in moments if one.kind is MomentKind.TEXT and one.step), None)
        self._advice = decide_advice(
            screening=person.screening,
            technique=given["technique"],
            age_years=person.age,
            regions=[given["region"]] if given["region"] else [],
        )

    def of(self, one: Moment) -> str:
        """Return the words of a text, or nothing where none are published or they cannot be rendered."""
        language = self._given["language"]
        key = (self._clinic.pk, one.key)
        found = self._found.get((*key, language)) or self._found.get((*key, "en"))
        if found is None:
            return ""
        said = said_of(
            technique=self._given["technique"],
            first_name=self._person.given_name,
            advice=self._advice,
            is_first=one is self._first,
        )
        try:
            return render(
                compile_text(found.source), values=values_for(clinic=self._clinic, language=language, values=said)
            )
        except TemplateError:
            return ""


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
