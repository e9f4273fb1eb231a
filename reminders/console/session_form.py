"""The treatment-session form: the fields of every intake, asked the way a front desk works."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from django import forms

from reminders.clinic.intake import CONSENT_METHODS, REGIONS
from reminders.clinic.models import Clinic, Clinician, Patient, Role, Technique, TreatmentSession
from reminders.console import wording
from reminders.console.disclosures import seal, unseal, words_to_show
from reminders.console.forms import choices_with_blank
from reminders.console.person_form import PATIENT_FIELDS, PersonForm, identity_values, screening_values

WALL: Final = "%Y-%m-%dT%H:%M"
SCORES: Final = [(str(score), str(score)) for score in range(11)]


class SessionForm(PersonForm):
    """One finished treatment. What is wrong with a value is told by the intake, the same as at every other door."""

    field_order = ("external_id", *PATIENT_FIELDS)

    external_id = forms.CharField(widget=forms.HiddenInput, max_length=64, required=False)
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
        super().__init__(*args, clinic=clinic, patient=patient, **kwargs)
        self.patient = patient
        shown = unseal(self.data.get("shown_words", ""), clinic=clinic) if self.is_bound else None
        self.disclosures = shown or words_to_show(clinic)
        self.initial["shown_words"] = seal(self.disclosures, clinic=clinic)
        self.fields["ended_at"].help_text = f"On the clinic’s clock ({clinic.timezone})."
        treating = Clinician.objects.filter(clinic=clinic, is_active=True, role__in=[Role.OWNER, Role.THERAPIST])
        self.fields["clinician"].choices = choices_with_blank(  # type: ignore[attr-defined]
            [(one.username, one.display_name) for one in treating.order_by("first_name", "last_name", "pk")],
            "Not stated",
        )
        if patient:
            for name in PATIENT_FIELDS:
                del self.fields[name]

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
            values |= identity_values(self.patient)
        return values


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
    return values | screening_values(patient)


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
    } | screening_values(patient)


def exact_end(raw: Mapping[str, object], session: TreatmentSession) -> object:
    """Return the stored end with its seconds and offset where the field still shows it, else what was typed.

    So a correction of something else keeps the end to the second, also in the hour that a clock shows twice.
    """
    if raw.get("ended_at") == values_of(session)["ended_at"]:
        return session.ended_at.isoformat()
    return raw.get("ended_at")
