"""The steps of sending, as the stories tell them."""

from datetime import datetime
from typing import Any

from django.db.models.expressions import RawSQL

from reminders.clinic.models import Patient
from reminders.messaging.claimed import Held
from reminders.messaging.models import Message, OutboxRow
from reminders.messaging.outbox import claim_due, claim_urgent, send_claimed
from tests.factories import make_message
from tests.messaging.carriers import PaperCarrier
from tests.messaging.conftest import NOON


def claimed_text(patient: Patient, **fields: Any) -> tuple[Message, list[Held]]:
    """A text that is due and held by a worker."""
    message = make_message(patient=patient, due_at=NOON, now=NOON, **fields)
    held = claim_all(now=NOON)
    assert [one.id for one in held] == [message.pk]
    return message, held


def claim_all(*, now: datetime) -> list[Held]:
    """Claim what is due, the urgent first, as the scheduler does."""
    return [*claim_urgent(now=now), *claim_due(now=now)]


def send_due(carrier: PaperCarrier, *, now: datetime = NOON) -> int:
    """Claim what is due and send it; return how many creates were asked for."""
    return send_claimed(held=claim_all(now=now), now=now, carrier=carrier)


def end_leases() -> None:
    """Let the leases of all held rows end, as time would."""
    OutboxRow.objects.filter(lease_until__isnull=False).update(
        lease_until=RawSQL("clock_timestamp() - interval '1 second'", [])
    )


def again(message: Message) -> Message:
    """The row as it stands now."""
    return Message.objects.get(pk=message.pk)


def sending_state(message: Message) -> str:
    """Where the message stands in the outbox; empty where it has left it."""
    return OutboxRow.objects.filter(pk=message.pk).values_list("state", flat=True).first() or ""
