"""Check-ins: opened when their question reached the carrier, closed by an answer or by silence."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import QuerySet

from reminders.clinic import audit
from reminders.clinic.models import AuditEvent, Patient, PhoneState, Technique
from reminders.clinic.selectors import primary_phone
from reminders.content.models import Step
from reminders.content.selectors import schedule_step, step_of_kind
from reminders.conversations.models import CheckIn, InboundMessage
from reminders.core.protocols import Thresholds, thresholds_from_json
from reminders.core.quiet_hours import QuietWindow
from reminders.core.schedule import Dropped, StepKind, place_step
from reminders.core.states import REACHED_CARRIER, UNSENT, CheckInState, MessageState, Severity
from reminders.escalations.services import raise_escalation
from reminders.messaging.compose import SEND_GRACE, Link, announce, default_sender, new_message, store, words_for
from reminders.messaging.models import Kind, Message

QUESTIONS = (Kind.CHECK_IN, Kind.RECHECK)
# After deep needling near the lungs silence is worth a look: a pneumothorax can show within two days (case reports).
NEAR_THE_LUNGS = frozenset({"thorax", "shoulder", "neck", "upper_back"})


def thresholds_of(check_in: CheckIn) -> Thresholds:
    """Return the numbers of the protocol version that asked."""
    return thresholds_from_json(check_in.plan.protocol_version.thresholds)


def open_asked_check_ins(*, now: datetime, patient: Patient | None = None, limit: int = 500) -> int:
    """Open a check-in for every question that has reached the carrier, and lay out its nudge; return how many.

    A sweep, so a lost task loses nothing; the webhook calls it for one patient first, so that an answer which is
    faster than the sweep finds its question.
    """
    asked = Message.objects.filter(
        kind__in=QUESTIONS, state__in=list(REACHED_CARRIER), check_in__isnull=True, plan__isnull=False
    )
    if patient is not None:
        asked = asked.filter(patient=patient)
    opened = 0
    for message in asked.select_related("clinic", "patient", "plan__protocol_version", "treatment_session")[:limit]:
        opened += _open(message, now)
    return opened


def _open(message: Message, now: datetime) -> int:
    if message.plan is None or message.patient is None or message.treatment_session is None:
        return 0
    asked_at = message.accepted_at or now
    thresholds = thresholds_from_json(message.plan.protocol_version.thresholds)
    with transaction.atomic():
        check_in, created = CheckIn.objects.get_or_create(
            message=message,
            defaults={
                "clinic": message.clinic,
                "patient": message.patient,
                "treatment_session": message.treatment_session,
                "plan": message.plan,
                "kind": message.kind,
                "asked_at": asked_at,
                "closes_at": asked_at + timedelta(minutes=thresholds.silent_after_minutes),
            },
        )
        if created and message.kind == Kind.CHECK_IN:
            nudge = step_of_kind(version=message.plan.protocol_version, kind=StepKind.NUDGE)
            if nudge is not None:
                lay_out_step(check_in=check_in, step=nudge, anchor_at=asked_at, now=now)
    return int(created)


def lay_out_step(*, check_in: CheckIn, step: Step, anchor_at: datetime, now: datetime) -> Message:
    """Write the message of a step that follows a question (nudge) or an answer (recheck).

    A step that quiet hours or its expiry drop is written too, in its terminal state and with the reason.
    """
    session, clinic, patient = check_in.treatment_session, check_in.clinic, check_in.patient
    outcome = place_step(
        step=schedule_step(step),
        anchor_at=anchor_at,
        ended_at=session.ended_at,
        zone=ZoneInfo(patient.timezone),
        quiet=QuietWindow(clinic.quiet_start, clinic.quiet_end),
    )
    message = new_message(
        clinic=clinic,
        kind=Kind(step.kind),
        words=words_for(
            clinic=clinic,
            key=step.template_key,
            language=patient.language,
            values={"technique": session.technique, "first_name": patient.given_name},
        ),
        sender=check_in.message.sender if check_in.message_id else default_sender(clinic=clinic),
        to_number=primary_phone(patient=patient).number,
        due_at=outcome.first_due_at if isinstance(outcome, Dropped) else outcome.at,
        now=now,
        link=Link(patient=patient, treatment_session=session, plan=check_in.plan, step_key=step.key),
    )
    message.first_due_at = outcome.first_due_at
    message.occurrence = CheckIn.objects.filter(plan=check_in.plan, asked_at__lt=check_in.asked_at).count()
    if isinstance(outcome, Dropped):
        expired = outcome.reason == "expired"
        message.state = MessageState.EXPIRED if expired else MessageState.SUPPRESSED
        message.reason = str(outcome.reason)
    else:
        message.expires_at = max(outcome.expires_at, outcome.at + SEND_GRACE)
    return store(message)


def answerable(*, patient: Patient, now: datetime) -> CheckIn | None:
    """Return the question an answer belongs to: the newest that is open, or silent but still in reach."""
    for check_in in (
        _with_everything()
        .filter(patient=patient, state__in=[CheckInState.OPEN, CheckInState.SILENT])
        .order_by("-asked_at", "-id")
    ):
        reach = timedelta(minutes=thresholds_of(check_in).reply_window_minutes)
        if check_in.state == CheckInState.OPEN or now < check_in.asked_at + reach:
            return check_in
    return None


def _with_everything() -> QuerySet[CheckIn]:
    return CheckIn.objects.select_related(
        "clinic", "patient", "plan__protocol_version", "treatment_session__clinician", "message__sender"
    )


def close_answered(
    *, check_in: CheckIn, outcome: str, score: int | None, answer: InboundMessage, follow_up: bool, now: datetime
) -> bool:
    """Close a question with its answer and take back what still waits to ask; return whether this call closed it."""
    closed = CheckIn.objects.filter(pk=check_in.pk, state__in=[CheckInState.OPEN, CheckInState.SILENT]).update(
        state=CheckInState.ANSWERED,
        outcome=outcome,
        score=score,
        answered_at=now,
        answer=answer,
        silent_cause="",
        trend="asked" if follow_up else "",
    )
    if closed:
        _take_back(check_in, "answered", now)
    return bool(closed)


def close_all(*, patient: Patient, outcome: CheckIn.Outcome, now: datetime) -> int:
    """Close every open question of a patient for a reason that is no answer; return how many."""
    return CheckIn.objects.filter(patient=patient, state=CheckInState.OPEN).update(
        state=CheckInState.CLOSED, outcome=outcome, answered_at=now
    )


def _take_back(check_in: CheckIn, reason: str, now: datetime) -> None:
    Message.objects.filter(plan=check_in.plan, kind=Kind.NUDGE, state__in=list(UNSENT)).update(
        state=MessageState.CANCELLED, reason=reason, changed_at=now, lease_until=None
    )
    announce()


def close_silent(*, now: datetime, limit: int = 500) -> int:
    """Close questions whose time is over, with the cause of the silence; return how many.

    Silence after deep needling near the lungs becomes work for the clinic.
    """
    closed = 0
    for check_in in _with_everything().filter(state=CheckInState.OPEN, closes_at__lte=now)[:limit]:
        with transaction.atomic():
            moved = CheckIn.objects.filter(pk=check_in.pk, state=CheckInState.OPEN).update(
                state=CheckInState.SILENT, outcome=CheckIn.Outcome.SILENT, silent_cause=_silent_cause(check_in)
            )
            if not moved:
                continue
            closed += 1
            _take_back(check_in, "silent", now)
            audit.record(
                clinic=check_in.clinic,
                actor=AuditEvent.Actor.SYSTEM,
                verb="fell_silent",
                subject=check_in,
                patient=check_in.patient,
                now=now,
            )
            if _silence_matters(check_in):
                raise_escalation(
                    clinic=check_in.clinic,
                    patient=check_in.patient,
                    reason="silence",
                    severity=Severity.ROUTINE,
                    now=now,
                    treatment_session=check_in.treatment_session,
                    check_in_id=check_in.pk,
                )
    return closed


def _silence_matters(check_in: CheckIn) -> bool:
    session = check_in.treatment_session
    return session.technique == Technique.DEEP and bool(NEAR_THE_LUNGS & set(session.regions))


def _silent_cause(check_in: CheckIn) -> str:
    """Return why nobody answered, as far as the carrier tells: a code for the silent list."""
    phone = check_in.patient.phones.filter(number=check_in.message.to_number).first()
    if phone is not None and phone.state != PhoneState.OK:
        return f"phone_{phone.state}"
    match check_in.message.state:
        case MessageState.DELIVERED:
            return "delivered_but_quiet"
        case MessageState.UNDELIVERED | MessageState.FAILED:
            return "not_delivered"
        case _:
            return "no_receipt"
