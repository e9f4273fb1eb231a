"""Automatic answers: message rows that are due now, written in the transaction that read the text."""

from collections.abc import Mapping
from datetime import datetime

from reminders.clinic.models import Patient
from reminders.clinic.phones import is_e164
from reminders.conversations.models import InboundMessage
from reminders.messaging.certain import certain_words
from reminders.messaging.compose import Link, default_sender, new_message, store
from reminders.messaging.models import Kind, Message, Sender


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
    no phone that could read an answer: a short code is a machine, and machines are not talked to.
    """
    clinic = inbound.clinic
    if clinic is None or not is_e164(inbound.from_number):
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
