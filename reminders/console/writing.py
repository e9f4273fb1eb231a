"""Writing to a patient by hand: from the patient's page, or as the answer to a text in the inbox."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from reminders import clock
from reminders.clinic.errors import ReminderError
from reminders.console.access import May, StaffRequest, access_inbound, access_patient, room
from reminders.console.forms import Labelled
from reminders.console.marks import deciding_words
from reminders.console.wording import text_title
from reminders.conversations.answering import answer_by_hand, letter_back
from reminders.core.segments import count_segments
from reminders.core.texts import QUICK, TEXTS
from reminders.messaging import personal
from reminders.messaging.certain import certain_words
from reminders.messaging.models import Message
from reminders.messaging.personal import LONGEST, Letter

UNPROCESSABLE = 422
Send = Callable[[str, UUID], Message]


class LetterForm(Labelled):
    """The words, and a key that makes one press of the button one text."""

    body = forms.CharField(
        label="Your text",
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "true"}),
        error_messages={"required": "Write the text; there is nothing to send."},
    )
    key = forms.UUIDField(widget=forms.HiddenInput)
    checked = forms.BooleanField(label="I have checked this for this patient", required=False)


@room(may=May.WRITE_TO_PATIENTS, methods=("GET", "HEAD", "POST"))
def write(request: StaffRequest, patient_id: int) -> HttpResponse:
    """Write a text to the patient's own number."""
    patient = access_patient(request, patient_id)
    letter = personal.primary_letter(patient=patient)
    if letter is None:
        messages.error(request, "This patient has no number that texts go to.")
        return redirect("patient", patient.pk)

    def send(body: str, key: UUID) -> Message:
        return personal.write(letter=letter, body=body, clinician=request.user, now=clock.now(), key=key)

    context = {"back": reverse("patient", args=[patient.pk]), "back_word": patient.display_name, "room": "patients"}
    return _handle(request, letter, send, context)


@room(may=May.WRITE_TO_PATIENTS, methods=("GET", "HEAD", "POST"))
def answer(request: StaffRequest, inbound_id: int) -> HttpResponse:
    """Answer a text that waits in the inbox; it waits no more then."""
    inbound = access_inbound(request, inbound_id)
    clinic = request.user.clinic

    def send(body: str, key: UUID) -> Message:
        return answer_by_hand(
            inbound_id=inbound.pk, clinic=clinic, body=body, clinician=request.user, now=clock.now(), key=key
        )

    context = {
        "back": reverse("inbox"),
        "back_word": "Inbox",
        "room": "inbox",
        "text": inbound,
        "because": deciding_words(inbound),
        "zone": clinic.timezone,
    }
    return _handle(request, letter_back(inbound=inbound, clinic=clinic), send, context)


def _handle(request: StaffRequest, letter: Letter, send: Send, context: dict[str, Any]) -> HttpResponse:
    context |= {"letter": letter, "longest": LONGEST, "cautions": []}
    if request.method != "POST":
        words = _quick_words(letter, request.GET.get("use", ""))
        return _page(request, letter, LetterForm(initial={"key": uuid4(), "body": words}), context)
    form = LetterForm(request.POST)
    if not form.is_valid():
        return _page(request, letter, form, context, status=UNPROCESSABLE)
    body = form.cleaned_data["body"]
    context["cautions"] = personal.cautions(letter=letter, body=body, now=clock.now())
    if context["cautions"] and not form.cleaned_data["checked"]:
        form.add_error("checked", "Tick this if it is right for this patient, or change the text.")
        return _page(request, letter, form, context, status=UNPROCESSABLE)
    try:
        message = send(body, form.cleaned_data["key"])
    except ReminderError as error:
        form.add_error(None, str(error))
        return _page(request, letter, form, context, status=UNPROCESSABLE)
    waits = message.due_at > message.created_at
    messages.success(
        request,
        "Written. It waits for the end of the quiet hours." if waits else "On its way.",
    )
    return redirect(context["back"])


def _page(
    request: StaffRequest, letter: Letter, form: LetterForm, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    now = clock.now()
    at = personal.leaves_at(letter=letter, now=now)
    body = personal.with_clinic_name(clinic=letter.clinic, body=str(form["body"].value() or ""))
    context |= {
        "form": form,
        "stop": personal.problem_with(letter),
        "waits_until": at if at > now else None,
        "now": now,
        "reader_zone": letter.patient.timezone if letter.patient else letter.clinic.timezone,
        "parts": count_segments(body).segments,
        "quick": [(key, text_title(key)) for key in TEXTS if key.startswith(QUICK)],
        "language": letter.patient.language if letter.patient else letter.clinic.language,
    }
    return render(request, "console/write.j2", context, status=status)


def _quick_words(letter: Letter, key: str) -> str:
    if key not in TEXTS or not key.startswith(QUICK):
        return ""
    language = letter.patient.language if letter.patient else letter.clinic.language
    return certain_words(clinic=letter.clinic, key=key, language=language, values={}).body.strip()
