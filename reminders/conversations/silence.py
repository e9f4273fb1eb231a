"""Silence: a question whose time is over is closed with its cause, and where it matters, a person looks."""

from datetime import datetime

import structlog
from django.db import transaction

from reminders.clinic import audit
from reminders.clinic.models import AuditEvent, PhoneState
from reminders.conversations.check_ins import take_back_nudges, with_everything
from reminders.conversations.inbound import take_conversation
from reminders.conversations.models import CheckIn, InboundMessage
from reminders.conversations.whose import was_given_up
from reminders.core.states import CheckInState, MessageState, Severity
from reminders.core.triage import silence_matters
from reminders.escalations.services import raise_escalation
from reminders.logs import place_of

log = structlog.get_logger(__name__)


def close_silent(*, now: datetime, limit: int = 500) -> int:
    """Close questions whose time is over, with the cause of the silence; return how many.

    Silence after deep needling near the lungs becomes work for the clinic. An answer that was received but not read yet
    is no silence: its question waits for it.
    """
    over = CheckIn.objects.filter(state=CheckInState.OPEN, closes_at__lte=now).order_by("closes_at")
    # Their ids first: most of the time there are none, and planning so wide a join is what would cost.
    found = list(over.values_list("pk", flat=True)[:limit])
    if not found:
        return 0
    closed = 0
    for check_in in with_everything().filter(pk__in=found).order_by("closes_at"):
        try:
            closed += _close(check_in, now)
        except Exception as error:  # noqa: BLE001  # one broken check-in must not keep the others open
            log.error("silence_not_closed", check_in_id=check_in.pk, kind=type(error).__name__, where=place_of(error))
    return closed


@transaction.atomic
def _close(check_in: CheckIn, now: datetime) -> bool:
    take_conversation(clinic=check_in.clinic, number=check_in.message.to_number)
    unread = InboundMessage.objects.filter(
        clinic=check_in.clinic, from_number=check_in.message.to_number, handled_at__isnull=True
    )
    if unread.exists():
        return False
    moved = CheckIn.objects.filter(pk=check_in.pk, state=CheckInState.OPEN).update(
        state=CheckInState.SILENT, outcome=CheckIn.Outcome.SILENT, silent_cause=_cause(check_in)
    )
    if not moved:
        return False
    take_back_nudges(check_in=check_in, reason="silent", now=now)
    audit.record(
        clinic=check_in.clinic,
        actor=AuditEvent.Actor.SYSTEM,
        verb="fell_silent",
        subject=check_in,
        patient=check_in.patient,
        now=now,
    )
    if _matters(check_in):
        raise_escalation(
            clinic=check_in.clinic,
            patient=check_in.patient,
            reason="silence",
            severity=Severity.ROUTINE,
            now=now,
            treatment_session=check_in.treatment_session,
            check_in_id=check_in.pk,
        )
    return True


def _matters(check_in: CheckIn) -> bool:
    session = check_in.treatment_session
    return silence_matters(technique=session.technique, regions=session.regions)


def _cause(check_in: CheckIn) -> str:
    """Return why nobody answered, as far as the carrier tells: a code for the silent list."""
    phone = check_in.patient.phones.filter(number=check_in.message.to_number).first()
    if phone is not None and phone.state != PhoneState.OK:
        return f"phone_{phone.state}"
    if was_given_up(check_in):
        return "whose_answer"
    newest = check_in.message.sent_again_as.first() or check_in.message
    match newest.state:
        case MessageState.DELIVERED:
            return "delivered_but_quiet"
        case MessageState.UNDELIVERED | MessageState.FAILED | MessageState.REJECTED:
            return "not_delivered"
        case _:
            return "no_receipt"
