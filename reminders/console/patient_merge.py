"""One person on file twice: find the other entry, look at both side by side, and bring them together."""

from typing import Any, Final

from django.contrib import messages
from django.db import OperationalError
from django.http import HttpResponse
from django.shortcuts import redirect, render

from reminders import clock
from reminders.clinic.errors import ConflictError
from reminders.clinic.merging import merge_patients, why_not_merged
from reminders.clinic.models import Patient
from reminders.clinic.selectors import newest_screening
from reminders.console import timeline
from reminders.console.access import May, StaffRequest, access_patient, room
from reminders.console.numbers import keep_on_record
from reminders.insights.selectors import find_patients, likely_same

UNPROCESSABLE: Final = 422
SHOWN: Final = 8


@room(may=May.EDIT_PATIENTS, methods=("GET", "HEAD", "POST"))
def choose(request: StaffRequest, patient_id: int) -> HttpResponse:
    """Offer who may be the same person, and a search, which comes by POST: addresses hold no names or phones."""
    patient = access_patient(request, patient_id)
    words = request.POST.get("q", "").strip()[:80]
    found = (
        find_patients(clinic=patient.clinic, words=words, limit=SHOWN + 1) if words else likely_same(patient=patient)
    )
    context = {
        "patient": patient,
        "words_searched": words,
        "rows": [row for row in found if row.patient.pk != patient.pk][:SHOWN],
    }
    return render(request, "console/patient_same.j2", context)


@room(may=May.EDIT_PATIENTS, methods=("GET", "HEAD", "POST"))
def merge(request: StaffRequest, patient_id: int, other_id: int) -> HttpResponse:
    """Show both entries; on POST bring everything of the other one to this one."""
    kept, duplicate = access_patient(request, patient_id), access_patient(request, other_id)
    problem = why_not_merged(kept=kept, duplicate=duplicate)
    if request.method == "POST":
        problem = _merge(request, kept, duplicate)
        if not problem:
            return redirect("patient", kept.pk)
    else:
        for one in (kept, duplicate):
            keep_on_record(request, one, one)  # whole phones tell whether two entries are one person
    context: dict[str, Any] = {
        "kept": kept,
        "duplicate": duplicate,
        "sides": [_side(kept), _side(duplicate)],
        "problem": problem,
    }
    return render(
        request, "console/patient_merge.j2", context, status=UNPROCESSABLE if request.method == "POST" else 200
    )


def _merge(request: StaffRequest, kept: Patient, duplicate: Patient) -> str:
    try:
        merged = merge_patients(kept=kept, duplicate=duplicate, clinician=request.user, now=clock.now())
    except ConflictError as error:
        return str(error)
    except OperationalError:
        # The database ends one of two transactions that wait for each other.
        return "A text of this patient was being handled at this moment. Nothing was changed: try again."
    sessions = f"{merged.sessions} session{'' if merged.sessions == 1 else 's'}"
    messages.success(request, f"Brought together: {sessions} came over. What had not left is planned anew.")
    return ""


def _side(patient: Patient) -> dict[str, Any]:
    screening = newest_screening(patient=patient)
    return {
        "patient": patient,
        "phones": patient.phones.order_by("-is_primary", "pk"),
        "sessions": patient.treatment_sessions.count(),
        "last": patient.treatment_sessions.order_by("-ended_at").first(),
        "texts": patient.messages.count(),
        "replies": patient.inbound.count(),
        "cases": patient.escalations.count(),
        "screening": timeline.screening_facts(screening)[0] if screening else None,
    }
