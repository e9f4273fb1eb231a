"""The treatment-session form: the fields of every intake, asked the way a front desk works."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from django import forms

from reminders.clinic.errors import Problem
from reminders.clinic.intake import CONSENT_METHODS, REGIONS
from reminders.clinic.models import Clinic, Clinician, Patient, Role, ScreeningRecord, Technique, TreatmentSession
from reminders.console import wording
from reminders.console.disclosures import seal, unseal, words_to_show
from reminders.console.forms import Labelled, choices_with_blank
from reminders.core.advice import SCREENING_FACTS

WALL: Final = "%Y-%m-%dT%H:%M"
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
SCORES: Final = [(str(score), str(score)) for score in range(11)]
PATIENT_FIELDS: Final = ("given_name", "family_name", "phone", "patient_external_id", "birth_date")

YES_NO: Final = [("yes", "Yes"), ("no", "No"), ("", "Not asked")]


class SessionForm(Labelled):
    """One finished treatment. What is wrong with a value is told by the intake, the same as at every other door."""

    external_id = forms.CharField(widget=forms.HiddenInput, max_length=64, required=False)
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
    technique = forms.ChoiceField(
        label="Technique", choices=Technique.choices, required=False, widget=forms.RadioSelect
    )
    regions = forms.MultipleChoiceField(
        label="Treated regions",
        choices=[(region, wording.plain(region).capitalize()) for region in REGIONS],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    ended_at = forms.CharField(
        label="Session ended", required=False, widget=forms.TextInput(attrs={"type": "datetime-local"})
    )
    clinician = forms.ChoiceField(label="Treated by", required=False)
    soreness_before = forms.ChoiceField(
        label="Soreness before", choices=choices_with_blank(SCORES, "Not asked"), required=False
    )
    soreness_after = forms.ChoiceField(
        label="Soreness after", choices=choices_with_blank(SCORES, "Not asked"), required=False
    )
    shown_words = forms.CharField(widget=forms.HiddenInput, required=False)
    consent = forms.BooleanField(label="The patient agreed to this", required=False)
    consent_method = forms.ChoiceField(
        label="How they agreed",
        choices=[(method, wording.say(method, wording.CONSENT_METHODS)) for method in CONSENT_METHODS],
        required=False,
    )

    def __init__(self, *args: Any, clinic: Clinic, patient: Patient | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.clinic, self.patient = clinic, patient
        shown = unseal(self.data.get("shown_words", ""), clinic=clinic) if self.is_bound else None
        self.disclosures = shown or words_to_show(clinic)
        self.initial["shown_words"] = seal(self.disclosures, clinic=clinic)
        ended_at, zone = self.fields["ended_at"], self.fields["timezone"]
        ended_at.help_text = f"On the clinic’s clock ({clinic.timezone})."
        zones = dict(US_ZONES)
        for known in (clinic.timezone, patient.timezone if patient else clinic.timezone):
            zones.setdefault(known, known)
        zone.choices = list(zones.items())  # type: ignore[attr-defined]
        treating = Clinician.objects.filter(clinic=clinic, is_active=True, role__in=[Role.OWNER, Role.THERAPIST])
        self.fields["clinician"].choices = choices_with_blank(  # type: ignore[attr-defined]
            [(one.username, one.display_name) for one in treating.order_by("first_name", "last_name", "pk")],
            "Not stated",
        )
        for fact in SCREENING_FACTS:
            self.fields[fact] = forms.ChoiceField(
                label=wording.SCREENING[fact], choices=YES_NO, required=False, widget=forms.RadioSelect
            )
        if patient:
            for name in PATIENT_FIELDS:
                del self.fields[name]

    def screening(self) -> list[Any]:
        """Return the screening questions, to be laid out as rows."""
        return [self[fact] for fact in SCREENING_FACTS]

    def raw(self) -> dict[str, object]:
        """Return what was typed under the intake's names."""
        values: dict[str, object] = {name: self.cleaned_data.get(name, "") for name in self.fields}
        values["consent"] = "yes" if values["consent"] else ""
        del values["shown_words"]
        if values["consent"]:
            home = self.patient.language if self.patient else self.clinic.language
            values["consent_disclosure"] = self.disclosures[str(values["language"] or home)]
        else:
            values["consent_method"] = ""
        if self.patient:
            values |= _identity(self.patient)
        return values

    def take_over(self, problems: Sequence[Problem]) -> None:
        """Put the intake's problems beside their fields; those of a field that is not shown go to the top."""
        for problem in problems:
            shown = problem.field in self.fields and problem.field != "external_id"
            self.add_error(problem.field if shown else None, problem.sentence)


def new_external_id() -> str:
    """Return an id for a session entered here; it is made with the form, so sending the form twice stores it once."""
    return f"console-{secrets.token_hex(8)}"


def first_values(*, clinic: Clinic, user: Clinician, patient: Patient | None, now: datetime) -> dict[str, object]:
    """Return what an empty form begins with."""
    values: dict[str, object] = {
        "external_id": new_external_id(),
        "ended_at": now.astimezone(ZoneInfo(clinic.timezone)).strftime(WALL),
        "language": patient.language if patient else clinic.language,
        "timezone": patient.timezone if patient else clinic.timezone,
        "clinician": user.username if user.role in (Role.OWNER, Role.THERAPIST) else "",
        "consent_method": CONSENT_METHODS[0],
    }
    return values | _screening_values(patient)


def values_of(session: TreatmentSession) -> dict[str, object]:
    """Return the form's values for a stored session."""
    patient = session.patient
    return {
        "external_id": session.external_id,
        "technique": session.technique,
        "regions": session.regions,
        "ended_at": session.ended_at.astimezone(ZoneInfo(session.clinic.timezone)).strftime(WALL),
        "clinician": session.clinician.username if session.clinician else "",
        "soreness_before": "" if session.soreness_before is None else str(session.soreness_before),
        "soreness_after": "" if session.soreness_after is None else str(session.soreness_after),
        "language": patient.language,
        "timezone": patient.timezone,
        "consent_method": CONSENT_METHODS[0],
    } | _screening_values(patient)


def exact_end(raw: Mapping[str, object], session: TreatmentSession) -> object:
    """Return the stored end with its seconds and offset where the field still shows it, else what was typed.

    So a correction of something else keeps the end to the second, also in the hour that a clock shows twice.
    """
    if raw.get("ended_at") == values_of(session)["ended_at"]:
        return session.ended_at.isoformat()
    return raw.get("ended_at")


def _identity(patient: Patient) -> dict[str, object]:
    primary = patient.phones.filter(is_primary=True).first()
    return {
        "given_name": patient.given_name,
        "family_name": patient.family_name,
        "phone": primary.number if primary else "",
        "patient_external_id": patient.external_id,
        "birth_date": patient.birth_date.isoformat() if patient.birth_date else "",
    }


def _screening_values(patient: Patient | None) -> dict[str, object]:
    newest: ScreeningRecord | None = None
    if patient:
        newest = patient.screenings.order_by("-recorded_at", "-id").first()
    words = {True: "yes", False: "no", None: ""}
    return {fact: words[getattr(newest, fact)] if newest else "" for fact in SCREENING_FACTS}
