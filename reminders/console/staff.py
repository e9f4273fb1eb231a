"""Staff: who works here, what they may do, invitations, and accounts that end."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from reminders import clock
from reminders.clinic import one_time_codes
from reminders.clinic import staff as accounts
from reminders.clinic.account_models import StaffLink
from reminders.clinic.devices import end_all, signed_in
from reminders.clinic.errors import ReminderError
from reminders.clinic.models import Clinician, Role
from reminders.console.access import May, StaffRequest, access_colleague, access_invitation, room
from reminders.console.staff_forms import ROLE_WORDS, InviteForm, RoleForm
from reminders.conversations.models import InboundMessage
from reminders.core.states import EscalationState
from reminders.escalations.models import Escalation

UNPROCESSABLE = 422
ROLE_ORDER = list(Role)


@room(may=May.MANAGE_STAFF, methods=("GET", "HEAD", "POST"))
def staff_list(request: StaffRequest) -> HttpResponse:
    """List the staff and open invitations; by POST, invite somebody and show the link, this once."""
    if request.method != "POST":
        return _list(request, InviteForm())
    form = InviteForm(request.POST)
    if not form.is_valid():
        return _list(request, form, status=UNPROCESSABLE)
    link, plain = accounts.invite(
        clinic=request.user.clinic,
        role=Role(form.cleaned_data["role"]),
        first_name=form.cleaned_data["first_name"],
        last_name=form.cleaned_data["last_name"],
        by=request.user,
        now=clock.now(),
    )
    return _show_link(request, link, plain, link.display_name)


@room(may=May.MANAGE_STAFF)
def member(request: StaffRequest, clinician_id: int) -> HttpResponse:
    """Show one account: role, links, and switching it off."""
    return _member(request, access_colleague(request, clinician_id))


@room(may=May.MANAGE_STAFF, methods=("POST",))
def change_role(request: StaffRequest, clinician_id: int) -> HttpResponse:
    """Give this person another role."""
    person = access_colleague(request, clinician_id)
    form = RoleForm(request.POST)
    if not form.is_valid():
        return _member(request, person, form, status=UNPROCESSABLE)
    role = Role(form.cleaned_data["role"])
    try:
        changed = accounts.change_role(clinician=person, role=role, by=request.user, now=clock.now())
    except ReminderError as error:
        form.add_error("role", str(error))
        return _member(request, person, form, status=UNPROCESSABLE)
    messages.success(request, f"The role is {role.label} from now on." if changed else "Nothing was changed.")
    # Who gave up being an owner has no more business in this room.
    is_out = person.pk == request.user.pk and role != Role.OWNER
    return redirect("today") if is_out else redirect("staff_member", person.pk)


@room(may=May.MANAGE_STAFF, methods=("POST",))
def password_link(request: StaffRequest, clinician_id: int) -> HttpResponse:
    """Make a link with which this person sets a new password, and show it, this once."""
    person = access_colleague(request, clinician_id)
    if not person.is_active:
        messages.error(request, "This account is switched off. Switch it on first.")
        return redirect("staff_member", person.pk)
    link, plain = accounts.make_password_link(clinician=person, by=request.user, now=clock.now())
    return _show_link(request, link, plain, person.display_name)


@room(may=May.MANAGE_STAFF, methods=("POST",))
def sign_out(request: StaffRequest, clinician_id: int) -> HttpResponse:
    """Sign this person out in every browser but the one that asks."""
    person = access_colleague(request, clinician_id)
    this = str(request.session.session_key)
    ended = end_all(clinician=person, by=request.user, now=clock.now(), but=this)
    messages.success(request, f"Signed out in {ended} {'place' if ended == 1 else 'places'}.")
    return redirect("staff_member", person.pk)


@room(may=May.MANAGE_STAFF, methods=("POST",))
def codes_off(request: StaffRequest, clinician_id: int) -> HttpResponse:
    """End the one-time codes of somebody who lost the phone and the recovery codes."""
    person = access_colleague(request, clinician_id)
    if person.pk == request.user.pk:
        return redirect("account_codes")  # there the own password is asked for
    one_time_codes.turn_off(clinician=person, by=request.user, now=clock.now())
    messages.success(
        request, f"{person.display_name} logs in with the password alone now, and can turn codes on again."
    )
    return redirect("staff_member", person.pk)


@room(may=May.MANAGE_STAFF, methods=("POST",))
def switch_off(request: StaffRequest, clinician_id: int) -> HttpResponse:
    """End an account and its sessions."""
    person = access_colleague(request, clinician_id)
    if person.pk == request.user.pk:
        messages.error(request, "You cannot switch off your own account. Another owner can.")
        return redirect("staff_member", person.pk)
    try:
        accounts.switch_off(clinician=person, by=request.user, now=clock.now())
    except ReminderError as error:
        messages.error(request, str(error))
        return redirect("staff_member", person.pk)
    messages.success(request, f"{person.display_name} is signed out everywhere and cannot log in any more.")
    return redirect("staff")


@room(may=May.MANAGE_STAFF, methods=("POST",))
def switch_on(request: StaffRequest, clinician_id: int) -> HttpResponse:
    """Let somebody in again."""
    person = access_colleague(request, clinician_id)
    accounts.switch_on(clinician=person, by=request.user, now=clock.now())
    messages.success(request, f"{person.display_name} can log in again.")
    return redirect("staff_member", person.pk)


@room(may=May.MANAGE_STAFF, methods=("POST",))
def withdraw(request: StaffRequest, link_id: int) -> HttpResponse:
    """End an invitation that nobody has used."""
    link = access_invitation(request, link_id)
    try:
        accounts.withdraw(link=link, by=request.user, now=clock.now())
    except ReminderError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "The invitation is withdrawn. Its link does not work any more.")
    return redirect("staff")


def _list(request: StaffRequest, form: InviteForm, status: int = 200) -> HttpResponse:
    now = clock.now()
    clinic = request.user.clinic
    people = sorted(
        Clinician.objects.filter(clinic=clinic),
        key=lambda one: (not one.is_active, ROLE_ORDER.index(Role(one.role)), one.display_name.casefold()),
    )
    invitations = StaffLink.objects.filter(
        clinic=clinic, kind=StaffLink.Kind.INVITATION, used_at__isnull=True, withdrawn_at__isnull=True
    ).order_by("-made_at")
    context: dict[str, Any] = {
        "form": form,
        "people": people,
        "signed_in": signed_in(clinicians=people),
        "with_codes": one_time_codes.who_has_codes(clinic_id=clinic.pk),
        "active": sum(one.is_active for one in people),
        "invitations": [(link, accounts.works(link=link, now=now)) for link in invitations],
        "zone": clinic.timezone,
        "now": now,
    }
    return render(request, "console/staff.j2", context, status=status)


def _member(request: StaffRequest, person: Clinician, form: RoleForm | None = None, status: int = 200) -> HttpResponse:
    in_hands = Escalation.objects.filter(owner=person).exclude(state=EscalationState.RESOLVED).count()
    texts = InboundMessage.objects.filter(assigned_to=person, inbox=InboundMessage.Inbox.OPEN).count()
    context: dict[str, Any] = {
        "person": person,
        "is_me": person.pk == request.user.pk,
        "form": form or RoleForm(initial={"role": person.role}),
        "role_words": ROLE_WORDS,
        "has_codes": one_time_codes.is_on(clinician=person),
        "in_hands": in_hands,
        "texts": texts,
        "is_on_call": person.rungs.exists(),
        "signed_in": signed_in(clinicians=[person]).get(person.pk, 0),
        "zone": request.user.clinic.timezone,
        "now": clock.now(),
    }
    return render(request, "console/staff_member.j2", context, status=status)


def _show_link(request: StaffRequest, link: StaffLink, plain: str, name: str) -> HttpResponse:
    context = {
        "link": link,
        "address": request.build_absolute_uri(reverse("staff_link", args=[plain])),
        "name": name,
        "zone": request.user.clinic.timezone,
    }
    return render(request, "console/staff_link.j2", context)
