"""Correcting a patient: name, phone, record number, birth date, language, zone and screening."""

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from reminders import clock
from reminders.clinic.consent import GRANTED, newest_decision
from reminders.clinic.correcting import correct_patient, state_of
from reminders.clinic.errors import ConflictError, InvalidInputError
from reminders.clinic.intake import parse_patient
from reminders.clinic.models import Patient, PatientPhone
from reminders.clinic.selectors import patients_by_number
from reminders.console.access import May, StaffRequest, access_patient, room
from reminders.console.numbers import keep_on_record
from reminders.console.person_form import PATIENT_FIELDS, PersonForm, identity_values, screening_values

UNPROCESSABLE: Final = 422


class PatientForm(PersonForm):
    """A patient on file, with a mark of what was shown."""

    seen = forms.CharField(widget=forms.HiddenInput, required=False)

    def raw(self) -> dict[str, object]:
        """Return what was typed under the intake's names."""
        return {name: value for name, value in self.cleaned_data.items() if name != "seen"}


@room(may=May.EDIT_PATIENTS, methods=("GET", "HEAD", "POST"))
def edit(request: StaffRequest, patient_id: int) -> HttpResponse:
    """Correct what is on file; what has not left yet is planned anew."""
    patient = access_patient(request, patient_id)
    if request.method != "POST":
        keep_on_record(request, patient, patient)  # the phone stands in its field
        return _page(request, patient, PatientForm(initial=_values(patient), clinic=patient.clinic, patient=patient))
    form = PatientForm(request.POST, clinic=patient.clinic, patient=patient)
    changed = _correct(request, patient, form)
    if changed is None:
        return _page(request, patient, form, status=UNPROCESSABLE)
    return _after(request, patient, changed)


def _correct(request: StaffRequest, patient: Patient, form: PatientForm) -> list[str] | None:
    """Store what the form says, or leave its problems on it and return None."""
    if not form.is_valid():
        return None
    now = clock.now()
    try:
        stated, screening = parse_patient(form.raw(), now=now)
        return correct_patient(
            patient=patient,
            stated=stated,
            screening=screening,
            seen=form.cleaned_data["seen"],
            clinician=request.user,
            now=now,
        )
    except InvalidInputError as error:
        form.take_over(error.problems)
    except ConflictError as error:
        # The page comes again with the present mark, so that whoever has looked can save what they typed.
        form.data = request.POST.copy()
        form.data["seen"] = state_of(Patient.objects.get(pk=patient.pk))
        form.add_error(None, str(error))
    return None


def _after(request: StaffRequest, patient: Patient, changed: list[str]) -> HttpResponse:
    """Say what follows; a new phone leads on to the question whether it may be texted."""
    if not changed:
        messages.success(request, "Nothing was changed; it is stored as it was.")
        return redirect("patient", patient.pk)
    messages.success(request, "Corrected. What had not left is planned anew.")
    phone = PatientPhone.objects.get(patient=patient, is_primary=True)
    if "phone" in changed:
        if len(patients_by_number(clinic=patient.clinic, number=phone.number)) > 1:
            messages.warning(
                request, "Another patient has this phone too. If they are one person, bring them together."
            )
        decision = newest_decision(patient.clinic, phone.number)
        if decision is None or decision.decision != GRANTED:
            messages.warning(request, "Nobody has agreed to texts on this phone yet, so none are sent to it.")
            return redirect("consent", phone.pk)
    return redirect("patient", patient.pk)


def _values(patient: Patient) -> dict[str, Any]:
    return {
        "seen": state_of(patient),
        "language": patient.language,
        "timezone": patient.timezone,
        **identity_values(patient),
        **screening_values(patient),
    }


def _page(request: StaffRequest, patient: Patient, form: PatientForm, status: int = 200) -> HttpResponse:
    on_file = Patient.objects.get(pk=patient.pk)
    context = {
        "patient": on_file,
        "form": form,
        "patient_fields": [form[name] for name in PATIENT_FIELDS],
    }
    return render(request, "console/patient_edit.j2", context, status=status)
