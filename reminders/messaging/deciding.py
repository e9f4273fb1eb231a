"""A person decides about a text whose fate nobody knows: it counts as sent, as not arrived, or leaves as a new one.

Whoever decides is the first, or is told who was: every move names the state it leaves. A text that is sent again obeys
what any text obeys (consent, quiet hours, expiry), and the commit point asks all of it once more before it leaves.
"""

from datetime import datetime

from django.db import transaction

from reminders.clinic import audit
from reminders.clinic.errors import ConflictError, NotFoundError
from reminders.clinic.models import AuditEvent, Clinic, Clinician
from reminders.core.states import MessageState
from reminders.messaging.compose import announce
from reminders.messaging.errors import CannotSendAgainError
from reminders.messaging.models import Kind, Message
from reminders.messaging.sending_again import (
    copy_of,
    lock_cause,
    number_for,
    problem_with_the_cause,
    problem_with_the_phone,
)

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
        lock_cause(message_id=message_id, clinic=clinic)
        message = _unresolved(message_id, clinic)
        number = number_for(message)
        problem = _problem_with_the_kind(message) or problem_with_the_cause(message)
        problem = problem or problem_with_the_phone(message, number)
        if problem:
            raise CannotSendAgainError(problem)
        again = copy_of(message, number=number, dedupe_key=f"again:{message.pk}", not_before=now, now=now)
        if again is None:
            raise CannotSendAgainError("It is too late for this text to be of use. Call the patient if it matters.")
        _move(message, MessageState.REPLACED, SENT_AGAIN, now)
        again.save(force_insert=True)
        _audit(message, SENT_AGAIN, clinician, now, as_message=again.pk)
        announce()
    return again


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


def _problem_with_the_kind(message: Message) -> str:
    if message.kind in STAFF:
        return "Notices to staff are not sent again by hand: an open case rings on by itself."
    if hasattr(message, "check_in"):
        return "The patient has answered this question, so it arrived: mark it as sent."
    return ""


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
