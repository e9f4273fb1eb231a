"""What is asked about a patient: who they are, their phone, the language and zone of their texts, their screening."""

from collections.abc import Sequence
from typing import Any, Final

from django import forms

from reminders.clinic.errors import Problem
from reminders.clinic.models import Clinic, Patient
from reminders.clinic.selectors import newest_screening
from reminders.console import wording
from reminders.console.forms import Labelled
from reminders.core.advice import SCREENING_FACTS

US_ZONES: Final = (
    ("America/New_York", "Eastern (New York)"),
    ("America/Chicago", "Central (Chicago)"),
    ("America/Denver", "Mountain (Denver)"),
    ("America/Phoenix", "Mountain without summer time (Phoenix)"),
    ("America/Los_Angeles", "Pacific (Los Angeles)"),
    ("America/Anchorage", "Alaska (Anchorage)"),
    ("Pacific/Honolulu", "Hawaii (Honolulu)"),
    ("America/Puerto_Rico", "Atlantic (Puerto Rico)"),
)
PATIENT_FIELDS: Final = ("given_name", "family_name", "phone", "patient_external_id", "birth_date")
YES_NO: Final = [("yes", "Yes"), ("no", "No"), ("", "Not asked")]


class PersonForm(Labelled):
    """One patient. What is wrong with a value is told by the intake, the same as at every other door."""

    given_name = forms.CharField(label="Given name", max_length=60, required=False)
    family_name = forms.CharField(label="Family name", max_length=60, required=False)
    phone = forms.CharField(
        label="Mobile phone",
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "off", "inputmode": "tel"}),
    )
    patient_external_id = forms.CharField(label="Record number", max_length=64, required=False)
    birth_date = forms.CharField(
        label="Date of birth",
        required=False,
        widget=forms.TextInput(attrs={"type": "date"}),
        help_text="Without it, no text names a medicine.",
    )
    language = forms.ChoiceField(label="Language of the texts", choices=list(wording.LANGUAGES.items()), required=False)
    timezone = forms.ChoiceField(
        label="Time zone", required=False, help_text="Where the patient lives: it decides the hours of texts."
    )

    def __init__(self, *args: Any, clinic: Clinic, patient: Patient | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.clinic = clinic
        zones = dict(US_ZONES)
        for known in (clinic.timezone, patient.timezone if patient else clinic.timezone):
            zones.setdefault(known, known)
        self.fields["timezone"].choices = list(zones.items())  # type: ignore[attr-defined]
        for fact in SCREENING_FACTS:
            self.fields[fact] = forms.ChoiceField(
                label=wording.SCREENING[fact], choices=YES_NO, required=False, widget=forms.RadioSelect
            )

    def screening(self) -> list[Any]:
        """Return the screening questions, to be laid out as rows."""
        return [self[fact] for fact in SCREENING_FACTS]

    def take_over(self, problems: Sequence[Problem]) -> None:
        """Put the intake's problems beside their fields; those of a field that is not shown go to the top."""
        for problem in problems:
            shown = problem.field in self.fields and problem.field != "external_id"
            self.add_error(problem.field if shown else None, problem.sentence)


def identity_values(patient: Patient) -> dict[str, object]:
    """Return the form's values of who a patient is."""
    primary = patient.phones.filter(is_primary=True).first()
    return {
        "given_name": patient.given_name,
        "family_name": patient.family_name,
        "phone": primary.number if primary else "",
        "patient_external_id": patient.external_id,
        "birth_date": patient.birth_date.isoformat() if patient.birth_date else "",
    }


def screening_values(patient: Patient | None) -> dict[str, object]:
    """Return the form's values of the newest screening; empty where nobody asked."""
    newest = newest_screening(patient=patient) if patient else None
    words = {True: "yes", False: "no", None: ""}
    return {fact: words[getattr(newest, fact)] if newest else "" for fact in SCREENING_FACTS}
