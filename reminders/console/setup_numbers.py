"""Set-up: the numbers a clinic texts from, and the first test text."""

from typing import Any
from uuid import uuid4

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from reminders import clock
from reminders.clinic.errors import ReminderError
from reminders.clinic.models import Clinic
from reminders.clinic.phones import format_phone
from reminders.console.access import May, StaffRequest, access_sender, room
from reminders.console.forms import Labelled
from reminders.messaging.sender_setup import add_sender, change_pace
from reminders.messaging.trying_out import newest_tests, write_test

UNPROCESSABLE = 422


class SenderForm(Labelled):
    """A number and its pace."""

    number = forms.CharField(
        label="Number",
        max_length=40,
        widget=forms.TextInput(attrs={"type": "tel", "inputmode": "tel", "autocomplete": "off"}),
        error_messages={"required": "Write the number as your carrier gave it to you."},
        help_text="A number with area code, a toll-free number, or a short code.",
    )
    pace = forms.FloatField(
        label="Text parts a second",
        initial=1,
        widget=forms.NumberInput(attrs={"step": "any", "min": "0.1", "inputmode": "decimal"}),
        error_messages={"required": "Write how many parts a second your carrier allows.", "invalid": "Write a number."},
        help_text="What your carrier allows: often 1 for a local number, 3 for a toll-free one.",
    )


class PaceForm(Labelled):
    """The pace of a number that is there already."""

    pace = SenderForm.base_fields["pace"]


class TestTextForm(Labelled):
    """From which number to which phone, and a key that makes one press of the button one text."""

    sender = forms.ChoiceField(label="From", error_messages={"required": "Choose the number to text from."})
    number = forms.CharField(
        label="To your own phone",
        max_length=40,
        widget=forms.TextInput(attrs={"type": "tel", "inputmode": "tel", "autocomplete": "tel"}),
        error_messages={"required": "Write the number of a phone that you have at hand."},
        help_text="A mobile phone that you have at hand, never a patient’s.",
    )
    key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, clinic: Clinic, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["sender"].choices = [  # type: ignore[attr-defined]
            (str(one.pk), format_phone(one.number)) for one in clinic.senders.order_by("id")
        ]


@room(may=May.MANAGE_CLINIC, methods=("GET", "HEAD", "POST"))
def senders(request: StaffRequest) -> HttpResponse:
    """Show the numbers the clinic texts from, and take another one in."""
    form = SenderForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            add_sender(clinic=request.user.clinic, clinician=request.user, now=clock.now(), **form.cleaned_data)
        except ReminderError as error:
            is_pace = "parts a second" in str(error)
            form.add_error("pace" if is_pace else "number", str(error))
        else:
            messages.success(request, "Added. Set its addresses at the carrier too, then try it out.")
            return redirect("setup_senders")
    return _senders_page(request, form)


@room(may=May.MANAGE_CLINIC, methods=("POST",))
def pace(request: StaffRequest, sender_id: int) -> HttpResponse:
    """Set how fast one number may text."""
    sender = access_sender(request, sender_id)
    form = PaceForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Write the pace as a number, like 1 or 0.5. Nothing was changed.")
        return redirect("setup_senders")
    try:
        changed = change_pace(sender=sender, clinician=request.user, now=clock.now(), **form.cleaned_data)
    except ReminderError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "Saved." if changed else "Nothing was changed.")
    return redirect("setup_senders")


def _senders_page(request: StaffRequest, form: SenderForm) -> HttpResponse:
    base = settings.PUBLIC_BASE_URL.rstrip("/") or request.build_absolute_uri("/").rstrip("/")
    context = {
        "form": form,
        "senders": list(request.user.clinic.senders.order_by("id")),
        "inbound": base + reverse("sms-inbound"),
    }
    return render(request, "console/setup_senders.j2", context, status=UNPROCESSABLE if form.errors else 200)


@room(may=May.MANAGE_CLINIC, methods=("GET", "HEAD", "POST"))
def test_text(request: StaffRequest) -> HttpResponse:
    """Send a test text to a phone of the owner's, and show what became of the last ones."""
    clinic = request.user.clinic
    initial = {"key": uuid4(), "number": format_phone(request.user.phone) if request.user.phone else ""}
    form = TestTextForm(request.POST or None, clinic=clinic, initial=initial)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        sender = access_sender(request, int(said["sender"]))
        try:
            message = write_test(
                sender=sender, number=said["number"], clinician=request.user, now=clock.now(), key=said["key"]
            )
        except ReminderError as error:
            form.add_error("number", str(error))
        else:
            waits = message.due_at > message.created_at
            messages.success(
                request,
                "Written. It leaves when the quiet hours are over, because no colleague has this phone."
                if waits
                else "On its way. Load this page again in a moment to see what became of it.",
            )
            return redirect("setup_test")
    context = {
        "form": form,
        "tests": newest_tests(clinic=clinic),
        "has_sender": bool(form.fields["sender"].choices),  # type: ignore[attr-defined]
        "clinic": clinic,
        "now": clock.now(),
        "zone": clinic.timezone,
    }
    return render(request, "console/setup_test.j2", context, status=UNPROCESSABLE if form.errors else 200)
