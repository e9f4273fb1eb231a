"""Login and logout, with a brake on guessing, and a second step for who has one-time codes."""

import time
from typing import Final

from django import forms
from django.contrib import messages
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth import login
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_http_methods

from reminders import clock
from reminders.clinic import one_time_codes
from reminders.clinic.models import Clinician
from reminders.console import sign_in_brake
from reminders.console.account_forms import CodeForm

UNPROCESSABLE = 422
HALF_IN: Final = "half_in"
HALF_IN_SECONDS: Final = 5 * 60
# In the brake's key where an address stands otherwise: guesses at a code count together, wherever they come from.
CODES: Final = "one-time codes"
WAIT_MINUTES: Final = int(sign_in_brake.WAIT.total_seconds() // 60)


class BrakedForm(AuthenticationForm):
    """User name and password. After five failures for one name from one address it waits 15 minutes."""

    def clean(self) -> dict[str, object]:
        """Refuse while the brake holds; forget earlier failures after a success."""
        username = str(self.cleaned_data.get("username", ""))
        if not username or not self.cleaned_data.get("password"):
            return self.cleaned_data  # no try at all: the fields say what is missing
        # Behind a proxy this is the proxy's own address, and then the brake counts by name alone.
        address = self.request.META.get("REMOTE_ADDR", "") if self.request else ""
        if not sign_in_brake.take_try(username=username, address=address, now=clock.now()):
            raise forms.ValidationError(
                f"Too many tries. Wait {WAIT_MINUTES} minutes, or ask the clinic's owner for a new password.",
                code="throttled",
            )
        cleaned: dict[str, object] = super().clean()
        sign_in_brake.forgive(username=username, address=address)
        return cleaned


class SignInForm(BrakedForm):
    """The form of the login page."""

    error_messages = {
        "invalid_login": "User name or password is not right. Both know capital letters from small ones.",
        "inactive": "This account is switched off. Ask the clinic's owner.",
    }


class SupportSignInForm(BrakedForm, AdminAuthenticationForm):
    """The form of the administration's own login page: a second door needs the same brake."""

    def confirm_login_allowed(self, user: Clinician) -> None:
        """Send those with one-time codes to the console's login, which asks for them."""
        super().confirm_login_allowed(user)
        if one_time_codes.is_on(clinician=user):
            raise forms.ValidationError("This account has one-time codes: log in at /login/ first.", code="needs_code")


class SignIn(LoginView):
    """The login page."""

    template_name = "console/login.j2"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Log in; or, for who has one-time codes, remember that the password was right and ask for a code."""
        user = form.get_user()
        if not one_time_codes.is_on(clinician=user):
            return super().form_valid(form)
        self.request.session.cycle_key()
        self.request.session[HALF_IN] = {
            "who": user.pk,
            # A password that is changed in the meantime ends this half of a login too.
            "hash": user.get_session_auth_hash(),
            "since": time.time(),
            "next": self.get_success_url(),
        }
        return redirect("login_code")


class SignOut(LogoutView):
    """Ends the session; by POST only, so that no picture on another page can do it."""

    http_method_names = ["post", "options"]
    next_page = "login"


@require_http_methods(["GET", "HEAD", "POST"])
def second_step(request: HttpRequest) -> HttpResponse:
    """Ask for a one-time code after the right password, for five minutes; five wrong ones wait 15 minutes."""
    clinician = _half_in(request)
    if clinician is None:
        request.session.pop(HALF_IN, None)
        return redirect("login")
    if request.method != "POST":
        return render(request, "console/login_code.j2", {"form": CodeForm()})
    form = CodeForm(request.POST)
    taken = _take(form, clinician) if form.is_valid() else None
    if taken is None:
        return render(request, "console/login_code.j2", {"form": form}, status=UNPROCESSABLE)
    to = str(request.session.pop(HALF_IN)["next"])
    login(request, clinician, backend="django.contrib.auth.backends.ModelBackend")
    if taken == one_time_codes.Taken.RECOVERY:
        left = one_time_codes.recovery_codes_left(clinician=clinician)
        messages.warning(request, f"You used a recovery code; {left} are left. Your account has a button for new ones.")
    return redirect(to)


def _take(form: CodeForm, clinician: Clinician) -> one_time_codes.Taken | None:
    now = clock.now()
    who = str(clinician.pk)
    if not sign_in_brake.take_try(username=who, address=CODES, now=now):
        form.add_error("code", f"Too many tries. Wait {WAIT_MINUTES} minutes.")
        return None
    taken = one_time_codes.take(clinician=clinician, typed=form.cleaned_data["code"], at=timezone.now(), now=now)
    if taken is None:
        form.add_error("code", "This code is not right, or was used already. Wait for the next one.")
        return None
    sign_in_brake.forgive(username=who, address=CODES)
    return taken


def _half_in(request: HttpRequest) -> Clinician | None:
    """Return who has shown the right password in this browser within the last five minutes."""
    kept = request.session.get(HALF_IN)
    if not isinstance(kept, dict) or time.time() - kept["since"] > HALF_IN_SECONDS:
        return None
    found = Clinician.objects.select_related("clinic").filter(pk=kept["who"], is_active=True).first()
    if found is None or not constant_time_compare(kept["hash"], found.get_session_auth_hash()):
        return None
    return found
