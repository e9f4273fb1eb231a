"""Whether anything that is due by now is still to be done. Needs Django."""

from datetime import datetime

from django.db.models import F, Q

from reminders.clinic.models import TreatmentSession
from reminders.conversations.models import InboundMessage
from reminders.core.states import EscalationState, MessageState
from reminders.escalations.models import Escalation
from reminders.messaging.models import OutboxRow


def is_drained(*, now: datetime) -> bool:
    """Tell whether all that was due has left or been dropped, ladders have rung, and sessions have their plans."""
    return not (has_texts_due(now=now) or has_rings_due(now=now) or has_sessions_without_plan())


def has_texts_due(*, now: datetime) -> bool:
    """Tell whether a text or a call is due, or just leaving."""
    leaving = Q(state__in=[MessageState.CLAIMED, MessageState.SENDING])
    due = Q(state=MessageState.SCHEDULED, due_at__lte=now)
    return OutboxRow.objects.filter(leaving | due).exists()


def has_rings_due(*, now: datetime) -> bool:
    """Tell whether a ladder is to ring its next rung."""
    return Escalation.objects.filter(state=EscalationState.OPEN, next_ring_at__lte=now).exists()


def has_sessions_without_plan() -> bool:
    """Tell whether a session waits for its plan."""
    return TreatmentSession.objects.exclude(planned_revision=F("revision")).exists()


def has_unread_texts() -> bool:
    """Tell whether a text that came in waits to be read."""
    return InboundMessage.objects.filter(handled_at__isnull=True, clinic__isnull=False).exists()
