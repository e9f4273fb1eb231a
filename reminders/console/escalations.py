"""One case on one screen, and what staff do with it: take it, tell the patient, put it aside, hand it on, close."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from reminders import clock
from reminders.clinic.errors import ReminderError
from reminders.console.access import May, StaffRequest, access_escalation, room
from reminders.console.case_brief import brief_of, case_forms
from reminders.escalations import keeping, services
from reminders.escalations.cases import record
from reminders.escalations.models import Escalation
from reminders.escalations.patient_texts import is_opted_out

UNPROCESSABLE = 422


@room(may=May.READ)
def escalation(request: StaffRequest, escalation_id: int) -> HttpResponse:
    """Show the brief."""
    return _brief(request, access_escalation(request, escalation_id))


@room(may=May.HANDLE_ESCALATIONS, methods=("POST",))
def number(request: StaffRequest, escalation_id: int) -> HttpResponse:
    """Show the brief with the whole number, and keep on record who looked at it."""
    row = access_escalation(request, escalation_id)
    record(row, "number_opened", clock.now(), clinician=request.user)
    return _brief(request, row, number_open=True)


@room(may=May.HANDLE_ESCALATIONS, methods=("POST",))
def acknowledge(request: StaffRequest, escalation_id: int) -> HttpResponse:
    """Take the case, and tell the patient where that is wanted; say who has it where a colleague was faster."""
    row, now = access_escalation(request, escalation_id), clock.now()
    form = case_forms(request, row, now, "promise").promise
    if not form.is_valid():
        return _brief(request, row, sent="promise")
    promise = form.promise(now) if form.cleaned_data["tell"] else None
    try:
        services.acknowledge(
            escalation_id=row.pk,
            clinic=request.user.clinic,
            clinician=request.user,
            via="page",
            now=now,
            promise=promise,
        )
    except ReminderError as error:
        row = access_escalation(request, escalation_id)
        who = f"{row.owner.display_name} was faster and has this case." if row.owner else str(error)
        messages.error(request, who)
    else:
        told = " The patient is told who will call." if promise and not is_opted_out(escalation=row) else ""
        messages.success(request, f"It is in your hands. Nobody else is called about it.{told}")
    return redirect("escalation", escalation_id=row.pk)


@room(may=May.HANDLE_ESCALATIONS, methods=("POST",))
def tell(request: StaffRequest, escalation_id: int) -> HttpResponse:
    """Tell the patient of a case that somebody has who will call and by when."""
    row, now = access_escalation(request, escalation_id), clock.now()
    form = case_forms(request, row, now, "promise").promise
    if not form.is_valid():
        return _brief(request, row, sent="promise")
    promise = form.promise(now)
    return _do(
        request,
        row,
        lambda: keeping.tell_patient(
            escalation_id=row.pk, clinic=request.user.clinic, clinician=request.user, promise=promise, now=now
        ),
        "The patient gets a text that says who will call, and by when.",
    )


@room(may=May.HANDLE_ESCALATIONS, methods=("POST",))
def snooze(request: StaffRequest, escalation_id: int) -> HttpResponse:
    """Put the case aside until a chosen time."""
    row, now = access_escalation(request, escalation_id), clock.now()
    form = case_forms(request, row, now, "snooze").snooze
    if not form.is_valid():
        return _brief(request, row, sent="snooze")
    until = form.cleaned_data["at"]
    return _do(
        request,
        row,
        lambda: keeping.snooze(
            escalation_id=row.pk, clinic=request.user.clinic, clinician=request.user, until=until, now=now
        ),
        "Put aside. It comes back by itself, and sooner where the patient writes again.",
    )


@room(may=May.HANDLE_ESCALATIONS, methods=("POST",))
def end_snooze(request: StaffRequest, escalation_id: int) -> HttpResponse:
    """Take up a case that was put aside."""
    row = access_escalation(request, escalation_id)
    return _do(
        request,
        row,
        lambda: keeping.end_snooze(
            escalation_id=row.pk, clinic=request.user.clinic, clinician=request.user, now=clock.now()
        ),
        "It is back on the list.",
    )


@room(may=May.HANDLE_ESCALATIONS, methods=("POST",))
def hand_over(request: StaffRequest, escalation_id: int) -> HttpResponse:
    """Give the case to a colleague."""
    row, now = access_escalation(request, escalation_id), clock.now()
    form = case_forms(request, row, now, "hand_over").hand_over
    if not form.is_valid():
        return _brief(request, row, sent="hand_over")
    to = form.colleague()
    return _do(
        request,
        row,
        lambda: keeping.hand_over(
            escalation_id=row.pk, clinic=request.user.clinic, clinician=request.user, to=to, now=now
        ),
        f"{to.display_name} has this case now.",
    )


@room(may=May.HANDLE_ESCALATIONS, methods=("POST",))
def resolve(request: StaffRequest, escalation_id: int) -> HttpResponse:
    """Close the case with its outcome, or show the brief again with what is missing."""
    row, now = access_escalation(request, escalation_id), clock.now()
    form = case_forms(request, row, now, "resolve").resolve
    if not form.is_valid():
        return _brief(request, row, sent="resolve")
    return _do(
        request,
        row,
        lambda: services.resolve(
            escalation_id=row.pk,
            clinic=request.user.clinic,
            clinician=request.user,
            outcome=form.cleaned_data["outcome"],
            note=form.cleaned_data["note"],
            now=now,
        ),
        "Closed. It is on record in the patient’s timeline.",
    )


def _do(request: StaffRequest, row: Escalation, act: Callable[[], object], done: str) -> HttpResponse:
    """Do it and go back to the brief with one sentence on what became of it."""
    try:
        act()
    except ReminderError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, done)
    return redirect("escalation", escalation_id=row.pk)


def _brief(request: StaffRequest, row: Escalation, *, sent: str = "", number_open: bool = False) -> HttpResponse:
    """Show the brief; with the form that was sent (422) where it needs a change."""
    now = clock.now()
    context = brief_of(request, row, case_forms(request, row, now, sent), now, number_open=number_open)
    return render(request, "console/escalation.j2", context, status=UNPROCESSABLE if sent else 200)
