"""From a request to an object: the only way pages reach rows, and the one table of who may do what.

Every view is wrapped in `room`, which names the right it needs; every row is fetched through an `access_*` function,
which looks only in the user's own clinic. What belongs to another clinic does not exist (404).
"""

from collections.abc import Callable
from enum import StrEnum
from functools import wraps
from typing import Any, Final, cast
from uuid import UUID

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from reminders import clock
from reminders.clinic.account_models import StaffLink
from reminders.clinic.models import ApiKey, Clinician, Patient, PatientPhone, Role, TreatmentSession
from reminders.console.models import ImportFile
from reminders.conversations.models import InboundMessage, Picture
from reminders.escalations.models import Escalation
from reminders.messaging.models import Message, Sender


class May(StrEnum):
    """What a page or a button needs."""

    READ = "read"
    RECORD_SESSIONS = "record_sessions"
    HANDLE_ESCALATIONS = "handle_escalations"
    HANDLE_INBOX = "handle_inbox"
    PUBLISH_TEXTS = "publish_texts"
    DECIDE_DELIVERY = "decide_delivery"
    WRITE_TO_PATIENTS = "write_to_patients"
    EDIT_PATIENTS = "edit_patients"
    OPEN_NUMBERS = "open_numbers"
    EXPORT_PATIENTS = "export_patients"
    ERASE_PATIENTS = "erase_patients"
    PUBLISH_PROTOCOLS = "publish_protocols"
    MANAGE_STAFF = "manage_staff"
    MANAGE_CLINIC = "manage_clinic"
    OWN_ACCOUNT = "own_account"


ROLES = {
    May.READ: frozenset({Role.OWNER, Role.THERAPIST, Role.FRONT_DESK, Role.VIEWER}),
    May.RECORD_SESSIONS: frozenset({Role.OWNER, Role.THERAPIST, Role.FRONT_DESK}),
    May.HANDLE_ESCALATIONS: frozenset({Role.OWNER, Role.THERAPIST, Role.FRONT_DESK}),
    May.HANDLE_INBOX: frozenset({Role.OWNER, Role.THERAPIST, Role.FRONT_DESK}),
    May.PUBLISH_TEXTS: frozenset({Role.OWNER, Role.THERAPIST}),
    May.DECIDE_DELIVERY: frozenset({Role.OWNER, Role.THERAPIST, Role.FRONT_DESK}),
    May.WRITE_TO_PATIENTS: frozenset({Role.OWNER, Role.THERAPIST, Role.FRONT_DESK}),
    May.EDIT_PATIENTS: frozenset({Role.OWNER, Role.THERAPIST, Role.FRONT_DESK}),
    May.OPEN_NUMBERS: frozenset({Role.OWNER, Role.THERAPIST, Role.FRONT_DESK}),
    May.EXPORT_PATIENTS: frozenset({Role.OWNER, Role.THERAPIST}),
    May.ERASE_PATIENTS: frozenset({Role.OWNER}),
    May.PUBLISH_PROTOCOLS: frozenset({Role.OWNER, Role.THERAPIST}),
    May.MANAGE_STAFF: frozenset({Role.OWNER}),
    May.MANAGE_CLINIC: frozenset({Role.OWNER}),
    May.OWN_ACCOUNT: frozenset({Role.OWNER, Role.THERAPIST, Role.FRONT_DESK, Role.VIEWER}),
}


class StaffRequest(HttpRequest):
    """A request of a logged-in member of staff, as `room` hands it to a view."""

    user: Clinician
    htmx: HtmxDetails
    is_poll: bool


UNAUTHORIZED: Final = 401
SECRET_FIELDS: Final = frozenset({"password", "again", "current", "code", "csrfmiddlewaretoken"})

StaffView = Callable[..., HttpResponse]


def allows(*, clinician: Clinician, may: May) -> bool:
    """Whether this member of staff has the right."""
    return clinician.role in ROLES[may]


def room(*, may: May, methods: tuple[str, ...] = ("GET", "HEAD")) -> Callable[[StaffView], StaffView]:
    """Open a view to staff who have the right `may`, for the given methods only.

    Others: a login page for who is not logged in, 403 for who lacks the right, 405 for another method.
    """

    def wrap(view: StaffView) -> StaffView:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.method not in methods:
                return HttpResponseNotAllowed(methods)
            if not isinstance(request.user, Clinician):
                return _to_login(request)
            if not allows(clinician=request.user, may=may):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        guarded.may = may  # type: ignore[attr-defined]
        return guarded

    return wrap


