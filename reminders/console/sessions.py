"""Treatment sessions: enter one, correct it, take it back."""

from typing import Any, Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from reminders import clock
from reminders.clinic.consent import newest_decision
from reminders.clinic.errors import InvalidInputError, ReminderError
from reminders.clinic.intake import parse_session
from reminders.clinic.models import AuditEvent, ConsentRecord, Patient, TreatmentSession
from reminders.clinic.services import IntakeOutcome, record_treatment_session, void_treatment_session
from reminders.console.access import May, StaffRequest, access_patient, access_session, room
from reminders.console.person_form import PATIENT_FIELDS
from reminders.console.session_form import (
    SessionForm,
    exact_end,
    first_values,
    new_external_id,
    values_of,
)
from reminders.insights.selectors import find_patients

UNPROCESSABLE: Final = 422
SAID: Final = {
    IntakeOutcome.CREATED: "Saved. This is the plan that follows.",
    IntakeOutcome.UNCHANGED: "Nothing was changed; it is stored as it was.",
    IntakeOutcome.CORRECTED: "Corrected. What had not left is planned anew.",
    IntakeOutcome.VOIDED: "Taken back. Nothing more is sent for this session.",
}


@room(may=May.RECORD_SESSIONS, methods=("GET", "HEAD", "POST"))
def new(request: StaffRequest) -> HttpResponse:
    """Enter a finished treatment, of a patient on file (`?patient=`) or a new one.

    A search for the patient comes by POST too, as `q`: addresses hold no names or phones.
    """
    clinic = request.user.clinic
    patient = _chosen_patient(request)
    if request.method == "POST" and "q" not in request.POST:
        form = SessionForm(request.POST, clinic=clinic, patient=patient)
        stored = _record(request, form)
        if stored is None:
            return _page(request, form, patient, status=UNPROCESSABLE)
        return redirect("patient", patient_id=stored.patient_id)
    initial = first_values(clinic=clinic, user=request.user, patient=patient, now=clock.now())
    return _page(request, SessionForm(initial=initial, clinic=clinic, patient=patient), patient)


@room(may=May.RECORD_SESSIONS, methods=("GET", "HEAD", "POST"))
def correct(request: StaffRequest, session_id: int) -> HttpResponse:
    """Correct a stored treatment."""
    session = access_session(request, session_id)
    if request.method == "POST":
        form = SessionForm(request.POST, clinic=session.clinic, patient=session.patient)
        if _record(request, form, session) is None:
            return _page(request, form, session.patient, session, status=UNPROCESSABLE)
        return redirect("patient", patient_id=session.patient_id)
    form = SessionForm(initial=values_of(session), clinic=session.clinic, patient=session.patient)
    return _page(request, form, session.patient, session)


@room(may=May.RECORD_SESSIONS, methods=("POST",))
def void(request: StaffRequest, session_id: int) -> HttpResponse:
    """Take a treatment back; its unsent texts are cancelled in the same moment."""
    session = access_session(request, session_id)
    voided = void_treatment_session(
        treatment_session=session, actor=AuditEvent.Actor.CLINICIAN, clinician=request.user, now=clock.now()
    )
    messages.success(request, SAID[IntakeOutcome.VOIDED if voided else IntakeOutcome.UNCHANGED])
    return redirect("patient", patient_id=session.patient_id)


def _record(
    request: StaffRequest, form: SessionForm, session: TreatmentSession | None = None
) -> TreatmentSession | None:
    """Store what the form says, or leave its problems on it and return None."""
    if not form.is_valid():
        return None
    clinic, now, raw = request.user.clinic, clock.now(), form.raw()
    raw["external_id"] = session.external_id if session else raw["external_id"] or new_external_id()
    if session:
        raw["ended_at"] = exact_end(raw, session)
    try:
        intake = parse_session(raw, clinic=clinic, now=now)
        stored, outcome = record_treatment_session(
            clinic=clinic, intake=intake, actor=AuditEvent.Actor.CLINICIAN, clinician=request.user, now=now
        )
    except InvalidInputError as error:
        form.take_over(error.problems)
        return None
    except ReminderError as error:
        form.add_error(None, str(error))
        return None
    messages.success(request, SAID[outcome])
    return stored


def _chosen_patient(request: StaffRequest) -> Patient | None:
    asked = request.GET.get("patient", "")
    return access_patient(request, int(asked)) if asked.isdecimal() else None


def _page(
    request: StaffRequest,
    form: SessionForm,
    patient: Patient | None,
    session: TreatmentSession | None = None,
    status: int = 200,
) -> HttpResponse:
    clinic = request.user.clinic
    words = request.POST.get("q", "").strip()[:80]
    primary = patient.phones.filter(is_primary=True).first() if patient else None
    context: dict[str, Any] = {
        "form": form,
        "patient": patient,
        "number": primary.number if primary else "",
        "session": session,
        "words_searched": words,
        "found": find_patients(clinic=clinic, words=words, limit=8) if words else [],
        "consent": newest_decision(clinic, primary.number) if primary else None,
        "granted": ConsentRecord.Decision.GRANTED,
        "patient_fields": [] if patient else [form[name] for name in PATIENT_FIELDS],
        "zone": clinic.timezone,
    }
    return render(request, "console/session.j2", context, status=status)
