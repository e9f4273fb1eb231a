"""The forms of one's own account: the password that proves it is you, and one-time codes."""

from typing import Any

from django import forms

from reminders import clock
from reminders.console import sign_in_brake
from reminders.console.forms import Labelled
from reminders.console.staff_forms import FormOfAccount, NewPasswordForm

# In the brake's key where an address stands otherwise: guesses from within a session count together.
OWN_ACCOUNT = "own account"


class CodeForm(Labelled):
    """A one-time code."""

    code = forms.CharField(
        label="Code",
        max_length=40,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "autocapitalize": "none", "spellcheck": "false"}
        ),
        help_text="Six digits from your app, or one of your recovery codes.",
        error_messages={"required": "Enter the code."},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.is_bound:  # else the sentence about what is wrong has the focus
            self.fields["code"].widget.attrs["autofocus"] = True


class ConfirmForm(Labelled):
    """The first code of a new app."""

    code = forms.CharField(
        label="The six digits it shows now",
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
        error_messages={"required": "Enter the six digits."},
    )


class OwnPasswordForm(FormOfAccount):
    """One's own password: who sits down at somebody's open page does not know it. Guesses are braked."""

    current = forms.CharField(
        label="Your password",
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        error_messages={"required": "Enter your password."},
    )

    def clean_current(self) -> str:
        """Check the password; after five wrong ones in a row it waits 15 minutes."""
        typed = str(self.cleaned_data["current"])
        who = self.of.username
        if not sign_in_brake.take_try(username=who, address=OWN_ACCOUNT, now=clock.now()):
            minutes = int(sign_in_brake.WAIT.total_seconds() // 60)
            raise forms.ValidationError(f"Too many tries. Wait {minutes} minutes.", code="throttled")
        if not self.of.check_password(typed):
            raise forms.ValidationError("This is not your password.", code="wrong")
        sign_in_brake.forgive(username=who, address=OWN_ACCOUNT)
        return typed


class ChangePasswordForm(OwnPasswordForm, NewPasswordForm):
    """The old password and a new one, twice."""

    field_order = ["current", "password", "again"]
