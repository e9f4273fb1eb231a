"""A person decides about a text whose fate nobody knows: it counts as sent, as not arrived, or leaves as a new one.

Whoever decides is the first, or is told who was: every move names the state it leaves. A text that is sent again obeys
what any text obeys (consent, quiet hours, expiry), and the commit point asks all of it once more before it leaves.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import transaction

from reminders.clinic import audit
from reminders.clinic.consent import GRANTED, REVOKED, newest_decision
from reminders.clinic.errors import ConflictError, NotFoundError
from reminders.clinic.models import AuditEvent, Clinic, Clinician, PatientPhone, PhoneState, TreatmentSession
from reminders.clinic.selectors import has_newer_session
from reminders.clinic.turns import take_turn
from reminders.core.quiet_hours import QuietWindow, next_open
from reminders.core.states import MessageState
from reminders.messaging.cancelling import COURSE
from reminders.messaging.compose import announce
from reminders.messaging.errors import CannotSendAgainError
from reminders.messaging.models import AftercarePlan, ConsentRule, Kind, Message

SENT_AGAIN = "sent_again"
MARKED_AS_SENT = "marked_as_sent"
MARKED_AS_NOT_ARRIVED = "marked_not_arrived"
STAFF = (Kind.STAFF_NOTICE, Kind.STAFF_CALL)


def mark_as_sent(*, message_id: int, clinic: Clinic, clinician: Clinician, now: datetime) -> Message:
    """Let an unresolved message count as sent, at the moment of its last try; nothing leaves. On record.

    A callback that comes later still moves it on. Raises NotFoundError for another clinic's message, ConflictError
    where it is unresolved no more, because of evidence or a colleague.
    """
    with transaction.atomic():
        message = _unresolved(message_id, clinic)
        last_try = message.attempt_log.order_by("-number", "started_at").first()
        message.accepted_at = last_try.started_at if last_try else message.due_at
        _move(message, MessageState.ACCEPTED, MARKED_AS_SENT, now)
        _audit(message, MARKED_AS_SENT, clinician, now)
    return message


def mark_as_not_arrived(*, message_id: int, clinic: Clinic, clinician: Clinician, now: datetime) -> Message:
    """Let an unresolved message count as failed, as the patient said perhaps; nothing leaves. On record.

    It stands on the register of what patients missed. A receipt that comes later is still believed. Raises
    NotFoundError for another clinic's message, ConflictError where it is unresolved no more.
    """
    with transaction.atomic():
        message = _unresolved(message_id, clinic)
        _move(message, MessageState.FAILED, MARKED_AS_NOT_ARRIVED, now)
        _audit(message, MARKED_AS_NOT_ARRIVED, clinician, now)
    return message


def send_again(*, message_id: int, clinic: Clinic, clinician: Clinician, now: datetime) -> Message:
    """Write a new text in the place of an unresolved one and return it; the old one ends as `replaced`. On record.

    The new one has the same words, goes to the patient's present number where it belongs to a treatment, is due now or
    when quiet hours are over, and expires when the old one would have. However often this is called, one is written.
    Raises NotFoundError for another clinic's message, ConflictError where it is unresolved no more, and
    CannotSendAgainError with the reason where it must not or need not leave; then nothing has changed.
    """
    with transaction.atomic():
        _lock_its_cause(message_id, clinic)
        message = _unresolved(message_id, clinic)
        number = _number_for(message)
        _check_that_it_may_leave(message, number)
        again = _copy(message, number, now)
        _move(message, MessageState.REPLACED, SENT_AGAIN, now)
        again.save(force_insert=True)
        _audit(message, SENT_AGAIN, clinician, now, as_message=again.pk)
        announce()
    return again


def _lock_its_cause(message_id: int, clinic: Clinic) -> None:
    """Hold what could take the text back at this moment, in the order planning does: turn, session, plan."""
    found = Message.objects.filter(pk=message_id, clinic=clinic).first()
    if found is None:
        raise NotFoundError("There is no such text.")
    if found.patient_id is not None:
        take_turn(clinic=clinic, topic=f"plans:{found.patient_id}")
    if found.treatment_session_id is not None:
        TreatmentSession.objects.select_for_update(of=("self",), no_key=True).get(pk=found.treatment_session_id)
    if found.plan_id is not None:
        AftercarePlan.objects.select_for_update(of=("self",), no_key=True).get(pk=found.plan_id)


def _unresolved(message_id: int, clinic: Clinic) -> Message:
    rows = Message.objects.select_for_update(of=("self",), no_key=True)
    message = (
        rows.select_related("clinic", "patient", "plan", "treatment_session")
        .filter(pk=message_id, clinic=clinic)
        .first()
    )
    if message is None:
        raise NotFoundError("There is no such text.")
    if message.state == MessageState.REPLACED:
        raise ConflictError("This text was sent again already; it does not leave a second time.")
    if message.reason == MARKED_AS_SENT:
        raise ConflictError("This text was marked as sent already.")
    if message.reason == MARKED_AS_NOT_ARRIVED:
        raise ConflictError("This text was marked as not arrived already.")
    if message.state == MessageState.AMBIGUOUS:
        raise ConflictError("We still look for proof; please wait until that has ended.")
    if message.state != MessageState.UNRESOLVED:
        raise ConflictError("Proof has come in the meantime; nothing is left to decide.")
    return message


def _number_for(message: Message) -> str:
    """Return where it goes: texts of a treatment to the patient's present number, answers to who wrote."""
    if message.kind not in COURSE or message.patient is None:
        return message.to_number
    phone = message.patient.phones.filter(is_primary=True).first()
    return phone.number if phone else message.to_number


