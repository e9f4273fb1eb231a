"""Set-up: what the clinic is called, where its clock stands, and its hours."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from reminders import clock
from reminders.clinic.details import change_details, change_hours
from reminders.clinic.errors import InvalidInputError
from reminders.clinic.models import Clinic
from reminders.console.access import May, StaffRequest, room
from reminders.console.setup_forms import ClinicForm, HoursForm, ServiceForm, hours_of

UNPROCESSABLE = 422


@room(may=May.MANAGE_CLINIC, methods=("GET", "HEAD", "POST"))
def details(request: StaffRequest) -> HttpResponse:
    """Change name, phone, booking address, zone and language."""
    clinic = request.user.clinic
    if request.method == "POST":
        return _save(request, ClinicForm(request.POST, clinic=clinic), change_details, "setup_clinic")
    initial = {name: getattr(clinic, name) for name in ClinicForm.base_fields}
    return _page(request, ClinicForm(initial=initial, clinic=clinic), "setup_clinic")


@room(may=May.MANAGE_CLINIC, methods=("GET", "HEAD", "POST"))
def hours(request: StaffRequest) -> HttpResponse:
    """Change opening hours, their words, and quiet hours."""
    if request.method == "POST":
        return _save(request, HoursForm(request.POST), change_hours, "setup_hours")
    return _page(request, HoursForm(initial=hours_of(request.user.clinic)), "setup_hours")


def _save(request: StaffRequest, form: ServiceForm, change: Callable[..., list[str]], name: str) -> HttpResponse:
    clinic: Clinic = request.user.clinic
    if form.is_valid():
        try:
            changed = change(clinic=clinic, raw=form.raw(), clinician=request.user, now=clock.now())
        except InvalidInputError as error:
            form.take_over(error.problems)
        else:
            messages.success(request, "Saved." if changed else "Nothing was changed.")
            return redirect("setup")
    return _page(request, form, name, status=UNPROCESSABLE)


def _page(request: StaffRequest, form: ServiceForm, name: str, status: int = 200) -> HttpResponse:
    return render(request, f"console/{name}.j2", {"form": form, "clinic": request.user.clinic}, status=status)
