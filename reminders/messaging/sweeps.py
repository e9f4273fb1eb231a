"""What makes the rows the truth: whatever a lost task left behind is found again by looking."""

from datetime import datetime, timedelta

from django.db.models import F

from reminders.clinic.models import TreatmentSession
from reminders.core.states import MessageState
from reminders.messaging.models import OutboxRow

# A plan task that was not lost has run long before this.
PLAN_AFTER = timedelta(seconds=10)
# Among so many of the sessions that owe a plan some are chosen.
NEWEST = 10_000


def unplanned(*, now: datetime, limit: int = 1000) -> list[int]:
    """Return sessions that still owe a plan for their newest revision.

    In no order: sessions that cannot be planned, for want of a text, must not stand before those that can.
    """
    owed = TreatmentSession.objects.exclude(planned_revision=F("revision")).filter(updated_at__lte=now - PLAN_AFTER)
    # The newest of them come off their own index, however many sessions there are.
    newest = owed.order_by("-updated_at").values("pk")[:NEWEST]
    return list(TreatmentSession.objects.filter(pk__in=newest).order_by("?").values_list("pk", flat=True)[:limit])


def next_due_at(*, after: datetime | None = None) -> datetime | None:
    """Return when the next waiting message is due, of those due later than `after`; None where nothing waits."""
    waiting = OutboxRow.objects.filter(state=MessageState.SCHEDULED)
    if after is not None:
        waiting = waiting.filter(due_at__gt=after)
    return waiting.order_by("due_at").values_list("due_at", flat=True).first()
