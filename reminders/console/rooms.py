"""The rooms of the console: one line each, read by the navigation and by the page behind "More"."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from reminders.clinic.models import Clinician
from reminders.console.access import May, StaffRequest, allows, room


@dataclass(frozen=True, slots=True)
class Room:
    """A place in the navigation: the name of its address, its word, its icon, and the right it needs.

    `is_daily` rooms have a place at the bottom of a phone; the others stand behind "More" there.
    """

    name: str
    word: str
    icon: str
    may: May
    is_daily: bool = False


ROOMS = (
    Room("today", "Today", "today", May.READ, is_daily=True),
    Room("inbox", "Inbox", "inbox", May.READ, is_daily=True),
    Room("patients", "Patients", "patient", May.READ, is_daily=True),
    Room("session_new", "New session", "plus", May.RECORD_SESSIONS, is_daily=True),
    Room("templates", "Templates", "text", May.READ),
    Room("protocols", "Protocols", "list", May.READ),
    Room("delivery", "Delivery", "send", May.READ),
    Room("insights", "Insights", "chart", May.READ),
    Room("staff", "Staff", "people", May.MANAGE_STAFF),
    Room("setup", "Set-up", "settings", May.MANAGE_CLINIC),
    Room("account", "Your account", "key", May.OWN_ACCOUNT),
)


def rooms_of(clinician: Clinician) -> list[Room]:
    """Return the rooms this member of staff may enter, in the order of the navigation."""
    return [one for one in ROOMS if allows(clinician=clinician, may=one.may)]


@room(may=May.READ)
def more(request: StaffRequest) -> HttpResponse:
    """List the rooms that have no place at the bottom of a phone."""
    context: dict[str, Any] = {"rooms": [one for one in rooms_of(request.user) if not one.is_daily]}
    return render(request, "console/more.j2", context)
