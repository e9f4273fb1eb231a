"""Publishing a protocol: what it changes, whose planned texts that reaches, and leaving or moving those."""

from typing import Any, Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from reminders import clock
from reminders.clinic.models import Clinic
from reminders.console.access import May, StaffRequest, room
from reminders.console.protocol_checks import told
from reminders.console.protocols import access_protocol, changes_in_words
from reminders.content.errors import ChecksDifferError, DraftChangedError
from reminders.content.models import Protocol, ProtocolVersion
from reminders.content.protocol_services import check_texts, draft_stamp, publish_protocol_draft
from reminders.content.rehearsal_checks import run_checks
from reminders.content.selectors import DEFAULT_PROTOCOL, definition_of
from reminders.core.protocol_cautions import cautions
from reminders.core.protocols import ProtocolError
from reminders.core.quiet_hours import QuietWindow
from reminders.messaging.replanning import changes_for, move_courses, running_courses

UNPROCESSABLE: Final = 422
SHOWN: Final = 25
LOOKED_AT: Final = 100
"""Running plans that are laid out for the page, the newest first; more of them are counted only."""


@room(may=May.PUBLISH_PROTOCOLS, methods=("GET", "HEAD", "POST"))
def publish(request: StaffRequest, key: str) -> HttpResponse:
    """Show what the draft would change for whom; by POST publish it, and leave or move the running plans.

    Where no draft is kept, the same for plans that still follow an older version than the one in force.
    """
    row = access_protocol(request, key)
    draft = row.versions.filter(published_at__isnull=True).select_related("author").first()
    if draft is None and row.published is None:
        return redirect("protocols")
    if request.method == "POST":
        return _publish(request, row, draft) if draft else _move_older(request, row)
    return _page(request, row, draft)


def _publish(request: StaffRequest, row: Protocol, draft: ProtocolVersion) -> HttpResponse:
    try:
        version = publish_protocol_draft(
            protocol=row,
            author=request.user,
            seen=request.POST.get("seen", ""),
            now=clock.now(),
            differences_are_meant=request.POST.get("meant") == "yes",
        )
    except DraftChangedError:
        sentence = "The draft was changed since this page was opened. This is how it stands now; nothing is published."
        return _page(request, row, draft, problem=sentence)
    except ProtocolError as error:
        return _page(request, row, draft, problem=f"Nothing is published: {error.message}")
    except ChecksDifferError as error:
        return _page(request, row, draft, problem=f"Nothing is published. {error}")
    then = "Treatments from now on follow it." if _is_used(row) else "Say below after which technique it is used."
    messages.success(request, f"Published as version {version.number}. {then}")
    if request.POST.get("running") == "move":
        _say_moved(request, move_courses(version=version, clinician=request.user, now=clock.now()))
    return redirect("protocol", key=row.key)


def _is_used(row: Protocol) -> bool:
    return row.key == DEFAULT_PROTOCOL or bool(row.techniques)


def _move_older(request: StaffRequest, row: Protocol) -> HttpResponse:
    if row.published is not None and request.POST.get("running") == "move":
        row.published.protocol = row
        _say_moved(request, move_courses(version=row.published, clinician=request.user, now=clock.now()))
    return redirect("protocol", key=row.key)


def _say_moved(request: StaffRequest, moved: int) -> None:
    messages.success(request, f"{moved} running {'plan follows' if moved == 1 else 'plans follow'} it too.")


def _page(request: StaffRequest, row: Protocol, draft: ProtocolVersion | None, problem: str = "") -> HttpResponse:
    version = draft or row.published
    assert version is not None  # noqa: S101  # the caller has one of the two
    version.protocol = row
    definition = definition_of(version)
    played = run_checks(protocol=row, definition=definition) if draft else []
    context: dict[str, Any] = {
        "protocol": row,
        "draft": draft,
        "version": version,
        "in_force": row.published,
        "changes": changes_in_words(before=row.published, after=definition) if draft and row.published else [],
        "problem": problem or _problem(row.clinic, version),
        "cautions": cautions(definition=definition, quiet=QuietWindow(row.clinic.quiet_start, row.clinic.quiet_end)),
        "is_used": _is_used(row),
        "seen": draft_stamp(row),
        "running": request.POST.get("running", "leave"),
        "checks": [(one.check, told(one.differs)) for one in played],
        "differing": sum(1 for one in played if one.differs),
        "zone": row.clinic.timezone,
        **_reach(version),
    }
    return render(request, "console/protocol_publish.j2", context, status=UNPROCESSABLE if problem else 200)


def _problem(clinic: Clinic, version: ProtocolVersion) -> str:
    definition = definition_of(version)
    try:
        check_texts(clinic=clinic, definition=definition)
    except ProtocolError as error:
        return f"It cannot be published yet: {error.field}, {error.message}"
    return ""


def _reach(version: ProtocolVersion) -> dict[str, Any]:
    """Return whose plans run under other versions, and what a move would change for them."""
    now = clock.now()
    running = running_courses(version=version, now=now)
    looked_at = list(running.select_related("protocol_version")[:LOOKED_AT])
    changed = changes_for(version=version, plans=looked_at, now=now)
    return {
        "count": len(looked_at) if len(looked_at) < LOOKED_AT else running.count(),
        "looked_at": len(looked_at),
        "changed": len(changed),
        "affected": changed[:SHOWN],
        "now": now,
    }
