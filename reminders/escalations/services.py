"""Verbs of escalations: raise, ring the ladder, acknowledge, resolve. Every state change is compare-and-set."""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import IntegrityError, transaction
from django.db.models import Case, Q, QuerySet, Value, When

from reminders.clinic.models import Clinic, Clinician, Patient, TreatmentSession
from reminders.clinic.selectors import next_opening
from reminders.clinic.turns import take_turn
from reminders.core.states import SEVERITY_RANK, EscalationState, Severity
from reminders.escalations.cases import get_case, record, stop_notices
from reminders.escalations.errors import AlreadyTakenError, EscalationNotFoundError
from reminders.escalations.ladder import notify_same_day, ring_next
from reminders.escalations.models import Escalation
from reminders.escalations.patient_texts import CallPromise, promise_call, text_patient
from reminders.logs import place_of
from reminders.messaging.compose import announce
from reminders.messaging.models import Kind

log = structlog.get_logger(__name__)

# No vowels and no look-alikes: a code never spells a word, and reads the same by eye and by ear.
LETTERS = "BCDFGHJKMNPQRTVWXZ"
DIGITS = "23456789"
# Letter and digit in turn: 20,736 short codes; once most are live, longer ones serve, so that no case is ever refused.
SHORT_CODE, LONG_CODE = (LETTERS, DIGITS) * 2, (LETTERS, DIGITS) * 3
AFTER_FAILED_RING = timedelta(minutes=1)
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
    """Put a human on the case, or return the case that already stands for it.

    One text raises a case for a patient and a reason once, and while such a case is open, later texts belong to it. A
    case that somebody has taken is not reused: new words ring again. Without a text (silence) it is once per check-in.
    Urgent cases ring the first rung in this transaction; same-day ones notify the clinician when the clinic is open.
    `details` hold codes and numbers, never words.
    """
    with transaction.atomic():
        # Two phones of one patient may write at the same moment.
        take_turn(clinic=clinic, topic=f"cases:{patient.pk if patient else 'unknown'}")
        cases = Escalation.objects.select_for_update().filter(clinic=clinic, patient=patient, reason=reason)
        standing = _standing(cases, check_in_id, inbound_id)
        if standing is not None:
            return _join(standing, severity, details or {}, now)
        escalation = _create_with_code(
            clinic=clinic,
            patient=patient,
            treatment_session=treatment_session,
            check_in_id=check_in_id if check_in_id and not cases.filter(check_in_id=check_in_id).exists() else None,
            inbound_id=inbound_id,
            reason=reason,
            severity=severity,
            details=dict(details or {}),
            created_at=now,
            due_at=_due_at(clinic, severity, now),
            next_ring_at=now if severity is Severity.URGENT else None,
        )
        record(escalation, "raised", now, reason=reason, severity=str(severity))
        _tell(escalation, now)
    return escalation


def _due_at(clinic: Clinic, severity: Severity, now: datetime) -> datetime:
    if severity is Severity.URGENT:
        return now + DUE_AFTER[severity]
    return (next_opening(clinic=clinic, at=now) or now) + DUE_AFTER[severity]


def _standing(cases: QuerySet[Escalation], check_in_id: int | None, inbound_id: int | None) -> Escalation | None:
    if inbound_id is None:
        return cases.filter(check_in_id=check_in_id).first() if check_in_id is not None else None
    joined = Q(inbound_id=inbound_id) | Q(state=EscalationState.OPEN, patient__isnull=False)
    from_this_text_first = Case(When(inbound_id=inbound_id, then=Value(0)), default=Value(1))
    return cases.filter(joined).order_by(from_this_text_first, "-id").first()


def _join(escalation: Escalation, severity: Severity, details: Mapping[str, Any], now: datetime) -> Escalation:
    """Add what a later text said to a standing case; what was said before stays said."""
    flags = sorted({*escalation.details.get("flags", ()), *details.get("flags", ())})
    _wake(escalation, now)
    merged = {**escalation.details, **{name: value for name, value in details.items() if value is not None}}
    if flags:
        merged["flags"] = flags
    if merged != escalation.details:
        escalation.details = merged
        escalation.save(update_fields=["details"])
    return _raise_severity(escalation, severity, now)


def _wake(escalation: Escalation, now: datetime) -> None:
    """Bring back a case that was put aside: there is news."""
    if escalation.snoozed_until is not None:
        escalation.snoozed_until = None
        escalation.save(update_fields=["snoozed_until"])
        record(escalation, "came_back", now)


