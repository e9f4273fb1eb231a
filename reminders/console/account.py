"""One's own account: name and phone, password, one-time codes, and where one is signed in."""

from typing import Any

import segno
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from markupsafe import Markup

from reminders import clock
from reminders.clinic import devices, one_time_codes
from reminders.clinic import staff as accounts
from reminders.clinic.account_models import SignedInDevice
from reminders.clinic.errors import ReminderError
from reminders.clinic.phones import format_phone
from reminders.console.access import May, StaffRequest, room
from reminders.console.account_forms import ChangePasswordForm, ConfirmForm, OwnPasswordForm
from reminders.console.staff_forms import NameForm

UNPROCESSABLE = 422
SECRET_GROUP = 4


@room(may=May.OWN_ACCOUNT, methods=("GET", "HEAD", "POST"))
def account(request: StaffRequest) -> HttpResponse:
    """Show one's account; by POST, change name and phone."""
    me = request.user
    form = NameForm(request.POST if request.method == "POST" else None, initial=_details(request))
    if request.method == "POST" and form.is_valid():
        changed = accounts.change_own_details(clinician=me, now=clock.now(), **form.cleaned_data)
        messages.success(request, "Saved." if changed else "Nothing was changed.")
        return redirect("account")
    context: dict[str, Any] = {
        "form": form,
        "devices": devices.devices_of(clinician=me, this_key=_this(request)),
        "has_codes": one_time_codes.is_on(clinician=me),
        "zone": me.clinic.timezone,
        "now": timezone.now(),
    }
    status = UNPROCESSABLE if form.errors else 200
    return render(request, "console/account.j2", context, status=status)


@room(may=May.OWN_ACCOUNT, methods=("GET", "HEAD", "POST"))
def password(request: StaffRequest) -> HttpResponse:
    """Change one's password; everywhere else one is signed out."""
    me = request.user
    form = ChangePasswordForm(request.POST if request.method == "POST" else None, of=me)
    if request.method != "POST" or not form.is_valid():
        status = UNPROCESSABLE if form.errors else 200
        return render(request, "console/account_password.j2", {"form": form}, status=status)
    accounts.change_own_password(clinician=me, password=form.cleaned_data["password"], now=clock.now())
    before = _this(request)
    update_session_auth_hash(request, me)
    devices.moved(from_key=before, to_key=_this(request))
    devices.end_all(clinician=me, by=me, now=clock.now(), but=_this(request))
    messages.success(request, "Your password is changed. You are signed out everywhere else.")
    return redirect("account")


@room(may=May.OWN_ACCOUNT, methods=("GET", "HEAD", "POST"))
def codes(request: StaffRequest) -> HttpResponse:
    """Show how one-time codes stand; by POST, begin with them, once the password is right."""
    if request.method != "POST":
        return _codes(request)
    form = OwnPasswordForm(request.POST, of=request.user)
    if not form.is_valid():
        return _codes(request, password_form=form, status=UNPROCESSABLE)
    try:
        one_time_codes.start(clinician=request.user, now=clock.now())
    except ReminderError as error:
        messages.error(request, str(error))
    return redirect("account_codes")


@room(may=May.OWN_ACCOUNT, methods=("POST",))
def confirm_codes(request: StaffRequest) -> HttpResponse:
    """Turn codes on with the first code of the app, sign out elsewhere, and show the recovery codes, this once."""
    form = ConfirmForm(request.POST)
    if not form.is_valid():
        return _codes(request, confirm_form=form, status=UNPROCESSABLE)
    now, me = clock.now(), request.user
    try:
        fresh = one_time_codes.confirm(clinician=me, typed=form.cleaned_data["code"], at=timezone.now(), now=now)
    except ReminderError as error:
        messages.error(request, str(error))
        return redirect("account_codes")
    if fresh is None:
        form.add_error("code", "These digits do not fit. Is the phone’s clock right? Try the next ones.")
        return _codes(request, confirm_form=form, status=UNPROCESSABLE)
    devices.end_all(clinician=me, by=me, now=now, but=_this(request))
    return render(request, "console/account_recovery.j2", {"codes": fresh, "is_first": True})


