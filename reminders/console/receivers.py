"""What the console does when Django says that somebody signed in."""

from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest

from reminders.clinic.devices import note_sign_in
from reminders.clinic.models import Clinician


@receiver(user_logged_in)
def remember_device(request: HttpRequest, user: Clinician, **_: Any) -> None:
    """Put the browser on the list of those in which this person is signed in."""
    if not request.session.session_key:
        request.session.save()  # a session that was emptied for another person has no key yet
    note_sign_in(
        clinician=user,
        session_key=str(request.session.session_key),
        user_agent=request.META.get("HTTP_USER_AGENT", "")[:500],
    )
