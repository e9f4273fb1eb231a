"""What the product's rows say of its messages: the only place here that knows how the engine keeps them."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime

from reminders.core.states import DROPPED, REACHED_CARRIER, MessageState
from reminders.messaging.models import DeliveryAttempt, Message, OutboxRow, UnknownPolicy

OPEN = (MessageState.SCHEDULED, MessageState.CLAIMED, MessageState.SENDING, MessageState.AMBIGUOUS)
UNSENT = (MessageState.SCHEDULED, MessageState.CLAIMED)
FELL_SHORT = (MessageState.UNDELIVERED, MessageState.FAILED)
"""The carrier has taken it, and it did not arrive."""
REACHED = (*REACHED_CARRIER, *FELL_SHORT)


def is_open(message: Message) -> bool:
    """True where the row has not come to its end."""
    return message.state in OPEN


def is_dropped(message: Message) -> bool:
    """True where the row says that it never left, with a reason."""
    return message.state in DROPPED


def has_reached(message: Message) -> bool:
    """True where the row says that the carrier has taken it."""
    return message.state in REACHED


def waits_for_evidence(message: Message) -> bool:
    """True where its policy is never to send twice."""
    return message.unknown_policy == UnknownPolicy.SETTLE


def open_and_due(*, now: datetime) -> list[int]:
    """Return the rows that are due and have not come to their end."""
    return list(OutboxRow.objects.filter(state__in=OPEN, due_at__lte=now).values_list("pk", flat=True))


def next_due_at(now: datetime) -> datetime | None:
    """Return when the next row that waits is due, among those that are not due yet."""
    waiting = OutboxRow.objects.filter(state=MessageState.SCHEDULED, due_at__gt=now)
    return waiting.order_by("due_at").values_list("due_at", flat=True).first()


def open_by_id() -> dict[int, tuple[str, str]]:
    """Return every row that has not come to its end: its state and its public id."""
    found = OutboxRow.objects.filter(state__in=OPEN).values_list("pk", "state", "message__public_id")
    return {pk: (state, str(public_id)) for pk, state, public_id in found}


def is_anything_in_state(ids: Collection[int], *states: MessageState) -> bool:
    """True where one of these rows is in one of these states."""
    return Message.objects.filter(pk__in=ids, state__in=states).exists()


def is_anything_untried(ids: Collection[int], *, now: datetime) -> bool:
    """True where one of these rows is due and no try of it has begun."""
    return OutboxRow.objects.filter(pk__in=ids, due_at__lte=now, attempts=0, state__in=UNSENT).exists()


def describe(ids: Sequence[int]) -> str:
    """Return the first twenty of these rows in words."""
    found = Message.objects.filter(pk__in=ids).values_list("dedupe_key", "state", "reason")[:20]
    return "; ".join(f"{key} {state} {reason}" for key, state, reason in found)


def tries_by_row() -> dict[int, list[str]]:
    """Return what each try at the carrier came to, by row."""
    tries: defaultdict[int, list[str]] = defaultdict(list)
    for pk, outcome in DeliveryAttempt.objects.order_by("number").values_list("message_id", "outcome"):
        tries[pk].append(outcome)
    return tries


def all_rows() -> Sequence[Message]:
    """Return every row, with what judging it needs."""
    return list(Message.objects.select_related("patient", "clinic", "treatment_session").order_by("id"))
