"""Verbs of escalations: raise, ring the ladder, acknowledge, resolve. Every state change is compare-and-set."""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import IntegrityError, transaction

from reminders.clinic import audit
from reminders.clinic.models import AuditEvent, Clinic, Clinician, Patient, TreatmentSession
from reminders.clinic.selectors import next_opening
from reminders.core.states import UNSENT, EscalationState, MessageState, Severity
from reminders.escalations.errors import AlreadyTakenError, EscalationNotFoundError
from reminders.escalations.ladder import notify_same_day, ring_next
from reminders.escalations.models import Escalation
from reminders.messaging.compose import announce

log = structlog.get_logger(__name__)

# No vowels and no look-alikes: a code never spells a word, and reads the same by eye and by ear.
LETTERS = "BCDFGHJKMNPQRTVWXZ"
DIGITS = "23456789"
# How soon a human should have looked. Urgent: while the ladder rings. The others: within the clinic's next hours.
DUE_AFTER: Mapping[Severity, timedelta] = {
    Severity.URGENT: timedelta(minutes=15),
    Severity.SAME_DAY: timedelta(hours=4),
    Severity.ROUTINE: timedelta(hours=24),
}


def raise_escalation(
    *,
    clinic: Clinic,
    patient: Patient | None,
    reason: str,
    severity: Severity,
    now: datetime,
    treatment_session: TreatmentSession | None = None,
    check_in_id: int | None = None,
    inbound_id: int | None = None,
    details: Mapping[str, Any] | None = None,
) -> Escalation:
    """Put a human on the case, or return the open case that already stands for it.

    Unique per (check-in, reason), else per (inbound text, reason); and while a patient's case with the same reason is
    open, a second text belongs to it. A case that somebody has already taken is not reused: new words ring again.
    Urgent cases ring the first rung in this transaction; same-day ones notify the clinician when the clinic is open.
    """
    with transaction.atomic():
        standing = _standing(clinic, patient, reason, check_in_id, inbound_id)
        if standing is not None:
            return _raise_severity(standing, severity, now)
        opens = next_opening(clinic=clinic, at=now) or now
        escalation = _create_with_code(
            clinic=clinic,
            patient=patient,
            treatment_session=treatment_session,
            check_in_id=check_in_id,
            inbound_id=inbound_id,
            reason=reason,
            severity=severity,
            details=dict(details or {}),
            created_at=now,
            due_at=(now if severity is Severity.URGENT else opens) + DUE_AFTER[severity],
            next_ring_at=now if severity is Severity.URGENT else None,
        )
        _audit(escalation, "raised", now, reason=reason, severity=str(severity))
        _tell(escalation, now)
    return escalation


def _standing(
    clinic: Clinic, patient: Patient | None, reason: str, check_in_id: int | None, inbound_id: int | None
) -> Escalation | None:
    cases = Escalation.objects.select_for_update().filter(clinic=clinic, reason=reason)
    if check_in_id is not None:
        found = cases.filter(check_in_id=check_in_id, patient=patient).first()
        if found is not None:
            return found
    if inbound_id is not None:
        found = cases.filter(inbound_id=inbound_id, patient=patient).first()
        if found is not None:
            return found
    if patient is None:
        return None
    return cases.filter(patient=patient, state=EscalationState.OPEN).order_by("-id").first()


def _raise_severity(escalation: Escalation, severity: Severity, now: datetime) -> Escalation:
    """Let an open case become more serious, never less."""
    order = [Severity.ROUTINE, Severity.SAME_DAY, Severity.URGENT]
    if escalation.state != EscalationState.OPEN or order.index(severity) <= order.index(Severity(escalation.severity)):
        return escalation
    escalation.severity = severity
    escalation.due_at = min(escalation.due_at, now + DUE_AFTER[severity])
    escalation.next_ring_at = now if severity is Severity.URGENT else None
    escalation.save(update_fields=["severity", "due_at", "next_ring_at"])
    _audit(escalation, "became_more_serious", now, severity=str(severity))
    _tell(escalation, now)
    return escalation


def _tell(escalation: Escalation, now: datetime) -> None:
    if escalation.severity == Severity.URGENT:
        ring_next(escalation=escalation, now=now)
    elif escalation.severity == Severity.SAME_DAY:
        notify_same_day(escalation=escalation, now=now)


