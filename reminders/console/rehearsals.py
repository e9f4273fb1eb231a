"""A rehearsal on a page: what is asked for it, and the story it gives."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError

from reminders.clinic.intake import REGIONS
from reminders.clinic.models import Clinic, Technique
from reminders.console import previews
from reminders.console.forms import Labelled, choices_with_blank
from reminders.console.wording import FLAGS, INTENTS, plain
from reminders.content.selectors import PublishedText, published_texts
from reminders.core.protocols import ProtocolDefinition
from reminders.core.quiet_hours import QuietWindow, is_quiet
from reminders.core.rehearsal import Moment, MomentKind
from reminders.core.rehearsal_checks import Story, play_story
from reminders.core.texts import TEXTS
from reminders.core.understanding import Reading

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


def first_values(*, clinic: Clinic, now: datetime) -> dict[str, Any]:
    """Return what an empty form begins with: a treatment this morning, and an answer that says something."""
    local = now.astimezone(ZoneInfo(clinic.timezone))
    return {"ended_on": local.date(), "ended_at": "10:00", "technique": "deep", "language": "en", "first": "7, worse"}


def as_story(*, clinic: Clinic, given: dict[str, Any]) -> Story:
    """Return the story of a clean form, in the clinic's zone and quiet hours."""
    return Story(
        technique=given["technique"],
        region=given["region"],
        ended_on=given["ended_on"],
        ended_at=given["ended_at"],
        zone=clinic.timezone,
        quiet_start=clinic.quiet_start,
        quiet_end=clinic.quiet_end,
        answers=(given["first"], given["second"], given["third"]),
    )


def story_of(*, clinic: Clinic, definition: ProtocolDefinition, given: dict[str, Any]) -> list[Shown]:
    """Return the story of a clean form as the page shows it, with the words that would leave."""
    zone = ZoneInfo(clinic.timezone)
    quiet = QuietWindow(clinic.quiet_start, clinic.quiet_end)
    story = as_story(clinic=clinic, given=given)
    moments = play_story(definition=definition, story=story)
    keys = {one.key for one in moments if one.kind is MomentKind.TEXT}
    words = published_texts(clinic_ids=[clinic.pk], keys=keys)
    shown = []
    before, day = story.ends(), ""
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
