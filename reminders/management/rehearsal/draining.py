"""Whether anything that is due by now is still to be done. Needs Django."""

from datetime import datetime

from django.db.models import F, Q

from reminders.clinic.models import TreatmentSession
from reminders.core.states import EscalationState, MessageState
from reminders.escalations.models import Escalation
from reminders.messaging.models import OutboxRow


def is_drained(*, now: datetime) -> bool:
    """Tell whether all that was due has left or been dropped, ladders have rung, and sessions have their plans."""
    leaving = Q(state__in=[MessageState.CLAIMED, MessageState.SENDING])
    due = Q(state=MessageState.SCHEDULED, due_at__lte=now)
    return not (
        OutboxRow.objects.filter(leaving | due).exists()
        or Escalation.objects.filter(state=EscalationState.OPEN, next_ring_at__lte=now).exists()
        or TreatmentSession.objects.exclude(planned_revision=F("revision")).exists()
    )
