"""Another protocol beside the default one: begun as a copy, and used after techniques of its own."""

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from reminders import clock
from reminders.clinic.errors import ConflictError
from reminders.clinic.models import Technique
from reminders.console.access import May, StaffRequest, room
from reminders.console.forms import Labelled
from reminders.console.protocols import access_protocol
from reminders.content.protocol_services import copy_protocol, use_protocol_for

UNPROCESSABLE: Final = 422


class CopyForm(Labelled):
    """The name of the new protocol."""

    name = forms.CharField(
        label="Name of the new protocol",
        max_length=80,
        help_text="What it is for: “Electro needling”.",
        error_messages={"required": "Give it a name."},
    )


@room(may=May.PUBLISH_PROTOCOLS, methods=("GET", "HEAD", "POST"))
def copy(request: StaffRequest, key: str) -> HttpResponse:
    """Begin a new protocol with what is in force here, or its draft; nothing is planned by it yet."""
    row = access_protocol(request, key)
    start = row.published or row.versions.filter(published_at__isnull=True).first()
    form = CopyForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and start is not None:
        start.protocol = row
        try:
            draft = copy_protocol(version=start, name=form.cleaned_data["name"], author=request.user, now=clock.now())
        except ConflictError as error:
            form.add_error("name", str(error))
        else:
            messages.success(
                request, "Copied as a draft. Change it, publish it, then say after which technique it is used."
            )
            return redirect("protocol_draft", key=draft.protocol.key)
    context: dict[str, Any] = {"protocol": row, "form": form}
    return render(request, "console/protocol_copy.j2", context, status=UNPROCESSABLE if form.errors else 200)


@room(may=May.PUBLISH_PROTOCOLS, methods=("POST",))
def use(request: StaffRequest, key: str) -> HttpResponse:
    """Say after which techniques this protocol is used from now on."""
    row = access_protocol(request, key)
    chosen = [code for code in request.POST.getlist("techniques") if code in Technique.values]
    try:
        use_protocol_for(protocol=row, techniques=chosen, author=request.user, now=clock.now())
    except ConflictError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "Kept. Treatments from now on are planned so; plans under way stay as they are.")
    return redirect("protocol", key=key)
