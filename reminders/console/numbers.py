"""Phone numbers of patients: hidden but for two digits until somebody asks, on record."""

from django.db.models import Model
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from reminders import clock
from reminders.clinic import audit
from reminders.clinic.models import AuditEvent, Patient
from reminders.console.access import May, StaffRequest, access_inbound, access_message, access_phone, room


@room(may=May.OPEN_NUMBERS, methods=("POST",))
def of_phone(request: StaffRequest, phone_id: int) -> HttpResponse:
    """Show the number of a patient's phone."""
    row = access_phone(request, phone_id)
    back = reverse("patient", args=[row.patient_id])
    return _open(request, row, row.number, row.patient, back, row.patient.display_name)


@room(may=May.OPEN_NUMBERS, methods=("POST",))
def of_inbound(request: StaffRequest, inbound_id: int) -> HttpResponse:
    """Show the number a text came from."""
    row = access_inbound(request, inbound_id)
    is_today = request.POST.get("from") == "today"
    back, word = (reverse("today"), "Today") if is_today else (reverse("inbox"), "Inbox")
    return _open(request, row, row.from_number, row.patient, back, word)


@room(may=May.OPEN_NUMBERS, methods=("POST",))
def of_message(request: StaffRequest, message_id: int) -> HttpResponse:
    """Show the number a text was meant for."""
    row = access_message(request, message_id)
    return _open(request, row, row.to_number, row.patient, reverse("delivery"), "Delivery")


def _open(
    request: StaffRequest, row: Model, number: str, patient: Patient | None, back: str, back_word: str
) -> HttpResponse:
    """Answer with the number: in place of its button, or on a page of its own where no script runs."""
    keep_on_record(request, row, patient)
    context = {
        "number": number,
        "whose": patient.display_name if patient else "who texted",
        "back": back,
        "back_word": back_word,
    }
    return render(request, "console/number_part.j2" if request.htmx else "console/number.j2", context)


def keep_on_record(request: StaffRequest, row: Model, patient: Patient | None) -> None:
    """Keep on record that this member of staff sees a whole number; also for pages that cannot do without one."""
    audit.record(
        clinic=request.user.clinic,
        actor=AuditEvent.Actor.CLINICIAN,
        clinician=request.user,
        verb="number_opened",
        subject=row,
        patient=patient,
        now=clock.now(),
    )
