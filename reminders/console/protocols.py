"""Protocols: what is sent after a treatment and when, its versions, and a rehearsal of any patient's story."""

from typing import Any, Final
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render

from reminders import clock
from reminders.clinic.errors import ConflictError
from reminders.clinic.models import Clinic, Patient
from reminders.console.access import May, StaffRequest, access_patient, allows, room
from reminders.console.protocol_words import change_in_words
from reminders.console.rehearsals import RehearsalForm, as_story, first_values, person_of, story_of
from reminders.console.step_axis import Axis, axis_of
from reminders.content.models import Protocol, ProtocolVersion, RehearsalCheck
from reminders.content.protocol_services import save_protocol_draft
from reminders.content.rehearsal_checks import keep_check
from reminders.content.selectors import DEFAULT_PROTOCOL, definition_of
from reminders.core.protocol_changes import protocol_changes
from reminders.core.protocols import ProtocolDefinition
from reminders.core.quiet_hours import QuietWindow
from reminders.insights.selectors import find_patients

UNPROCESSABLE: Final = 422
LISTED: Final = 20
FOUND: Final = 8


@room(may=May.READ)
def protocol_list(request: StaffRequest) -> HttpResponse:
    """List the protocols of the clinic with the version in force and a draft, where there is one."""
    drafts = Prefetch("versions", ProtocolVersion.objects.filter(published_at__isnull=True), to_attr="drafts")
    rows = Protocol.objects.filter(clinic=request.user.clinic).select_related("published").prefetch_related(drafts)
    context = {
        "rows": list(rows.order_by("name", "id")),
        "default": DEFAULT_PROTOCOL,
        "zone": request.user.clinic.timezone,
    }
    return render(request, "console/protocols.j2", context)


@room(may=May.READ, methods=("GET", "HEAD", "POST"))
def protocol(request: StaffRequest, key: str) -> HttpResponse:
    """Show the version in force; by POST play a story through. Nothing is stored or sent."""
    row = access_protocol(request, key)
    if row.published is None:
        raise Http404
    row.published.protocol = row
    return _version_page(request, row.published)


@room(may=May.READ, methods=("GET", "HEAD", "POST"))
def version(request: StaffRequest, key: str, number: int) -> HttpResponse:
    """Show any version, a draft too, and what it changes; by POST play a story through with it."""
    return _version_page(request, access_version(request, key, number))


@room(may=May.PUBLISH_PROTOCOLS, methods=("POST",))
def restore(request: StaffRequest, key: str, number: int) -> HttpResponse:
    """Make an older version the draft; what patients get stays as it is until somebody publishes."""
    row = access_version(request, key, number)
    save_protocol_draft(clinic=request.user.clinic, definition=definition_of(row), author=request.user, now=clock.now())
    messages.success(request, f"Version {row.number} is the draft now. Publish it when it is right.")
    return redirect("protocol_draft", key=key)


def access_protocol(request: StaffRequest, key: str) -> Protocol:
    """Return the protocol of the user's clinic, or answer 404."""
    row = Protocol.objects.filter(clinic=request.user.clinic_id, key=key).select_related("published").first()
    if row is None:
        raise Http404
    return row


def access_version(request: StaffRequest, key: str, number: int) -> ProtocolVersion:
    """Return the version of a protocol of the user's clinic, or answer 404."""
    rows = ProtocolVersion.objects.select_related("protocol__published", "author")
    row = rows.filter(protocol__clinic=request.user.clinic_id, protocol__key=key, number=number).first()
    if row is None:
        raise Http404
    return row


def axis_for(*, clinic: Clinic, definition: ProtocolDefinition, given: dict[str, Any], zone: str = "") -> Axis:
    """Return the steps on their axis after the treatment of a clean form, in the zone given or else the clinic's."""
    return axis_of(
        steps=definition.steps,
        ended_at=as_story(clinic=clinic, given=given, zone=zone).ends(),
        zone=ZoneInfo(zone or clinic.timezone),
        quiet=QuietWindow(clinic.quiet_start, clinic.quiet_end),
    )


def usual_treatment(clinic: Clinic, patient: Patient | None = None) -> dict[str, Any]:
    """Return a treatment of this morning, as a clean form has it."""
    form = RehearsalForm(data=first_values(clinic=clinic, now=clock.now(), patient=patient))
    form.is_valid()
    return form.cleaned_data


