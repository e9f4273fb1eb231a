"""The first text of a new clinic: to a phone of its own, by the way that all texts take."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import QuerySet

from reminders.clinic import audit
from reminders.clinic.errors import ConflictError
from reminders.clinic.models import AuditEvent, Clinic, Clinician, PatientPhone
from reminders.clinic.phones import parse_phone
from reminders.clinic.turns import take_turn
from reminders.core.quiet_hours import QuietWindow, next_open
from reminders.messaging.compose import Link, Words, new_message, store
from reminders.messaging.models import ConsentRule, Kind, Message, Sender
from reminders.messaging.sending_again import problem_with_the_phone

MOST_AN_HOUR: Final = 10
"""Test texts of one number in an hour: enough to find out what is wrong, too few to annoy anybody."""

SHOWN: Final = 5
_VERB: Final = "sender_tested"
WORDS: Final = "{name}: a test. Texts from this number arrive. There is nothing to do."


def write_test(
    *, sender: Sender, number: str, clinician: Clinician, now: datetime, key: UUID, words: str = ""
) -> Message:
    """Store a test text to `number`, as typed, on record; the same `key` again returns the row that stands.

    It says `words`, or that it is a test where none are given.

    To a phone of the clinic's staff it leaves at once; anybody else's is left alone in quiet hours, by the clinic's
    clock. Raises PhoneError for what cannot be texted, and ConflictError for a patient's number, one that ended the
    texts, and too many tests within an hour; then nothing is stored.
    """
    clinic, phone = sender.clinic, parse_phone(number)
    with transaction.atomic():
        take_turn(clinic=clinic, topic="test_texts")
        dedupe_key = f"test:{clinician.pk}:{key}"
        standing = Message.objects.filter(clinic=clinic, dedupe_key=dedupe_key).first()
        if standing is not None:
            return standing
        message = _build(sender, phone, clinician, now, dedupe_key, words or WORDS.format(name=clinic.name))
        _check(message, phone, now)
        stored = store(message)
        audit.record(
            clinic=clinic,
            actor=AuditEvent.Actor.CLINICIAN,
            clinician=clinician,
            verb=_VERB,
            subject=sender,
            now=now,
            message_id=stored.pk,
        )
    return stored


def newest_tests(*, clinic: Clinic) -> list[Message]:
    """Return the clinic's newest test texts with their senders, newest first, at most `SHOWN`."""
    # By way of the record of the numbers, which is short: the table of texts grows for ever.
    senders = list(clinic.senders.values_list("pk", flat=True))
    tests = _tests(senders).order_by("-at", "-id")[:SHOWN]
    ids = [event.details["message_id"] for event in tests]
    rows = Message.objects.select_related("sender", "clinician").in_bulk(ids)
    return [rows[one] for one in ids if one in rows]


def _build(sender: Sender, phone: str, clinician: Clinician, now: datetime, dedupe_key: str, words: str) -> Message:
    clinic = sender.clinic
    is_ours = Clinician.objects.filter(clinic=clinic, is_active=True, phone=phone).exists()
    quiet = QuietWindow(clinic.quiet_start, clinic.quiet_end)
    message = new_message(
        clinic=clinic,
        kind=Kind.PERSONAL,
        words=Words(words, None, "en"),
        sender=sender,
        to_number=phone,
        due_at=now if is_ours else next_open(at=now, zone=ZoneInfo(clinic.timezone), quiet=quiet),
        now=now,
        link=Link(clinician=clinician),
        dedupe_key=dedupe_key,
    )
    message.consent_rule, message.quiet_exempt = ConsentRule.NOT_REVOKED, is_ours
    return message


def _check(message: Message, phone: str, now: datetime) -> None:
    if PatientPhone.objects.filter(clinic=message.clinic, number=phone).exists():
        raise ConflictError("A patient has this number: test with a phone of your own.")
    if problem_with_the_phone(message, phone):
        raise ConflictError("This phone ended the texts: text START from it first, or use another one.")
    if _tests([message.sender_id]).filter(at__gt=now - timedelta(hours=1)).count() >= MOST_AN_HOUR:
        raise ConflictError("That was enough tests for an hour. See Delivery for what became of them.")


def _tests(senders: list[int]) -> QuerySet[AuditEvent]:
    return AuditEvent.objects.filter(subject="sender", subject_id__in=senders, verb=_VERB)
