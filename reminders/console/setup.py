"""Set-up: what is missing before the clinic goes live, one thing after the other, each with the way to do it."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from reminders import clock
from reminders.console.access import May, StaffRequest, room
from reminders.content.services import load_starters
from reminders.insights.readiness import Item, Standing, read_readiness
from reminders.messaging.pausing import set_paused


@dataclass(frozen=True, slots=True)
class Step:
    """How one thing of the list is called, and where it is done; without an address it is done elsewhere."""

    title: str
    verb: str = ""
    url: str = ""
    args: tuple[str, ...] = ()


STEPS = {
    "clinic": Step("The clinic", "Change the details", "setup_clinic"),
    "hours": Step("Hours", "Change the hours", "setup_hours"),
    "senders": Step("Numbers you text from", "Add a number", "setup_senders"),
    "staff": Step("Staff", "Invite staff", "staff"),
    "ladder": Step("Who is called", "Change who is called", "setup_ladder"),
    "texts": Step("Texts and protocol", "Read the texts", "templates"),
    "consent": Step("Words of consent", "Read the words", "template", ("consent_disclosure", "en")),
    "keys": Step("API keys", "Make or end keys", "setup_keys"),
    "test": Step("First test text", "Send a test text", "setup_test"),
    "sessions": Step("Finished sessions", "Import a file", "import"),
    "sending": Step("Sending"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One thing of the list with its step."""

    item: Item
    step: Step


@room(may=May.MANAGE_CLINIC)
def setup(request: StaffRequest) -> HttpResponse:
    """Show what is set and what is missing, the next thing to do first."""
    clinic = request.user.clinic
    rows = [Row(item, STEPS[item.key]) for item in read_readiness(clinic=clinic)]
    missing = [row for row in rows if row.item.standing is Standing.MISSING]
    advised = [row for row in rows if row.item.standing is Standing.ADVISED]
    context: dict[str, Any] = {
        "clinic": clinic,
        "rows": rows,
        "missing": len(missing),
        "advised": len(advised),
        "headline": _headline(len(missing), len(advised)),
        "done": sum(row.item.standing is Standing.DONE for row in rows),
        "next": next((row for row in [*missing, *advised] if row.step.url), None),
    }
    return render(request, "console/setup.j2", context)


def _headline(missing: int, advised: int) -> str:
    if missing:
        return f"{missing} thing{' is' if missing == 1 else 's are'} missing before going live."
    if advised:
        return "Ready to go live. Some things could be better."
    return "Ready to go live."


@room(may=May.MANAGE_CLINIC, methods=("POST",))
def load(request: StaffRequest) -> HttpResponse:
    """Publish the starter texts and the protocol where the clinic has none of its own."""
    added = load_starters(clinic=request.user.clinic, now=clock.now())
    messages.success(
        request,
        f"Published: {added}. Read them before the first patient does." if added else "The clinic has them all.",
    )
    return redirect("setup")


@room(may=May.MANAGE_CLINIC, methods=("POST",))
def pause(request: StaffRequest) -> HttpResponse:
    """Hold back what is planned for patients."""
    return _pause(request, paused=True, said="Paused. Nothing planned leaves until you let it go on.")


@room(may=May.MANAGE_CLINIC, methods=("POST",))
def resume(request: StaffRequest) -> HttpResponse:
    """Let texts to patients go on."""
    return _pause(request, paused=False, said="Texts go on. What is due leaves now, at your numbers’ pace.")


def _pause(request: StaffRequest, *, paused: bool, said: str) -> HttpResponse:
    changed = set_paused(clinic=request.user.clinic, paused=paused, clinician=request.user, now=clock.now())
    messages.success(request, said if changed else "It was so already.")
    return redirect("setup")
