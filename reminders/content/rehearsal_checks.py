"""Rehearsals that are kept as checks of a protocol: keep one, run them all, take over how they play now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from reminders.clinic import audit
from reminders.clinic.errors import ConflictError
from reminders.clinic.models import AuditEvent, Clinician
from reminders.content.models import Protocol, RehearsalCheck
from reminders.core.protocols import ProtocolDefinition
from reminders.core.rehearsal_checks import (
    Difference,
    Line,
    Story,
    differences,
    lines_from_json,
    lines_of,
    lines_to_json,
    play_story,
    story_from_json,
    story_to_json,
)
from reminders.core.schedule import ScheduleError

MOST: Final = 50
"""Checks of one protocol; all of them are played before each publishing."""


@dataclass(frozen=True, slots=True)
class Played:
    """A check and how its story plays with some version: `differs` is empty where it plays as it was kept."""

    check: RehearsalCheck
    lines: list[Line]
    differs: list[Difference]


def keep_check(
    *, protocol: Protocol, name: str, story: Story, definition: ProtocolDefinition, author: Clinician, now: datetime
) -> RehearsalCheck:
    """Keep a story with what this definition makes of it.

    Raises ConflictError where the protocol has a check of this name, or as many as there may be.
    """
    checks = RehearsalCheck.objects.filter(protocol=protocol)
    if checks.filter(name=name).exists():
        raise ConflictError("A check has this name already; choose another.")
    if checks.count() >= MOST:
        raise ConflictError(f"There are {MOST} checks; remove one first.")
    check = RehearsalCheck.objects.create(
        clinic_id=protocol.clinic_id,
        protocol=protocol,
        name=name,
        story=story_to_json(story),
        moments=lines_to_json(_play(definition, story)),
        author=author,
        created_at=now,
    )
    _record(check, "rehearsal_check_kept", author, now)
    return check


def remove_check(*, check: RehearsalCheck, author: Clinician, now: datetime) -> None:
    """Remove a check, on record."""
    _record(check, "rehearsal_check_removed", author, now)
    check.delete()


def run_checks(*, protocol: Protocol, definition: ProtocolDefinition) -> list[Played]:
    """Play every check of the protocol with this definition, by name."""
    checks = RehearsalCheck.objects.filter(protocol=protocol).select_related("author").order_by("name", "id")
    return [run_check(check=check, definition=definition) for check in checks]


def run_check(*, check: RehearsalCheck, definition: ProtocolDefinition) -> Played:
    """Play one check with this definition."""
    lines = _play(definition, story_from_json(check.story))
    return Played(check, lines, differences(kept=lines_from_json(check.moments), played=lines))


def take_over(*, played: Sequence[Played], author: Clinician, now: datetime) -> None:
    """Have the checks that differ expect from now on what they played just now, on record."""
    for one in played:
        if one.differs:
            one.check.moments = lines_to_json(one.lines)
            one.check.save(update_fields=["moments"])
            _record(one.check, "rehearsal_check_taken_over", author, now)


def _play(definition: ProtocolDefinition, story: Story) -> list[Line]:
    try:
        moments = play_story(definition=definition, story=story)
    except ScheduleError as error:
        return [Line(at="", kind="note", key=str(error))]
    return lines_of(moments, zone=story.zone)


def _record(check: RehearsalCheck, verb: str, author: Clinician, now: datetime) -> None:
    audit.record(
        clinic=check.protocol.clinic,
        actor=AuditEvent.Actor.CLINICIAN,
        clinician=author,
        verb=verb,
        subject=check,
        now=now,
        key=check.protocol.key,
    )
