"""The checks of a protocol: stories that were rehearsed and found right, and whether they still play so."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render

from reminders import clock
from reminders.console.access import May, StaffRequest, allows, room
from reminders.console.moments import wall
from reminders.console.protocols import access_protocol
from reminders.console.wording import INTENTS, REASONS, plain, say, text_title
from reminders.content.models import RehearsalCheck
from reminders.content.rehearsal_checks import Played, remove_check, run_check
from reminders.content.selectors import definition_of
from reminders.core.rehearsal_checks import Difference, Line, lines_from_json, story_from_json
from reminders.core.word_changes import Change


@dataclass(frozen=True, slots=True)
class Told:
    """One line of a kept story for the page; `change` is how it stands against another version."""

    when: str
    what: str
    change: Change


@room(may=May.READ)
def check(request: StaffRequest, key: str, check_id: int) -> HttpResponse:
    """Show a kept story, and whether the version in force and the draft still play it so."""
    row = _access_check(request, key, check_id)
    versions = [row.protocol.published, row.protocol.versions.filter(published_at__isnull=True).first()]
    played = []
    for version in versions:
        if version is not None:
            version.protocol = row.protocol
            played.append((version, told(run_check(check=row, definition=definition_of(version)).differs)))
    context: dict[str, Any] = {
        "check": row,
        "protocol": row.protocol,
        "story": story_from_json(row.story),
        "lines": [_told(line, Change.SAME) for line in lines_from_json(row.moments)],
        "played": played,
        "can_publish": allows(clinician=request.user, may=May.PUBLISH_PROTOCOLS),
        "zone": request.user.clinic.timezone,
    }
    return render(request, "console/protocol_check.j2", context)


@room(may=May.PUBLISH_PROTOCOLS, methods=("POST",))
def remove(request: StaffRequest, key: str, check_id: int) -> HttpResponse:
    """Remove a check."""
    row = _access_check(request, key, check_id)
    remove_check(check=row, author=request.user, now=clock.now())
    messages.success(request, "The check is removed.")
    return redirect("protocol", key=key)


def told(found: Sequence[Difference]) -> list[Told]:
    """Return how a story differs, line by line, as the page shows it."""
    return [_told(one.line, one.change) for one in found]


def failing(played: Sequence[Played]) -> list[Played]:
    """Return the checks that do not play as they were kept."""
    return [one for one in played if one.differs]


def _told(line: Line, change: Change) -> Told:
    return Told(wall(datetime.fromisoformat(line.at)) if line.at else "", _what(line), change)


def _what(line: Line) -> str:
    if line.kind == "text":
        return text_title(line.key)
    if line.kind == "answer":
        intent, _, score = line.key.partition(" ")
        read_as = INTENTS.get(intent, plain(intent))
        return f"The patient answers: {read_as}, {score} of 10" if score else f"The patient answers: {read_as}"
    if line.kind == "case":
        return f"A case for the clinic, {plain(line.severity)}: {say(line.key, REASONS)}"
    return line.key


def _access_check(request: StaffRequest, key: str, check_id: int) -> RehearsalCheck:
    protocol = access_protocol(request, key)
    row = RehearsalCheck.objects.filter(pk=check_id, protocol=protocol).select_related("author").first()
    if row is None:
        raise Http404
    row.protocol = protocol
    return row
