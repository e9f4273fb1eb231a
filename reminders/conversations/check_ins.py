"""Check-ins: opened when the sending of their question has ended, closed by an answer, an opt-out or silence."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog
from django.db import transaction
from django.db.models import QuerySet

from reminders.clinic.models import Clinic, Patient, PatientPhone, PhoneState, TreatmentSession
from reminders.content.errors import MissingTextError
from reminders.content.models import Step
from reminders.content.selectors import schedule_step, step_of_kind
from reminders.conversations.models import CheckIn, InboundMessage
from reminders.conversations.policy import RECENT
from reminders.core.protocols import Thresholds, thresholds_from_json
from reminders.core.quiet_hours import QuietWindow
from reminders.core.rendering import TemplateError
from reminders.core.schedule import Dropped, StepKind, place_step
from reminders.core.states import CARRIER_HAS_JUDGED, LEFT, CheckInState, MessageState
from reminders.logs import place_of
from reminders.messaging.cancelling import stop_sending_again, take_back
from reminders.messaging.compose import SEND_GRACE, Link, new_message, store, words_for
from reminders.messaging.models import QUESTIONS, Kind, Message

log = structlog.get_logger(__name__)


def thresholds_of(check_in: CheckIn) -> Thresholds:
    """Return the numbers of the protocol version that asked."""
    return thresholds_from_json(check_in.plan.protocol_version.thresholds)


def open_asked_check_ins(*, now: datetime, patient: Patient | None = None, limit: int = 500) -> int:
    """Open a check-in for every question whose sending has ended, and lay out its nudge; return how many.

    A sweep, so a lost task loses nothing. The reading of a text calls it for its patient first, so that an answer that
    is faster than the sweep, or than the carrier's own word, finds its question: who answers has been asked.
    """
    if patient is not None:
        asked = Message.objects.filter(
            kind__in=QUESTIONS, state__in=sorted(CARRIER_HAS_JUDGED | LEFT), check_in__isnull=True, patient=patient
        )
        return len(_open_each(asked.filter(due_at__gt=now - RECENT), now).opened)
    # Its index holds these alone, so that years of questions cost a look each second nothing.
    ended = Message.objects.filter(kind__in=QUESTIONS, state__in=sorted(CARRIER_HAS_JUDGED), seen_to=False)
    newest = list(ended.order_by("-due_at").values_list("pk", flat=True)[:limit])
    if not newest:
        return 0
    tried = _open_each(Message.objects.filter(pk__in=newest), now)
    _mark_seen_to(tried.opened + tried.not_owed)
    return len(tried.opened)


@dataclass(frozen=True, slots=True)
class _Tried:
    """Questions by the ids of their messages; those that failed are in neither list and are tried again."""

    opened: list[int] = field(default_factory=list)
    not_owed: list[int] = field(default_factory=list)


def _open_each(asked: QuerySet[Message], now: datetime) -> _Tried:
    tried = _Tried()
    for message in asked.select_related("clinic", "patient", "plan__protocol_version", "treatment_session"):
        try:
            (tried.opened if _open(message, now) else tried.not_owed).append(message.pk)
        except Exception as error:  # noqa: BLE001  # one broken question must not keep the others from being asked
            log.error("check_in_not_opened", message_id=message.pk, kind=type(error).__name__, where=place_of(error))
    return tried


@transaction.atomic
def _mark_seen_to(message_ids: list[int]) -> None:
    """Take questions out of the sweep's index; one that is being moved at this moment is left to the next sweep."""
    rows = Message.objects.filter(pk__in=message_ids).order_by("id").select_for_update(no_key=True, skip_locked=True)
    Message.objects.filter(pk__in=list(rows.values_list("pk", flat=True))).update(seen_to=True)


def _open(message: Message, now: datetime) -> bool:
    session = message.treatment_session
    if message.plan is None or message.patient is None or session is None:
        return False
    if session.status != TreatmentSession.Status.COMPLETED:
        return False
    if message.sends_again_id is not None and CheckIn.objects.filter(message=message.sends_again_id).exists():
        return False  # a second attempt: the same question once more
    asked_at = message.accepted_at or message.due_at
    thresholds = thresholds_from_json(message.plan.protocol_version.thresholds)
    refused = message.state == MessageState.REJECTED
    with transaction.atomic():
        check_in, created = CheckIn.objects.get_or_create(
            message=message,
            defaults={
                "clinic": message.clinic,
                "patient": message.patient,
                "treatment_session": session,
                "plan": message.plan,
                "kind": message.kind,
                "asked_at": asked_at,
                # Nobody waits for an answer to what the carrier refused: the silent list shows it at once.
                "closes_at": asked_at + timedelta(minutes=0 if refused else thresholds.silent_after_minutes),
            },
        )
        if created and message.kind == Kind.CHECK_IN and not refused:
            nudge = step_of_kind(version=message.plan.protocol_version, kind=StepKind.NUDGE, treatment_session=session)
            if nudge is not None:
                lay_out_step(check_in=check_in, step=nudge, anchor_at=asked_at, now=now)
    return created