def _check_that_it_may_leave(message: Message, number: str) -> None:
    problem = _problem_with_its_cause(message) or _problem_with_the_phone(message, number)
    if problem:
        raise CannotSendAgainError(problem)


def _problem_with_its_cause(message: Message) -> str:
    session, plan = message.treatment_session, message.plan
    is_advice = message.kind == Kind.ADVICE
    if message.kind in STAFF:
        return "Notices to staff are not sent again by hand: an open case rings on by itself."
    if session is not None and session.status != TreatmentSession.Status.COMPLETED:
        return "The session was taken back, so nothing of it is sent."
    if is_advice and plan is not None and plan.state == AftercarePlan.State.WITHHELD:
        return "A danger sign was reported, so the advice of this session is withheld."
    if is_advice and session is not None and has_newer_session(treatment_session=session):
        return "A newer session’s advice takes its place."
    if message.withdrawn:
        return "It was taken back while it was on its way, so it is not sent again."
    if hasattr(message, "check_in"):
        return "The patient has answered this question, so it arrived: mark it as sent."
    return ""


def _problem_with_the_phone(message: Message, number: str) -> str:
    phones = PatientPhone.objects.filter(clinic=message.clinic, patient=message.patient, number=number)
    if phones.exclude(state__in=[PhoneState.OK, PhoneState.UNREACHABLE]).exists():
        return "The patient’s number cannot be texted; see the failing numbers."
    if message.consent_rule == ConsentRule.NONE:
        return ""
    newest = newest_decision(message.clinic, number)
    if newest is not None and newest.decision == REVOKED:
        return "The patient has opted out of texts."
    if message.consent_rule == ConsentRule.GRANTED and (newest is None or newest.decision != GRANTED):
        return "The patient has not agreed to texts on this number."
    return ""


def _copy(message: Message, number: str, now: datetime) -> Message:
    """Build the new row: all that was decided about the old one, and nothing of what became of it."""
    again = Message(
        sends_again=message,
        dedupe_key=f"again:{message.pk}",
        to_number=number,
        first_due_at=message.first_due_at,
        due_at=_due_at(message, now),
        expires_at=message.expires_at,
        created_at=now,
        changed_at=now,
        **{name: getattr(message, name) for name in _KEPT},
    )
    if again.due_at >= again.expires_at:
        raise CannotSendAgainError("It is too late for this text to be of use. Call the patient if it matters.")
    return again


_KEPT = (
    *("clinic_id", "patient_id", "clinician_id", "treatment_session_id", "plan_id", "step_key", "occurrence"),
    *("in_reply_to_id", "escalation_id", "kind", "channel", "priority", "sender_id", "language"),
    *("template_version_id", "body", "segments", "consent_rule", "unknown_policy", "quiet_exempt"),
)


def _due_at(message: Message, now: datetime) -> datetime:
    if message.quiet_exempt:
        return now
    clinic, patient = message.clinic, message.patient
    zone = ZoneInfo(patient.timezone if patient is not None and patient.timezone else clinic.timezone)
    return next_open(at=now, zone=zone, quiet=QuietWindow(clinic.quiet_start, clinic.quiet_end))


def _move(message: Message, state: MessageState, reason: str, now: datetime) -> None:
    message.state, message.reason, message.changed_at = state, reason, now
    message.save(update_fields=["state", "reason", "accepted_at", "changed_at"])


def _audit(message: Message, verb: str, clinician: Clinician, now: datetime, **details: int) -> None:
    audit.record(
        clinic=message.clinic,
        actor=AuditEvent.Actor.CLINICIAN,
        clinician=clinician,
        verb=verb,
        subject=message,
        patient=message.patient,
        now=now,
        **details,
    )