def _to_login(request: HttpRequest) -> HttpResponse:
    """Send the whole page to the login, also where only a part of it was asked for; give typed words back first."""
    if getattr(request, "htmx", None):
        return HttpResponseClientRedirect(reverse("login"))
    if words := _typed_words(request):
        return render(request, "console/logged_out.j2", {"words": words}, status=UNAUTHORIZED)
    return cast("HttpResponse", redirect_to_login(request.get_full_path()))


def _typed_words(request: HttpRequest) -> list[str]:
    """Return what somebody wrote into a form whose login has ended: they may copy it. Passwords are left out."""
    if request.method != "POST":
        return []
    typed = ((name, str(value)) for name, value in request.POST.items())
    return [value for name, value in typed if name not in SECRET_FIELDS and len(value.split()) > 1]


def access_patient(request: StaffRequest, patient_id: int) -> Patient:
    """Return the patient of the user's clinic, or answer 404; one who was erased is not there any more."""
    rows = Patient.objects.select_related("clinic").filter(erased_at=None)
    return get_object_or_404(rows, pk=patient_id, clinic=request.user.clinic_id)


def access_session(request: StaffRequest, session_id: int) -> TreatmentSession:
    """Return the treatment session of the user's clinic, or answer 404."""
    rows = TreatmentSession.objects.select_related("clinic", "patient", "clinician")
    return get_object_or_404(rows, pk=session_id, clinic=request.user.clinic_id)


def access_escalation(request: StaffRequest, escalation_id: int) -> Escalation:
    """Return the escalation of the user's clinic with what its brief shows, or answer 404."""
    rows = Escalation.objects.select_related(
        "clinic",
        "patient",
        "owner",
        "resolved_by",
        "handed_over_by",
        "treatment_session__clinician",
        "inbound__understanding",
        "check_in__answer__understanding",
    )
    return get_object_or_404(rows, pk=escalation_id, clinic=request.user.clinic_id)


def access_inbound(request: StaffRequest, inbound_id: int) -> InboundMessage:
    """Return the received text of the user's clinic, or answer 404."""
    return get_object_or_404(InboundMessage, pk=inbound_id, clinic=request.user.clinic_id)


def access_picture(request: StaffRequest, public_id: UUID) -> Picture:
    """Return the picture that came with a text to the user's clinic, or answer 404."""
    return get_object_or_404(Picture, public_id=public_id, clinic=request.user.clinic_id)


def access_message(request: StaffRequest, message_id: int) -> Message:
    """Return the outgoing message of the user's clinic, or answer 404."""
    return get_object_or_404(Message, pk=message_id, clinic=request.user.clinic_id)


def access_phone(request: StaffRequest, phone_id: int) -> PatientPhone:
    """Return the phone of a patient of the user's clinic, or answer 404."""
    return get_object_or_404(PatientPhone, pk=phone_id, clinic=request.user.clinic_id)


def access_sender(request: StaffRequest, sender_id: int) -> Sender:
    """Return the number that the user's clinic texts from, or answer 404."""
    return get_object_or_404(Sender.objects.select_related("clinic"), pk=sender_id, clinic=request.user.clinic_id)


def access_colleague(request: StaffRequest, clinician_id: int) -> Clinician:
    """Return the member of staff of the user's clinic, or answer 404.

    The product's support, who sees all clinics, is out of an owner's hands: else an owner could take on that account.
    """
    rows = Clinician.objects.select_related("clinic").filter(is_superuser=False, is_staff=False)
    return get_object_or_404(rows, pk=clinician_id, clinic=request.user.clinic_id)


def access_invitation(request: StaffRequest, link_id: int) -> StaffLink:
    """Return the invitation to the user's clinic, or answer 404."""
    rows = StaffLink.objects.select_related("clinic").filter(kind=StaffLink.Kind.INVITATION)
    return get_object_or_404(rows, pk=link_id, clinic=request.user.clinic_id)


def access_api_key(request: StaffRequest, key_id: int) -> ApiKey:
    """Return the API key of the user's clinic, or answer 404."""
    return get_object_or_404(ApiKey.objects.select_related("clinic"), pk=key_id, clinic=request.user.clinic_id)


def access_import(request: StaffRequest, public_id: UUID) -> ImportFile:
    """Return the file that this very person brought, while it is kept, or answer 404: colleagues have their own."""
    rows = ImportFile.objects.select_related("clinic", "clinician").filter(forget_at__gt=clock.now())
    return get_object_or_404(rows, public_id=public_id, clinic=request.user.clinic_id, clinician=request.user.pk)
