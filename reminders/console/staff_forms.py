"""The forms of staff accounts: who is invited, what they may do, and the password they choose."""

from typing import Any, Final

from django import forms
from django.contrib.auth import password_validation
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError

from reminders.clinic.models import Clinician, Role
from reminders.clinic.phones import PhoneError, parse_phone
from reminders.console.forms import Labelled

ROLE_WORDS: Final = {
    Role.OWNER: "Owner: everything, with staff and set-up",
    Role.THERAPIST: "Therapist: patients, cases, texts and protocols",
    Role.FRONT_DESK: "Front desk: patients, sessions, cases and the inbox",
    Role.VIEWER: "Viewer: reads, changes nothing",
}
RULES: Final = "12 characters or more; not only digits, no common password, and not like your name."


class RoleForm(Labelled):
    """What somebody may do."""

    role = forms.ChoiceField(
        label="Role",
        choices=[(role.value, words) for role, words in ROLE_WORDS.items()],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what this person may do."},
    )


class InviteForm(RoleForm):
    """Whom to invite, and as what."""

    first_name = forms.CharField(label="First name", max_length=60, error_messages={"required": "Say whom you invite."})
    last_name = forms.CharField(label="Last name", max_length=60, required=False)
    field_order = ["first_name", "last_name", "role"]


class NameForm(Labelled):
    """One's own name and phone."""

    first_name = forms.CharField(
        label="First name",
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "given-name"}),
        error_messages={"required": "Enter your first name: colleagues read it."},
    )
    last_name = forms.CharField(
        label="Last name",
        max_length=60,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "family-name"}),
    )
    phone = forms.CharField(
        label="Your mobile phone",
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
        help_text="Urgent cases ring it when you are on call. Patients never see it.",
    )

    def clean_phone(self) -> str:
        """Return the phone as E.164, or an empty string."""
        raw = str(self.cleaned_data["phone"]).strip()
        try:
            return parse_phone(raw) if raw else ""
        except PhoneError as error:
            raise ValidationError(str(error)) from None


class FormOfAccount(Labelled):
    """A form that needs to know whose account it is about."""

    def __init__(self, *args: Any, of: Clinician, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.of = of


class NewPasswordForm(FormOfAccount):
    """A password, twice, by Django's rules for passwords."""

    password = forms.CharField(
        label="New password",
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=RULES,
        error_messages={"required": "Choose a password."},
    )
    again = forms.CharField(
        label="The same password again",
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        error_messages={"required": "Type the password a second time."},
    )

    def clean(self) -> dict[str, Any]:
        """Check that both are the same, and that the password is hard to guess for this person."""
        cleaned = super().clean() or self.cleaned_data
        password, again = cleaned.get("password"), cleaned.get("again")
        if password and again and password != again:
            self.add_error("again", "The two passwords are not the same.")
        elif password:
            for name in ("username", "first_name", "last_name"):
                if cleaned.get(name):
                    setattr(self.of, name, cleaned[name])
            try:
                password_validation.validate_password(password, self.of)
            except ValidationError as error:
                self.add_error("password", error)
        return cleaned


class JoinForm(NewPasswordForm, NameForm):
    """What somebody who was invited says of themselves."""

    username = forms.CharField(
        label="User name",
        max_length=150,
        validators=[UnicodeUsernameValidator()],
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
        help_text="You log in with it. Letters, digits and @ . + - _",
        error_messages={"required": "Choose a user name."},
    )
    field_order = ["first_name", "last_name", "phone", "username", "password", "again"]
