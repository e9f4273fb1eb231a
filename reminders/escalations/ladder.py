"""Ringing people, rung by rung, until someone acknowledges."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from reminders.clinic import audit
from reminders.clinic.models import AuditEvent, Clinic, Clinician, LadderRung
from reminders.clinic.selectors import next_opening
from reminders.core.ladder import ring, wait_after
from reminders.escalations.models import Escalation
from reminders.escalations.notices import notify
from reminders.escalations.patient_texts import text_patient
from reminders.escalations.selectors import on_call
from reminders.messaging.models import Kind

log = structlog.get_logger(__name__)

DEFAULT_WAIT_MINUTES = 3
# A ladder with nobody on it is looked at again soon: staff may be adding a phone this minute.
EMPTY_LADDER_RECHECK = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Rung:
    """Whom to reach, how, and how long to wait."""

    clinician: Clinician
    channel: str
    wait_minutes: int


def rungs_of(*, clinic: Clinic) -> list[Rung]:
    """Return the clinic's ladder; without one, everybody who has a phone, first by text, then by call."""
    ladder = [
        Rung(rung.clinician, rung.channel, rung.wait_minutes)
        for rung in clinic.ladder.select_related("clinician").order_by("position")
        if rung.clinician.phone and rung.clinician.is_active
    ]
    if ladder:
        return ladder
    people = on_call(clinic=clinic)
    return [Rung(one, channel, DEFAULT_WAIT_MINUTES) for channel in LadderRung.Channel for one in people]


def ring_next(*, escalation: Escalation, now: datetime) -> None:
    """Ring the next rung of an open case and set when the one after is due; the caller holds the row.

    It goes on, round after round, until somebody takes the case. After a round without anybody the patient is told.
    """
    rungs: Sequence[Rung] = rungs_of(clinic=escalation.clinic)
    if not rungs:
        log.error("ladder_is_empty", clinic_id=escalation.clinic_id, escalation_id=escalation.pk)
        escalation.next_ring_at = now + EMPTY_LADDER_RECHECK
        escalation.save(update_fields=["next_ring_at"])
        _tell_patient_nobody_came(escalation, now)
        return
    this = ring(rings_so_far=escalation.rings, rungs=len(rungs))
    rung = rungs[this.rung]
    notify(
        escalation=escalation,
        clinician=rung.clinician,
        channel=rung.channel,
        dedupe=f"ring:{escalation.rings}",
        due_at=now,
        now=now,
    )
    escalation.rings += 1
    escalation.next_ring_at = now + wait_after(this=this, wait_minutes=[r.wait_minutes for r in rungs])
    escalation.save(update_fields=["rings", "next_ring_at"])
    audit.record(
        clinic=escalation.clinic,
        actor=AuditEvent.Actor.SYSTEM,
        verb="rang",
        subject=escalation,
        patient=escalation.patient,
        now=now,
        clinician_id=rung.clinician.pk,
        channel=str(rung.channel),
        round=this.round + 1,
    )
    if this.round > 0:
        if this.rung == 0:
            log.error("ladder_round_unanswered", clinic_id=escalation.clinic_id, escalation_id=escalation.pk)
        _tell_patient_nobody_came(escalation, now)


def _tell_patient_nobody_came(escalation: Escalation, now: datetime) -> None:
    """Tell the patient the truth, once: nobody has answered yet, so call the clinic or 911."""
    text_patient(escalation=escalation, key="ladder_exhausted_patient", kind=Kind.EMERGENCY, now=now)


def notify_same_day(*, escalation: Escalation, now: datetime) -> None:
    """Tell the treating clinician, else the first on the ladder, when the clinic is open (now, where it is)."""
    treating = escalation.treatment_session.clinician if escalation.treatment_session else None
    if treating is None or not treating.phone or not treating.is_active:
        rungs = rungs_of(clinic=escalation.clinic)
        treating = rungs[0].clinician if rungs else None
    if treating is None:
        log.error("nobody_to_notify", clinic_id=escalation.clinic_id, escalation_id=escalation.pk)
        return
    notify(
        escalation=escalation,
        clinician=treating,
        channel=LadderRung.Channel.SMS,
        dedupe=f"same_day:{escalation.severity}",
        due_at=next_opening(clinic=escalation.clinic, at=now) or now,
        now=now,
    )
