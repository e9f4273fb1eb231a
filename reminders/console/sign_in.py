"""Login and logout, with a brake on guessing."""

import hashlib
from typing import Final

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.core.cache import cache
from django.http import HttpRequest

FAILURES_ALLOWED: Final = 5
WAIT_MINUTES: Final = 15


class SignInForm(AuthenticationForm):
    """User name and password. After five failures for one name from one address it waits 15 minutes."""

    error_messages = {
        "invalid_login": "User name or password is not right. Both know capital letters from small ones.",
        "inactive": "This account is switched off. Ask the clinic's owner.",
    }

    def clean(self) -> dict[str, object]:
        """Refuse while the brake holds; count a failure; forget failures after a success."""
        key = _brake_key(self.request, str(self.cleaned_data.get("username", "")))
        if cache.get(key, 0) >= FAILURES_ALLOWED:
            raise forms.ValidationError(
                f"Too many tries. Wait {WAIT_MINUTES} minutes, or ask the clinic's owner for a new password.",
                code="throttled",
            )
        try:
            cleaned: dict[str, object] = super().clean()
        except forms.ValidationError:
            cache.add(key, 0, WAIT_MINUTES * 60)
            cache.incr(key)
            raise
        cache.delete(key)
        return cleaned


def _brake_key(request: HttpRequest | None, username: str) -> str:
    """Return a key per name and address; hashed, so that no cache holds a list of names."""
    address = request.META.get("REMOTE_ADDR", "") if request else ""
    digest = hashlib.sha256(f"{username.strip().lower()}\n{address}".encode()).hexdigest()
    return f"sign-in:{digest}"


class SignIn(LoginView):
    """The login page."""

    template_name = "console/login.j2"
    authentication_form = SignInForm
    redirect_authenticated_user = True


class SignOut(LogoutView):
    """Ends the session; by POST only, so that no picture on another page can do it."""

    http_method_names = ["post", "options"]
    next_page = "login"
