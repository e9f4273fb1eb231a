"""Erasing a patient, where the law's time for keeping records has passed or nothing ever happened."""

from typing import Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from reminders import clock
from reminders.clinic.errors import ConflictError
from reminders.console.access import May, StaffRequest, access_patient, room
from reminders.insights.patient_erasure import erasable, erase_patient

UNPROCESSABLE: Final = 422


@room(may=May.ERASE_PATIENTS, methods=("GET", "HEAD", "POST"))
def erase(request: StaffRequest, patient_id: int) -> HttpResponse:
    """Say what goes and what stays; on POST with the tick, erase."""
    patient = access_patient(request, patient_id)
    now = clock.now()
    problem = ""
    if request.method == "POST":
        if request.POST.get("sure"):
            try:
                erase_patient(patient=patient, clinician=request.user, now=now)
            except ConflictError as error:
                problem = str(error)
            else:
                messages.success(request, "The patient is erased. What is left names nobody.")
                return redirect("patients")
        else:
            problem = "Tick that nothing has to be kept any longer; this cannot be taken back."
    context = {
        "patient": patient,
        "stand": erasable(patient=patient, now=now),
        "years": patient.clinic.records_kept_years,
        "problem": problem,
        "zone": patient.timezone,
    }
    return render(request, "console/patient_erase.j2", context, status=UNPROCESSABLE if problem else 200)
