"""Automatic answers: message rows that are due now, written in the transaction that read the text.

Bounded per phone, because two machines must not talk to each other. What falls under the bound is read by a person.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from reminders.clinic.models import Clinic, Patient
from reminders.clinic.phones import is_e164
from reminders.conversations.models import InboundMessage
from reminders.conversations.wrong_numbers import is_quarantined
from reminders.messaging.certain import certain_words
from reminders.messaging.compose import Link, default_sender, new_message, store
from reminders.messaging.models import Kind, Message, Sender

# The longest sensible exchange (an answer, whose it is, the course, a question, STOP, HELP) takes six within an hour,
# and a patient who has had twelve on one day needs a person, not a thirteenth. Emergency answers have a bound of their
# own: whoever got ten within an hour has it, and a machine that echoes ours must not get one for ever. People are rung
# for every danger sign, whatever is bounded here.
PER_HOUR, PER_DAY, EMERGENCIES_PER_HOUR = 6, 12, 10
# What a quarantined phone still gets: what the law or a life asks for, and one word of thanks.
_DESPITE_QUARANTINE = frozenset({"wrong_number"})


def answer(
    *,
    inbound: InboundMessage,
    key: str,
    now: datetime,
    kind: Kind = Kind.REPLY,
    patient: Patient | None = None,
    language: str = "",
    values: Mapping[str, object] | None = None,
) -> Message | None:
    """Answer a text once with the text `key`, from the number it was written to.

    `language` is the one they wrote in, where it is known; else it is the patient's, else the clinic's. The same text
    is never answered twice with the same key, however often its task runs. Returns None where there is no clinic, or
    no phone that could read an answer: a short code is a machine, and machines are not talked to. Nor is a phone that
    is the wrong one, or that has had as many answers as anybody needs: then the text is put before a person.
    """
    clinic = inbound.clinic
    if clinic is None or not is_e164(inbound.from_number):
        return None
    may_be_wrong = kind is Kind.REPLY and key not in _DESPITE_QUARANTINE
    if may_be_wrong and is_quarantined(clinic=clinic, number=inbound.from_number):
        return None
    if _has_had_enough(inbound, clinic, kind, key, now):
        if not inbound.inbox:
            inbound.inbox, inbound.inbox_reason = InboundMessage.Inbox.OPEN, "many_texts"
        return None
    sender = Sender.objects.filter(number=inbound.to_number, clinic=clinic).first() or default_sender(clinic=clinic)
    words = certain_words(
        clinic=clinic,
        key=key,
        language=language or (patient.language if patient else clinic.language),
        values=values or {},
    )
    return store(
        new_message(
            clinic=clinic,
            kind=kind,
            words=words,
            sender=sender,
            to_number=inbound.from_number,
            due_at=now,
            now=now,
            link=Link(patient=patient, clinician=inbound.clinician, in_reply_to_id=inbound.pk),
            dedupe_key=f"inbound:{inbound.pk}:{key}",
        )
    )


def _has_had_enough(inbound: InboundMessage, clinic: Clinic, kind: Kind, key: str, now: datetime) -> bool:
    """Tell whether the phone has had all the answers it can need; the opt-out's confirmation may exceed the hour's."""
    answers = Message.objects.filter(
        in_reply_to__clinic=clinic,
        in_reply_to__from_number=inbound.from_number,
        in_reply_to__received_at__gt=now - timedelta(days=1),
        created_at__gt=now - timedelta(days=1),
    )
    if kind is Kind.EMERGENCY:
        emergencies = answers.filter(kind=Kind.EMERGENCY, created_at__gt=now - timedelta(hours=1))
        return emergencies.count() >= EMERGENCIES_PER_HOUR
    times = answers.exclude(kind=Kind.EMERGENCY).values_list("created_at", flat=True)
    ages = [now - at for at in times]
    within_hour = sum(age < timedelta(hours=1) for age in ages)
    return len(ages) >= PER_DAY or (within_hour >= PER_HOUR and key != "opt_out_confirmed")
