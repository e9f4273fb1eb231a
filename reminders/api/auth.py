"""Who calls: a system that holds a key of one clinic, and sees that clinic alone."""

from django.http import HttpRequest
from ninja.errors import AuthenticationError
from ninja.security import HttpBearer

from reminders import clock
from reminders.clinic.models import Clinic
from reminders.clinic.services import authenticate_api_key


class ClinicKey(HttpBearer):
    """`Authorization: Bearer <key>`, with a key that `reminders api-key create` has made."""

    def authenticate(self, request: HttpRequest, token: str) -> Clinic | None:
        """Return the clinic whose key this is, or None."""
        return authenticate_api_key(token, clock.now())


def clinic_of(request: HttpRequest) -> Clinic:
    """Return the clinic that the caller's key belongs to; the only way from a request to a clinic here."""
    clinic = getattr(request, "auth", None)
    if not isinstance(clinic, Clinic):
        raise AuthenticationError
    return clinic