def _raise_severity(escalation: Escalation, severity: Severity, now: datetime) -> Escalation:
    """Let an open case become more serious, never less."""
    is_graver = SEVERITY_RANK[severity] < SEVERITY_RANK[Severity(escalation.severity)]
    if escalation.state != EscalationState.OPEN or not is_graver:
        return escalation
    escalation.severity = severity
    escalation.due_at = min(escalation.due_at, _due_at(escalation.clinic, severity, now))
    escalation.next_ring_at = now if severity is Severity.URGENT else None
    escalation.save(update_fields=["severity", "due_at", "next_ring_at"])
    record(escalation, "became_more_serious", now, severity=str(severity))
    _tell(escalation, now)
    return escalation


def _tell(escalation: Escalation, now: datetime) -> None:
    if escalation.severity == Severity.URGENT:
        ring_next(escalation=escalation, now=now)
    elif escalation.severity == Severity.SAME_DAY:
        notify_same_day(escalation=escalation, now=now)


def _create_with_code(**fields: Any) -> Escalation:
    for shape in (SHORT_CODE,) * 20 + (LONG_CODE,) * 20:
        code = "".join(secrets.choice(kind) for kind in shape)
        try:
            with transaction.atomic():
                return Escalation.objects.create(code=code, **fields)
        except IntegrityError as error:
            if "escalation_live_code_once" not in str(error):
                raise
    raise RuntimeError("No free case code was found; resolve old cases.")


def ring_due(*, now: datetime, limit: int = 50) -> int:
    """Ring the next rung of every urgent case that nobody has acknowledged in time; return how many rang.

    Each case is on its own: one that cannot ring is logged, tried again in a minute, and keeps no other from ringing.
    """
    due = Escalation.objects.filter(state=EscalationState.OPEN, next_ring_at__lte=now).order_by("next_ring_at")
    return sum(_ring_if_due(escalation_id, now) for escalation_id in due.values_list("pk", flat=True)[:limit])


def _ring_if_due(escalation_id: int, now: datetime) -> bool:
    with transaction.atomic():
        still_due = Escalation.objects.filter(pk=escalation_id, state=EscalationState.OPEN, next_ring_at__lte=now)
        # Another scheduler that has the row is ringing it.
        escalation = (
            still_due.select_for_update(skip_locked=True, of=("self",))
            .select_related("clinic", "patient", "treatment_session", "inbound")
            .first()
        )
        if escalation is None:
            return False
        try:
            with transaction.atomic():
                ring_next(escalation=escalation, now=now)
        except Exception as error:  # noqa: BLE001  # one broken case must not silence the others
            log.error("ring_failed", escalation_id=escalation_id, kind=type(error).__name__, where=place_of(error))
            still_due.update(next_ring_at=now + AFTER_FAILED_RING)
            return False
    return True


def acknowledge(
    *,
    escalation_id: int,
    clinic: Clinic,
    clinician: Clinician,
    via: str,
    now: datetime,
    promise: CallPromise | None = None,
) -> Escalation:
    """Make `clinician` the owner of an open case and stop its ladder; `via` is page, sms or call.

    The patient of an urgent case is told, once, unless they opted out; with a `promise` the patient of any case is told
    who will call and by when. The same person again changes nothing. Raises
    AlreadyTakenError where a colleague was faster, and EscalationNotFoundError where this clinic has no such case.
    """
    with transaction.atomic():
        taken = Escalation.objects.filter(pk=escalation_id, clinic=clinic, state=EscalationState.OPEN).update(
            state=EscalationState.ACKNOWLEDGED,
            owner=clinician,
            acknowledged_at=now,
            acknowledged_via=via,
            next_ring_at=None,
            snoozed_until=None,
        )
        escalation = get_case(escalation_id, clinic)
        if taken:
            stop_notices(escalation, now)
            record(escalation, "acknowledged", now, clinician=clinician, via=via)
            promised = promise and promise_call(escalation=escalation, promise=promise, clinician=clinician, now=now)
            if escalation.severity == Severity.URGENT and not promised:
                text_patient(escalation=escalation, key="clinician_acknowledged", kind=Kind.REPLY, now=now)
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
            snoozed_until=None,
        )
        escalation = get_case(escalation_id, clinic)
        stop_notices(escalation, now)
        record(escalation, "resolved", now, clinician=clinician, outcome=outcome)
    return escalation
