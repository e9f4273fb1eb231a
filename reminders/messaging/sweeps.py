"""What makes the rows the truth: whatever a lost task left behind is found again by looking."""

from datetime import datetime, timedelta

from django.db.models import F

from reminders.clinic.models import TreatmentSession
from reminders.core.states import MessageState
from reminders.messaging.models import Message

# A plan task that was not lost has run long before this.
PLAN_AFTER = timedelta(seconds=10)


def unplanned(*, now: datetime, limit: int = 200) -> list[int]:
    """Return sessions that still owe a plan for their newest revision.

    In no order: sessions that cannot be planned, for want of a text, must not stand before those that can.
    """
    return list(
        TreatmentSession.objects.exclude(planned_revision=F("revision"))
        .filter(updated_at__lte=now - PLAN_AFTER)
        .order_by("?")
        .values_list("pk", flat=True)[:limit]
    )


def next_due_at() -> datetime | None:
    """Return when the next waiting message is due, or None where nothing waits."""
    return (
        Message.objects.filter(state=MessageState.SCHEDULED).order_by("due_at").values_list("due_at", flat=True).first()
    )


def has_ambiguous() -> bool:
    """Tell whether any message waits for evidence."""
    return Message.objects.filter(state=MessageState.AMBIGUOUS).exists()
