"""Login and logout, with a brake on guessing."""

from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView

from reminders import clock
from reminders.console import sign_in_brake


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
            minutes = int(sign_in_brake.WAIT.total_seconds() // 60)
            raise forms.ValidationError(
                f"Too many tries. Wait {minutes} minutes, or ask the clinic's owner for a new password.",
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


class SignIn(LoginView):
    """The login page."""

    template_name = "console/login.j2"
    authentication_form = SignInForm
    redirect_authenticated_user = True


class SignOut(LogoutView):
    """Ends the session; by POST only, so that no picture on another page can do it."""

    http_method_names = ["post", "options"]
    next_page = "login"
