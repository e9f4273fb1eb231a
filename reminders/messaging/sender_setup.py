"""Adding a number to text from, and telling how fast the carrier lets it text."""

import re
from datetime import datetime
from typing import Final

from django.db import IntegrityError, transaction

from reminders.clinic import audit
from reminders.clinic.details import DetailError
from reminders.clinic.models import AuditEvent, Clinic, Clinician
from reminders.clinic.phones import parse_own_number
from reminders.messaging.models import Sender

SLOWEST, FASTEST = 0.1, 100.0
"""SMS parts a second that may be set: a campaign on trial is allowed less than one, a short code a hundred."""

_SHORT_CODE: Final = re.compile(r"[1-9][0-9]{4,5}")


def add_sender(*, clinic: Clinic, number: str, pace: float, clinician: Clinician, now: datetime) -> Sender:
    """Give the clinic another number to text from, as typed, on record; `pace` is in SMS parts a second.

    Takes long codes, toll-free numbers and short codes of five or six digits. Raises PhoneError for what is no number,
    and DetailError where it is somebody's already or the pace is out of bounds.
    """
    _check(pace)
    text = number.strip()
    parsed = text if _SHORT_CODE.fullmatch(text) else parse_own_number(text)
    try:
        with transaction.atomic():
            sender = Sender.objects.create(clinic=clinic, number=parsed, parts_per_second=pace)
            _record(sender, clinician, "sender_added", now)
    except IntegrityError:
        raise DetailError("This number is in use already: each can belong to one clinic, once.") from None
    return sender


def change_pace(*, sender: Sender, pace: float, clinician: Clinician, now: datetime) -> bool:
    """Set how many SMS parts a second this number may send, on record; return False where it was so already.

    Raises DetailError where the pace is out of bounds.
    """
    _check(pace)
    with transaction.atomic():
        if not Sender.objects.filter(pk=sender.pk).exclude(parts_per_second=pace).update(parts_per_second=pace):
            return False
        sender.parts_per_second = pace
        _record(sender, clinician, "sender_pace_changed", now)
    return True


def _check(pace: float) -> None:
    # Written so that "not a number" fails it as well.
    if not SLOWEST <= pace <= FASTEST:
        raise DetailError(f"Give {SLOWEST:g} to {FASTEST:g} parts a second, as your carrier allows this number.")


def _record(sender: Sender, clinician: Clinician, verb: str, now: datetime) -> None:
    audit.record(
        clinic=sender.clinic,
        actor=AuditEvent.Actor.CLINICIAN,
        clinician=clinician,
        verb=verb,
        subject=sender,
        now=now,
        pace=sender.parts_per_second,
    )