def lay_out_step(*, check_in: CheckIn, step: Step, anchor_at: datetime, now: datetime) -> Message | None:
    """Write the message of a step that follows a question (nudge) or an answer (recheck).

    A step that quiet hours, its expiry or the phone's state drop is written too, in its terminal state and with the
    reason. Where the text or the phone is missing, that is logged, and None returned: the answer counts all the same.
    """
    session, clinic, patient = check_in.treatment_session, check_in.clinic, check_in.patient
    outcome = place_step(
        step=schedule_step(step),
        anchor_at=anchor_at,
        ended_at=session.ended_at,
        zone=ZoneInfo(patient.timezone),
        quiet=QuietWindow(clinic.quiet_start, clinic.quiet_end),
    )
    phone = PatientPhone.objects.filter(patient=patient, is_primary=True).first()
    try:
        words = words_for(
            clinic=clinic,
            key=step.template_key,
            language=patient.language,
            values={"technique": session.technique, "first_name": patient.given_name},
        )
    except (MissingTextError, TemplateError) as error:
        log.error("step_not_laid_out", clinic_id=clinic.pk, step=step.key, code=error.code)
        return None
    if phone is None:
        log.error("step_not_laid_out", clinic_id=clinic.pk, step=step.key, code="no_phone")
        return None
    message = new_message(
        clinic=clinic,
        kind=Kind(step.kind),
        words=words,
        sender=check_in.message.sender,
        to_number=phone.number,
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
        if phone.state not in (PhoneState.OK, PhoneState.UNREACHABLE):
            message.state, message.reason = MessageState.SUPPRESSED, f"phone_{phone.state}"
    return store(message)


def answerable(*, patient: Patient, now: datetime) -> CheckIn | None:
    """Return the question an answer belongs to: the newest that is open or fell silent, and is still in reach."""
    for check_in in (
        with_everything()
        .filter(patient=patient, state__in=[CheckInState.OPEN, CheckInState.SILENT])
        .order_by("-asked_at", "-id")
    ):
        if now < check_in.asked_at + timedelta(minutes=thresholds_of(check_in).reply_window_minutes):
            return check_in
    return None


def recent_sessions(*, patient: Patient, now: datetime) -> list[TreatmentSession]:
    """Return the treatments that a text may be about where no question is open, newest first."""
    return list(
        patient.treatment_sessions.filter(status=TreatmentSession.Status.COMPLETED, ended_at__gt=now - RECENT)
        .select_related("clinician")
        .order_by("-ended_at")
    )


def with_everything() -> QuerySet[CheckIn]:
    """Return check-ins with all that deciding about them reads."""
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
        take_back_nudges(check_in=check_in, reason="answered", now=now)
        stop_sending_again(message_id=check_in.message_id, now=now)
    return bool(closed)


def close_opted_out(*, clinic: Clinic, number: str, now: datetime) -> int:
    """Close every open question that was put to a phone that opted out; return how many."""
    return CheckIn.objects.filter(clinic=clinic, message__to_number=number, state=CheckInState.OPEN).update(
        state=CheckInState.CLOSED, outcome=CheckIn.Outcome.OPTED_OUT, answered_at=now
    )


def drop_rechecks(*, patient: Patient, now: datetime) -> int:
    """Take back the unsent re-checks of a patient who is fine; return how many."""
    return take_back(Message.objects.filter(patient=patient, kind=Kind.RECHECK), reason="answered", now=now)


def take_back_nudges(*, check_in: CheckIn, reason: str, now: datetime) -> None:
    """Cancel the unsent nudges of a question that is closed."""
    plan = check_in.plan
    nudges = Message.objects.filter(treatment_session=plan.treatment_session_id, plan=plan, kind=Kind.NUDGE)
    take_back(nudges, reason=reason, now=now)
