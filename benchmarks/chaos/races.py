"""STOP, void and cancel, each at about the moment at which its text leaves."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from django.db import OperationalError, connections, transaction

from benchmarks.chaos.field import Field
from reminders.clinic.models import AuditEvent, ConsentRecord
from reminders.clinic.services import void_treatment_session
from reminders.messaging.cancelling import take_back
from reminders.messaging.models import Kind, Message

STOP_AROUND_SECONDS = 0.3


def race_the_commit_point(field: Field, name: str) -> None:
    """STOP, void and cancel of each row at about the moment at which it leaves."""
    wave = field.open_wave(name)
    with ThreadPoolExecutor(max_workers=12) as hands:
        for text in wave.texts:
            at = text.due_at.timestamp() + field.rng.uniform(-STOP_AROUND_SECONDS, STOP_AROUND_SECONDS)
            # An emergency answer is no part of the course that a void takes back.
            way = field.rng.choice((_stop, _void, _cancel) if text.kind == Kind.ADVICE else (_stop, _cancel))
            hands.submit(_at_the_moment, field, way, text, at)
    field.rest()


def _at_the_moment(field: Field, way: Callable[[Field, Message], None], text: Message, at: float) -> None:
    time.sleep(max(0.0, at - time.time()))
    try:
        way(field, text)
        field.taken_back[text.pk] = time.time()
    except (ValueError, OSError, OperationalError) as error:
        field.say(f"{way.__name__} of row {text.pk} did not happen: {error}")
    finally:
        connections.close_all()


def _stop(field: Field, text: Message) -> None:
    field.carrier.text(sender=text.to_number, to=text.sender.number, body="STOP")
    if not ConsentRecord.objects.filter(number=text.to_number, decision=ConsentRecord.Decision.REVOKED).exists():
        raise ValueError("the product did not take the STOP, and the carrier was told so")


def _void(_field: Field, text: Message) -> None:
    visit = text.treatment_session
    if visit is not None:
        void_treatment_session(treatment_session=visit, actor=AuditEvent.Actor.SYSTEM, now=datetime.now(UTC))


def _cancel(_field: Field, text: Message) -> None:
    with transaction.atomic():
        take_back(Message.objects.filter(pk=text.pk), reason="chaos", now=datetime.now(UTC))
