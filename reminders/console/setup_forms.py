"""The forms of the set-up. What is wrong with a value is told by the service that stores it."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final
from zoneinfo import available_timezones

from django import forms
from django.forms.boundfield import BoundField

from reminders.clinic.details import LONGEST_HOURS_IN_WORDS, LONGEST_NAME
from reminders.clinic.errors import Problem
from reminders.clinic.models import Clinic
from reminders.clinic.selectors import WEEKDAYS
from reminders.console import wording
from reminders.console.forms import Labelled
from reminders.console.person_form import US_ZONES

DAYS: Final = dict(
    zip(WEEKDAYS, ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"), strict=True)
)


class ServiceForm(Labelled):
    """A form that hands on what was typed and shows what a service finds wrong with it."""

    def raw(self) -> dict[str, str]:
        """Return what was typed."""
        return {name: str(self.cleaned_data.get(name) or "") for name in self.fields}

    def take_over(self, problems: Sequence[Problem]) -> None:
        """Put the service's problems beside their fields."""
        for problem in problems:
            self.add_error(problem.field if problem.field in self.fields else None, problem.sentence)


class ClinicForm(ServiceForm):
    """What the clinic is, for patients and for the clock."""

    name = forms.CharField(
        label="Name",
        max_length=LONGEST_NAME,
        required=False,
        help_text="As patients know it: every text begins with it. Short is cheaper.",
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )
    phone = forms.CharField(
        label="Phone that patients call",
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs={"type": "tel", "inputmode": "tel", "autocomplete": "tel"}),
        help_text="It stands in texts, and it is what an emergency text names after 911.",
    )
    booking_url = forms.CharField(
        label="Address for booking",
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"type": "url", "inputmode": "url", "autocomplete": "url"}),
        help_text="Where a patient can make an appointment, beginning with https://.",
    )
    timezone = forms.ChoiceField(
        label="Time zone",
        required=False,
        help_text="The clinic’s own clock. Each patient’s texts keep the hours of the patient’s zone.",
    )
    language = forms.ChoiceField(
        label="Language of new patients",
        choices=list(wording.LANGUAGES.items()),
        required=False,
        help_text="Used where nobody says which one a patient reads.",
    )

    records_kept_years = forms.CharField(
        label="Years that records are kept",
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        help_text="After the last treatment or text; then a patient may be erased. The law of your place decides.",
    )

    def __init__(self, *args: Any, clinic: Clinic, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = [] if clinic.timezone in dict(US_ZONES) else [(clinic.timezone, clinic.timezone)]
        self.fields["timezone"].choices = [  # type: ignore[attr-defined]
            *own,
            ("United States", list(US_ZONES)),
            ("Elsewhere", _other_zones()),
        ]


class HoursForm(ServiceForm):
    """When the clinic is open, how patients read that, and when no text leaves."""

    reply_hours = forms.CharField(
        label="Your hours in English",
        max_length=LONGEST_HOURS_IN_WORDS,
        required=False,
        help_text="As the middle of a sentence: weekdays 8 am to 6 pm",
    )
    reply_hours_es = forms.CharField(
        label="Your hours in Spanish",
        max_length=LONGEST_HOURS_IN_WORDS,
        required=False,
        help_text="de lunes a viernes de 8 am a 6 pm",
        widget=forms.TextInput(attrs={"lang": "es"}),
    )
    quiet_start = forms.CharField(label="No texts from", required=False, widget=forms.TextInput(attrs={"type": "time"}))
    quiet_end = forms.CharField(label="until", required=False, widget=forms.TextInput(attrs={"type": "time"}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for day, name in DAYS.items():
            for end, word in (("from", "opens"), ("to", "closes")):
                self.fields[f"{day}_{end}"] = forms.CharField(
                    label=f"{name}, {word}", required=False, widget=forms.TextInput(attrs={"type": "time"})
                )

    def days(self) -> list[tuple[str, BoundField, BoundField]]:
        """Return the days with their two fields, to be laid out as rows."""
        return [(name, self[f"{day}_from"], self[f"{day}_to"]) for day, name in DAYS.items()]


def hours_of(clinic: Clinic) -> Mapping[str, str]:
    """Return the values of the form for the hours as stored."""
    values = {
        "reply_hours": clinic.reply_hours,
        "reply_hours_es": clinic.reply_hours_es,
        "quiet_start": f"{clinic.quiet_start:%H:%M}",
        "quiet_end": f"{clinic.quiet_end:%H:%M}",
    }
    for day, (opens, closes) in clinic.opening_hours.items():
        values |= {f"{day}_from": opens, f"{day}_to": closes}
    return values


@cache
def _other_zones() -> list[tuple[str, str]]:
    known = dict(US_ZONES)
    names = [name for name in available_timezones() if "/" in name and not name.startswith("Etc/")]
    return [(name, name.replace("_", " ")) for name in sorted(names) if name not in known]