def _create_with_code(**fields: Any) -> Escalation:
    for _ in range(50):
        code = "".join(secrets.choice(kind) for kind in (LETTERS, DIGITS, LETTERS, DIGITS))
        try:
            with transaction.atomic():
                return Escalation.objects.create(code=code, **fields)
        except IntegrityError as error:
            if "escalation_live_code_once" not in str(error):
                raise
    raise RuntimeError("No free case code was found; resolve old cases.")


def ring_due(*, now: datetime, limit: int = 50) -> int:
    """Ring the next rung of every urgent case that nobody has acknowledged in time; return how many rang."""
    rung = 0
    with transaction.atomic():
        due = (
            Escalation.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(state=EscalationState.OPEN, next_ring_at__lte=now)
            .select_related("clinic", "patient", "treatment_session")
            .order_by("next_ring_at")[:limit]
        )
        for escalation in due:
            ring_next(escalation=escalation, now=now)
            rung += 1
    return rung


def acknowledge(*, escalation_id: int, clinic: Clinic, clinician: Clinician, via: str, now: datetime) -> Escalation:
    """Make `clinician` the owner of an open case and stop its ladder; `via` is page, sms or call.

    The same person again changes nothing. Raises AlreadyTakenError where a colleague was faster, and
    EscalationNotFoundError where this clinic has no such case.
    """
    with transaction.atomic():
        taken = Escalation.objects.filter(pk=escalation_id, clinic=clinic, state=EscalationState.OPEN).update(
            state=EscalationState.ACKNOWLEDGED,
            owner=clinician,
            acknowledged_at=now,
            acknowledged_via=via,
            next_ring_at=None,
        )
        escalation = _get(escalation_id, clinic)
        if taken:
            _stop_notices(escalation, now)
            _audit(escalation, "acknowledged", now, clinician=clinician, via=via)
            announce()
        elif escalation.owner_id != clinician.pk or escalation.state == EscalationState.RESOLVED:
            raise AlreadyTakenError("A colleague was faster and has this case.")
    return escalation


def resolve(
    *, escalation_id: int, clinic: Clinic, clinician: Clinician, outcome: str, note: str, now: datetime
) -> Escalation:
    """Close a case with its outcome (a value of Escalation.Outcome) and a note for colleagues.

    An open case gets its owner in the same move. Raises AlreadyTakenError where it is resolved already, and
    EscalationNotFoundError where this clinic has no such case. ValueError for an unknown outcome.
    """
    if outcome not in Escalation.Outcome.values:
        raise ValueError(f"Choose one of {', '.join(Escalation.Outcome.values)}.")
    with transaction.atomic():
        before = Escalation.objects.select_for_update().filter(pk=escalation_id, clinic=clinic).first()
        if before is None:
            raise EscalationNotFoundError("There is no such case in this clinic.")
        if before.state == EscalationState.RESOLVED:
            raise AlreadyTakenError("This case is resolved already.")
        Escalation.objects.filter(pk=escalation_id).update(
            state=EscalationState.RESOLVED,
            owner=before.owner or clinician,
            resolved_at=now,
            resolved_by=clinician,
            outcome=outcome,
            note=note,
            next_ring_at=None,
        )
        escalation = _get(escalation_id, clinic)
        _stop_notices(escalation, now)
        _audit(escalation, "resolved", now, clinician=clinician, outcome=outcome)
    return escalation


def _get(escalation_id: int, clinic: Clinic) -> Escalation:
    escalation = (
        Escalation.objects.select_related("clinic", "patient", "treatment_session", "owner")
        .filter(pk=escalation_id, clinic=clinic)
        .first()
    )
    if escalation is None:
        raise EscalationNotFoundError("There is no such case in this clinic.")
    return escalation


def _stop_notices(escalation: Escalation, now: datetime) -> None:
    """Take back notices that have not left: the case has an owner."""
    escalation.notices.filter(state__in=list(UNSENT), clinician__isnull=False).update(
        state=MessageState.CANCELLED, reason="acknowledged", changed_at=now, lease_until=None
    )


def _audit(
    escalation: Escalation, verb: str, now: datetime, *, clinician: Clinician | None = None, **details: Any
) -> None:
    audit.record(
        clinic=escalation.clinic,
        actor=AuditEvent.Actor.CLINICIAN if clinician else AuditEvent.Actor.SYSTEM,
        clinician=clinician,
        verb=verb,
        subject=escalation,
        patient=escalation.patient,
        now=now,
        **details,
    )