@room(may=May.OWN_ACCOUNT, methods=("POST",))
def recovery_codes(request: StaffRequest) -> HttpResponse:
    """Make new recovery codes, once the password is right, and show them, this once."""
    form = OwnPasswordForm(request.POST, of=request.user)
    if not form.is_valid():
        return _codes(request, password_form=form, status=UNPROCESSABLE)
    try:
        fresh = one_time_codes.new_recovery_codes(clinician=request.user, now=clock.now())
    except ReminderError as error:
        messages.error(request, str(error))
        return redirect("account_codes")
    return render(request, "console/account_recovery.j2", {"codes": fresh, "is_first": False})


@room(may=May.OWN_ACCOUNT, methods=("POST",))
def codes_off(request: StaffRequest) -> HttpResponse:
    """End one-time codes, once the password is right; or give up an app that was never confirmed."""
    me = request.user
    if one_time_codes.is_on(clinician=me):
        form = OwnPasswordForm(request.POST, of=me)
        if not form.is_valid():
            return _codes(request, password_form=form, status=UNPROCESSABLE)
        messages.success(request, "Codes are off. The password alone opens your account now.")
    one_time_codes.turn_off(clinician=me, by=me, now=clock.now())
    return redirect("account")


@room(may=May.OWN_ACCOUNT, methods=("POST",))
def end_device(request: StaffRequest, device_id: int) -> HttpResponse:
    """Sign one of one's own browsers out."""
    rows = SignedInDevice.objects.select_related("clinician__clinic")
    device = get_object_or_404(rows, pk=device_id, clinician=request.user)
    if device.session_key == _this(request):
        messages.error(request, "This is where you are now. Use “Log out” to end it.")
        return redirect("account")
    devices.end_device(device=device, by=request.user, now=clock.now())
    messages.success(request, "Signed out there.")
    return redirect("account")


@room(may=May.OWN_ACCOUNT, methods=("POST",))
def end_other_devices(request: StaffRequest) -> HttpResponse:
    """Sign out everywhere but here."""
    ended = devices.end_all(clinician=request.user, by=request.user, now=clock.now(), but=_this(request))
    messages.success(request, f"Signed out in {ended} other {'place' if ended == 1 else 'places'}.")
    return redirect("account")


def _codes(
    request: StaffRequest,
    *,
    password_form: OwnPasswordForm | None = None,
    confirm_form: ConfirmForm | None = None,
    status: int = 200,
) -> HttpResponse:
    me = request.user
    secret = one_time_codes.unconfirmed_secret(clinician=me)
    form = password_form or OwnPasswordForm(of=me)
    confirm = confirm_form or ConfirmForm()
    context = {
        "is_on": one_time_codes.is_on(clinician=me),
        "secret": " ".join(secret[at : at + SECRET_GROUP] for at in range(0, len(secret), SECRET_GROUP)),
        "picture": _qr(one_time_codes.address_of(clinician=me, secret=secret)) if secret else "",
        "left": one_time_codes.recovery_codes_left(clinician=me),
        "form": form,
        "confirm": confirm,
        "problems": confirm.problems() if secret else form.problems(),
    }
    return render(request, "console/account_codes.j2", context, status=status)


def _qr(words: str) -> Markup:
    """Return a QR code as SVG whose colours are in the style sheet."""
    drawn = segno.make(words, error="m", micro=False).svg_inline(
        border=4, omitsize=True, svgclass="qr", lineclass="qr-line", dark="black"
    )
    return Markup(drawn)  # noqa: S704 the library draws squares; no words of anybody are in it


def _details(request: StaffRequest) -> dict[str, str]:
    me = request.user
    return {
        "first_name": me.first_name,
        "last_name": me.last_name,
        "phone": format_phone(me.phone) if me.phone else "",
    }


def _this(request: StaffRequest) -> str:
    return str(request.session.session_key)
