"""What the carrier took and could not deliver is tried once more, as a new text in the place of the old one.

One time and no more: what took another's place already, by us or by a person, has none after it. The old one keeps the
carrier's word; should its receipt come after all, the new one is taken back while it has not left (`status`).
"""

import time
from datetime import datetime, timedelta
from typing import Final

import structlog
from django.db import transaction
from django.db.models import Max, QuerySet
from django.db.models.expressions import RawSQL

from reminders.clinic import audit
from reminders.clinic.models import AuditEvent
from reminders.core.second_attempts import second_attempt_at, waits_for_its_sender
from reminders.core.states import DROPPED, CheckInState, MessageState
from reminders.logs import place_of
from reminders.messaging.cancelling import COURSE
from reminders.messaging.compose import announce
from reminders.messaging.models import PRIORITY, QUESTIONS, AftercarePlan, Kind, Message, Sender
from reminders.messaging.rounds import Stretch, pass_by
from reminders.messaging.sending_again import (
    copy_of,
    lock_cause,
    number_for,
    problem_with_the_cause,
    problem_with_the_phone,
)

log = structlog.get_logger(__name__)

SECOND_ATTEMPT: Final = "second_attempt"
KEY: Final = "second:"
FELL_AWAY: Final = (MessageState.UNDELIVERED, MessageState.FAILED)
# Notices to staff ring on by themselves; a confirmation must leave within 5 minutes or not at all.
KINDS: Final = (*COURSE, Kind.REPLY, Kind.PERSONAL, Kind.EMERGENCY)
LOOKED_AT_AFTER: Final = (
    *(timedelta(minutes=1), timedelta(minutes=15), timedelta(hours=1)),
    *(timedelta(hours=3), timedelta(hours=8)),
)
"""The first look decides about most. The later ones are for senders that were put right meanwhile."""
SENDER_SEEN_WITHIN: Final = timedelta(hours=1)
STEP: Final = 20
ROUND_SECONDS: Final = 2.0
"""Whoever calls it has ladders to ring as well."""


def make_second_attempts(*, now: datetime, within_seconds: float = ROUND_SECONDS) -> int:
    """Write a second attempt for each failed text that deserves one; return how many.

    Any number may run at once; a text that fails for its sender's fault waits until that sender is seen to work. What
    the time does not suffice for is left to the next call.
    """
    made = 0
    last_seen: dict[int, datetime | None] = {}
    began = time.monotonic()
    for behind in LOOKED_AT_AFTER:
        name = f"failed_{behind // timedelta(minutes=1)}"
        while time.monotonic() - began < within_seconds:
            stretch = pass_by(name=name, behind=behind, among=_failed(now), now=now, limit=STEP)
            if stretch is None:
                break
            made += sum(_decide(message, now, last_seen) for message in _found(stretch, now))
    return made


def _found(stretch: Stretch, now: datetime) -> QuerySet[Message]:
    return _failed(now).filter(pk__in=stretch.found).select_related("clinic").order_by("id")


def _decide(message: Message, now: datetime, last_seen: dict[int, datetime | None]) -> bool:
    try:
        return _is_worth_it(message, now, last_seen) and _try_once_more(message, now)
    except Exception as error:  # noqa: BLE001  # one broken text must not keep the others
        log.error("no_second_attempt", message_id=message.pk, kind=type(error).__name__, where=place_of(error))
        return False


def is_second_attempt(message: Message) -> bool:
    """Tell whether this text took another's place because that one failed, and not by somebody's decision."""
    return message.sends_again_id is not None and message.dedupe_key.startswith(KEY)


def _failed(now: datetime) -> QuerySet[Message]:
    return Message.objects.filter(
        state__in=FELL_AWAY,
        channel="sms",
        kind__in=KINDS,
        error_code__isnull=False,
        expires_at__gt=now,
        sends_again__isnull=True,
        sent_again_as__isnull=True,
    )


def _is_worth_it(message: Message, now: datetime, last_seen: dict[int, datetime | None]) -> bool:
    """Tell whether the cause may have passed; `last_seen` keeps what was found out about senders."""
    if _try_at(message) is None:
        return False
    if not waits_for_its_sender(message.error_code):
        return True
    if message.sender_id not in last_seen:
        last_seen[message.sender_id] = _last_seen_to_work(message.sender_id, now)
    seen = last_seen[message.sender_id]
    return seen is not None and seen > message.changed_at


def _try_at(message: Message) -> datetime | None:
    return second_attempt_at(
        code=message.error_code,
        failed_at=message.changed_at,
        is_urgent=message.priority == PRIORITY["urgent"],
    )


def _last_seen_to_work(sender_id: int, now: datetime) -> datetime | None:
    """Return when the newest of its texts left that were delivered within the last hour; None while it is held."""
    # Pauses are on the database's unmoved time, as all pacing is.
    held = Sender.objects.filter(pk=sender_id, paused_until__gt=RawSQL("clock_timestamp()", []))
    if held.exists():
        return None
    delivered = Message.objects.filter(
        state=MessageState.DELIVERED, changed_at__gt=now - SENDER_SEEN_WITHIN, sender=sender_id
    )
    newest: datetime | None = delivered.aggregate(newest=Max("accepted_at"))["newest"]
    return newest


@transaction.atomic
def _try_once_more(found: Message, now: datetime) -> bool:
    """Write the new text and its record, unless something has come or stands between; return whether it was written."""
    lock_cause(message_id=found.pk, clinic=found.clinic)
    rows = _failed(now).select_related("clinic", "patient", "plan", "treatment_session")
    message = rows.select_for_update(of=("self",), no_key=True).filter(pk=found.pk).first()
    at = _try_at(message) if message is not None else None
    if message is None or at is None or not _is_still_wanted(message):
        return False
    number = number_for(message)
    if problem_with_the_cause(message) or problem_with_the_phone(message, number):
        return False
    again = copy_of(message, number=number, dedupe_key=f"{KEY}{message.pk}", not_before=max(at, now), now=now)
    if again is None or _a_reminder_comes_first(again):
        return False
    again.reason = SECOND_ATTEMPT
    again.save(force_insert=True)
    audit.record(
        clinic=message.clinic,
        actor=AuditEvent.Actor.SYSTEM,
        verb=SECOND_ATTEMPT,
        subject=message,
        patient=message.patient,
        now=now,
        as_message=again.pk,
        code=message.error_code,
    )
    announce()
    return True


def _is_still_wanted(message: Message) -> bool:
    """Tell whether its plan goes on and, where it asks something, nobody has answered yet."""
    plan = message.plan
    if plan is None:
        return True
    if plan.state not in (AftercarePlan.State.ACTIVE, AftercarePlan.State.WITHHELD):
        return False
    if message.kind == Kind.ADVICE:
        return True
    # Held to the end, so that an answer is before or after this. One that is being decided about is left to a later
    # look: whoever holds it may want the plan that is held here.
    unanswered = plan.check_ins.select_for_update(skip_locked=True, no_key=True).filter(state=CheckInState.OPEN)
    if message.kind in QUESTIONS:
        unanswered = unanswered.filter(message=message)
    return unanswered.first() is not None


def _a_reminder_comes_first(again: Message) -> bool:
    """Tell whether the reminder to answer asks the same before this would."""
    if again.kind != Kind.CHECK_IN or again.plan is None:
        return False
    reminders = again.plan.messages.filter(kind=Kind.NUDGE, due_at__lte=again.due_at)
    return reminders.exclude(state__in=sorted(DROPPED)).exists()
