"""Changing a protocol: the draft as a form, kept when it is whole, and its steps on the axis while it grows."""

from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render

from reminders import clock
from reminders.console import protocol_form
from reminders.console.access import May, StaffRequest, room
from reminders.console.protocol_form import ProtocolForm, form_from, form_of
from reminders.console.protocols import access_protocol, axis_for, changes_in_words, usual_treatment
from reminders.content.errors import DraftChangedError
from reminders.content.models import Protocol, ProtocolVersion
from reminders.content.protocol_services import (
    check_texts,
    discard_protocol_draft,
    draft_stamp,
    save_protocol_draft,
)
from reminders.content.selectors import definition_of
from reminders.core.protocol_cautions import cautions
from reminders.core.protocols import ProtocolDefinition, ProtocolError
from reminders.core.quiet_hours import QuietWindow

UNPROCESSABLE: Final = 422


@room(may=May.PUBLISH_PROTOCOLS, methods=("GET", "HEAD", "POST"))
def draft(request: StaffRequest, key: str) -> HttpResponse:
    """Show the draft, or what a first one would start from; by POST keep it, or change its rows and show it again."""
    row = access_protocol(request, key)
    kept = _draft_of(row)
    if request.method != "POST":
        start = kept or row.published
        if start is None:
            raise Http404
        start.protocol = row
        return _page(request, row, kept, form_of(definition_of(start), seen=draft_stamp(row)))
    form = form_from(request.POST, key=row.key)
    action = request.POST.get("action", "")
    if action == "keep":
        return _keep(request, row, kept, form)
    form.apply(action)
    return _page(request, row, kept, form, is_changed=True)


@room(may=May.PUBLISH_PROTOCOLS, methods=("POST",))
def discard(request: StaffRequest, key: str) -> HttpResponse:
    """Throw the draft away; a protocol that was never published goes with it."""
    row = access_protocol(request, key)
    if discard_protocol_draft(protocol=row, author=request.user, now=clock.now()):
        messages.success(request, "The draft is gone. Nothing else has changed.")
    if row.published_id is None:
        return redirect("protocols")
    return redirect("protocol", key=key)


def _keep(request: StaffRequest, row: Protocol, kept: ProtocolVersion | None, form: ProtocolForm) -> HttpResponse:
    definition = form.definition(known=_in_force(row))
    if definition is not None:
        try:
            check_texts(clinic=row.clinic, definition=definition)
            save_protocol_draft(
                clinic=row.clinic, definition=definition, author=request.user, now=clock.now(), seen=form.seen
            )
        except ProtocolError as error:
            form.take_over(error)
        except DraftChangedError:
            form.general.append(
                "A colleague kept or published another version meanwhile. Yours stands below; keep it again to put it"
                " in the place of theirs."
            )
            form.seen = draft_stamp(row)
        else:
            messages.success(request, "Draft kept. Patients still get the version in force.")
            return redirect("protocol_draft", key=row.key)
    return _page(request, row, kept, form, is_changed=True, status=UNPROCESSABLE)


def _page(
    request: StaffRequest,
    row: Protocol,
    kept: ProtocolVersion | None,
    form: ProtocolForm,
    *,
    is_changed: bool = False,
    status: int = 200,
) -> HttpResponse:
    clinic = request.user.clinic
    shown = _as_it_stands(form, _in_force(row))
    context: dict[str, Any] = {
        "protocol": row,
        "draft": kept,
        "in_force": row.published,
        "form": form,
        "is_changed": is_changed,
        "axis": axis_for(clinic=clinic, definition=shown, given=usual_treatment(clinic)) if shown else None,
        "changes": changes_in_words(before=row.published, after=shown) if shown and row.published else [],
        "cautions": cautions(definition=shown, quiet=QuietWindow(clinic.quiet_start, clinic.quiet_end))
        if shown
        else [],
        "choices": protocol_form,
        "clinic": clinic,
        "zone": clinic.timezone,
    }
    return render(request, "console/protocol_draft.j2", context, status=status)


def _as_it_stands(form: ProtocolForm, known: ProtocolDefinition | None) -> ProtocolDefinition | None:
    """Return what the form would give, without marking what is still missing while it is being changed."""
    if form.problems():
        return None
    found = form.definition(known=known)
    if found is None:
        form.forget_problems()
    return found


def _in_force(row: Protocol) -> ProtocolDefinition | None:
    if row.published is None:
        return None
    row.published.protocol = row
    return definition_of(row.published)


def _draft_of(row: Protocol) -> ProtocolVersion | None:
    return row.versions.filter(published_at__isnull=True).select_related("author").first()
