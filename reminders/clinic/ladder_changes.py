"""Saying who is called when a patient reports danger, in which order, and how long each may take to answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction

from reminders.clinic import audit
from reminders.clinic.details import DetailError
from reminders.clinic.models import AuditEvent, Clinic, Clinician, LadderRung

MOST_STEPS: Final = 12
LONGEST_WAIT_MINUTES: Final = 30
"""An urgent case that waits longer for one person has waited too long."""


@dataclass(frozen=True, slots=True)
class LadderStep:
    """Whom to reach, how (`sms` or `voice`), and how many minutes to wait before the next."""

    clinician_id: int
    channel: str
    wait_minutes: int


def reachable_staff(*, clinic: Clinic) -> list[Clinician]:
    """Return who can be put on the ladder: active staff of the clinic with a phone, by name."""
    rows = Clinician.objects.filter(clinic=clinic, is_active=True).exclude(phone="")
    return list(rows.order_by("first_name", "last_name", "pk"))


def set_ladder(*, clinic: Clinic, steps: Sequence[LadderStep], clinician: Clinician, now: datetime) -> bool:
    """Make these the clinic's ladder, on record; return False where it was so already.

    Cases that ring at this moment go on with the new one. Raises DetailError where it is empty or too long, a wait is
    out of bounds, or somebody on it is not active staff of the clinic with a phone; then nothing is stored.
    """
    if not steps:
        raise DetailError("Choose at least one person: somebody has to be called.")
    if len(steps) > MOST_STEPS:
        raise DetailError(f"Use {MOST_STEPS} steps at the most; after the last one it begins again by itself.")
    if not all(1 <= step.wait_minutes <= LONGEST_WAIT_MINUTES for step in steps):
        raise DetailError(f"Wait 1 to {LONGEST_WAIT_MINUTES} minutes for each person.")
    if not {step.channel for step in steps} <= set(LadderRung.Channel.values):
        raise DetailError("Choose a text or a call for each step.")
    with transaction.atomic():
        held = Clinic.objects.select_for_update(no_key=True).get(pk=clinic.pk)
        if not {step.clinician_id for step in steps} <= {one.pk for one in reachable_staff(clinic=held)}:
            raise DetailError("Somebody on the list has no phone on file or does not work here any more.")
        rungs = [
            LadderRung(clinic=held, position=position, **_values(step)) for position, step in enumerate(steps, start=1)
        ]
        before = list(held.ladder.order_by("position").values_list("clinician_id", "channel", "wait_minutes"))
        if before == [(rung.clinician_id, rung.channel, rung.wait_minutes) for rung in rungs]:
            return False
        held.ladder.all().delete()
        LadderRung.objects.bulk_create(rungs)
        audit.record(
            clinic=held,
            actor=AuditEvent.Actor.CLINICIAN,
            clinician=clinician,
            verb="ladder_changed",
            subject=held,
            now=now,
            steps=[_values(step) for step in steps],
        )
    return True


def _values(step: LadderStep) -> dict[str, int | str]:
    return {"clinician_id": step.clinician_id, "channel": step.channel, "wait_minutes": step.wait_minutes}
