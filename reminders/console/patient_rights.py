"""What a patient may ask of the clinic: to agree to texts, to end them, and to get all that is held on them."""

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render

from reminders import clock
from reminders.clinic import audit
from reminders.clinic.consent import grant_consent, newest_decision, revoke_consent
from reminders.clinic.errors import ConflictError
from reminders.clinic.models import AuditEvent, ConsentRecord, Patient, PatientPhone
from reminders.console.access import May, StaffRequest, access_patient, access_phone, room
from reminders.console.disclosures import seal, unseal, words_to_show
from reminders.console.forms import Labelled
from reminders.insights.patient_file import patient_file

UNPROCESSABLE: Final = 422
GRANTED, REVOKED = ConsentRecord.Decision.GRANTED, ConsentRecord.Decision.REVOKED


class ConsentForm(Labelled):
    """What the patient said about texts, and how they said it."""

    decision = forms.ChoiceField(
        label="What did the patient say?",
        choices=[(GRANTED.value, "Yes, text me"), (REVOKED.value, "No texts (any more)")],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what the patient said."},
    )
    method = forms.ChoiceField(
        label="How?",
        choices=[("verbal", "Said it in person or on the phone"), ("paper_form", "Signed a form")],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose how the patient said it."},
    )
    heard = forms.BooleanField(label="The patient has read or heard these words", required=False)
    shown_words = forms.CharField(widget=forms.HiddenInput, required=False)

    def clean(self) -> dict[str, Any]:
        """A yes counts only with the words it was said to."""
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("decision") == GRANTED and not cleaned.get("heard"):
            self.add_error("heard", "Read the words to the patient first, then tick this.")
        return cleaned


@room(may=May.EDIT_PATIENTS, methods=("GET", "HEAD", "POST"))
def consent(request: StaffRequest, phone_id: int) -> HttpResponse:
    """Record that a patient agreed to texts on this phone, or wants none."""
    phone = access_phone(request, phone_id)
    if request.method != "POST":
        return _consent_page(request, phone, ConsentForm())
    form = ConsentForm(request.POST)
    if not form.is_valid():
        return _consent_page(request, phone, form, status=UNPROCESSABLE)
    shown = unseal(form.cleaned_data["shown_words"], clinic=request.user.clinic)
    if shown is None:
        form.add_error(None, "The page was too old or changed on its way. Look at the words again, then save.")
        return _consent_page(request, phone, form, status=UNPROCESSABLE)
    try:
        _decide(request, phone, form.cleaned_data, shown)
    except ConflictError as error:
        form.add_error(None, str(error))
        return _consent_page(request, phone, form, status=UNPROCESSABLE)
    return redirect("patient", phone.patient_id)


def _decide(request: StaffRequest, phone: PatientPhone, said: dict[str, Any], shown: dict[str, str]) -> None:
    who: dict[str, Any] = {
        "clinic": request.user.clinic,
        "number": phone.number,
        "method": said["method"],
        "now": clock.now(),
        "patient": phone.patient,
        "clinician": request.user,
    }
    if said["decision"] == GRANTED:
        is_new = grant_consent(**who, disclosure=shown.get(phone.patient.language, ""))
        done = "Recorded: the patient agreed to texts. What was held back before stays held back."
    else:
        is_new = revoke_consent(**who)
        done = "Recorded: no more texts to this phone. What was planned has been taken back."
    messages.success(request, done if is_new else "That was on file already.")


def _consent_page(request: StaffRequest, phone: PatientPhone, form: ConsentForm, status: int = 200) -> HttpResponse:
    clinic = request.user.clinic
    shown = words_to_show(clinic)
    context = {
        "patient": phone.patient,
        "phone": phone,
        "form": form,
        "consent": newest_decision(clinic, phone.number),
        "disclosure": shown.get(phone.patient.language, ""),
        "sealed": seal(shown, clinic=clinic),
        "zone": phone.patient.timezone,
    }
    return render(request, "console/consent.j2", context, status=status)


@room(may=May.EXPORT_PATIENTS, methods=("POST",))
def export(request: StaffRequest, patient_id: int) -> HttpResponse:
    """Answer with a file of all that is held on this patient, on record."""
    patient: Patient = access_patient(request, patient_id)
    now = clock.now()
    held = patient_file(patient=patient, now=now)
    audit.record(
        clinic=patient.clinic,
        actor=AuditEvent.Actor.CLINICIAN,
        clinician=request.user,
        verb="exported_patient",
        subject=patient,
        patient=patient,
        now=now,
    )
    response = JsonResponse(held, encoder=DjangoJSONEncoder, json_dumps_params={"indent": 2, "ensure_ascii": False})
    response["Content-Disposition"] = f'attachment; filename="patient-{patient.pk}.json"'
    return response