def changes_in_words(*, before: ProtocolVersion, after: ProtocolDefinition) -> list[str]:
    """Return what a definition changes against a version, as sentences."""
    return [change_in_words(one) for one in protocol_changes(before=definition_of(before), after=after)]


def _version_page(request: StaffRequest, row: ProtocolVersion) -> HttpResponse:
    clinic = request.user.clinic
    definition = definition_of(row)
    patient = _chosen_patient(request)
    person = person_of(patient=patient, clinic=clinic, now=clock.now())
    searched = request.POST.get("q", "").strip()[:80]
    is_sent = request.method == "POST" and "q" not in request.POST
    initial = first_values(clinic=clinic, now=clock.now(), patient=patient)
    form = RehearsalForm(request.POST) if is_sent else RehearsalForm(initial=initial)
    is_played = is_sent and form.is_valid()
    if is_played and request.POST.get("action") == "save":
        check = _keep_check(request, row, definition, form)
        if check is not None:
            messages.success(request, "Kept. It is played before each publishing from now on.")
            return redirect("protocol_check", key=row.protocol.key, check_id=check.pk)
    given = form.cleaned_data if is_played else usual_treatment(clinic, patient)
    in_force = row.protocol.published
    versions = list(row.protocol.versions.select_related("author").order_by("-number")[:LISTED])
    earlier = _compared_with(row, in_force)
    context = {
        "protocol": row.protocol,
        "version": row,
        "in_force": in_force,
        "is_in_force": in_force is not None and in_force.pk == row.pk,
        "earlier": earlier,
        "changes": changes_in_words(before=earlier, after=definition) if earlier else [],
        "versions": versions,
        "draft": next((one for one in versions if one.published_at is None), None),
        "definition": definition,
        "thresholds": definition.thresholds,
        "axis": axis_for(clinic=clinic, definition=definition, given=given, zone=person.zone),
        "patient": patient,
        "person": person,
        "searched": searched,
        "found": find_patients(clinic=clinic, words=searched, limit=FOUND) if searched else [],
        "form": form,
        "story": story_of(clinic=clinic, definition=definition, given=given, person=person) if is_played else None,
        "is_default": row.protocol.key == DEFAULT_PROTOCOL,
        "elsewhere": list(
            Protocol.objects.filter(clinic=clinic).exclude(techniques=[]).exclude(key=DEFAULT_PROTOCOL).order_by("name")
        ),
        "checks": list(RehearsalCheck.objects.filter(protocol=row.protocol).order_by("name", "id")),
        "can_publish": allows(clinician=request.user, may=May.PUBLISH_PROTOCOLS),
        "clinic": clinic,
        "zone": clinic.timezone,
    }
    return render(request, "console/protocol.j2", context, status=UNPROCESSABLE if form.errors else 200)


def _chosen_patient(request: StaffRequest) -> Patient | None:
    asked = request.GET.get("patient", "")
    return access_patient(request, int(asked)) if asked.isdecimal() else None


def _keep_check(
    request: StaffRequest, row: ProtocolVersion, definition: ProtocolDefinition, form: RehearsalForm
) -> RehearsalCheck | None:
    """Keep the story as a check, or leave the problem at its field and return None."""
    if not allows(clinician=request.user, may=May.PUBLISH_PROTOCOLS):
        raise PermissionDenied
    name = form.cleaned_data["check_name"].strip()
    if not name:
        form.add_error("check_name", "Give the check a name.")
        return None
    try:
        return keep_check(
            protocol=row.protocol,
            name=name,
            story=as_story(clinic=request.user.clinic, given=form.cleaned_data),
            definition=definition,
            author=request.user,
            now=clock.now(),
        )
    except ConflictError as error:
        form.add_error("check_name", str(error))
        return None


def _compared_with(row: ProtocolVersion, in_force: ProtocolVersion | None) -> ProtocolVersion | None:
    """Return what a version is held against: a draft against what is in force, another against the one before it."""
    if row.published_at is None:
        return in_force
    earlier = row.protocol.versions.filter(number__lt=row.number, published_at__isnull=False)
    return earlier.select_related("protocol").order_by("-number").first()
