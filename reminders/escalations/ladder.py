"""Ringing people, rung by rung, until someone acknowledges."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from reminders.clinic import audit
from reminders.clinic.models import AuditEvent, Clinic, Clinician, LadderRung
from reminders.clinic.selectors import next_opening, primary_phone
from reminders.core.ladder import ring, wait_after
from reminders.escalations.models import Escalation
from reminders.escalations.notices import notify
from reminders.escalations.selectors import on_call
from reminders.messaging.compose import Link, default_sender, new_message, store, words_for
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
    """Return the clinic's ladder; without one, everybody who has a phone, by text."""
    ladder = [
        Rung(rung.clinician, rung.channel, rung.wait_minutes)
        for rung in clinic.ladder.select_related("clinician").order_by("position")
        if rung.clinician.phone and rung.clinician.is_active
    ]
    return ladder or [Rung(one, LadderRung.Channel.SMS, DEFAULT_WAIT_MINUTES) for one in on_call(clinic=clinic)]


def ring_next(*, escalation: Escalation, now: datetime) -> None:
    """Ring the next rung of an open case and set when the one after is due; the caller holds the row."""
    rungs: Sequence[Rung] = rungs_of(clinic=escalation.clinic)
    if not rungs:
        log.error("ladder_is_empty", clinic_id=escalation.clinic_id, escalation_id=escalation.pk)
        escalation.next_ring_at = now + EMPTY_LADDER_RECHECK
        escalation.save(update_fields=["next_ring_at"])
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
    if this.rung == 0 and this.round == 1:
        _nobody_answered(escalation, now)


def _nobody_answered(escalation: Escalation, now: datetime) -> None:
    """A whole round without an acknowledgement: an alarm for operators, and the truth for the patient."""
    log.error("ladder_round_unanswered", clinic_id=escalation.clinic_id, escalation_id=escalation.pk)
    if escalation.patient is None:
        return
    words = words_for(
        clinic=escalation.clinic, key="ladder_exhausted_patient", language=escalation.patient.language, values={}
    )
    store(
        new_message(
            clinic=escalation.clinic,
            kind=Kind.EMERGENCY,
            words=words,
            sender=default_sender(clinic=escalation.clinic),
            to_number=primary_phone(patient=escalation.patient).number,
            due_at=now,
            now=now,
            link=Link(
                patient=escalation.patient,
                treatment_session=escalation.treatment_session,
                escalation_id=escalation.pk,
            ),
            dedupe_key=f"escalation:{escalation.pk}:nobody_answered",
        )
    )


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
