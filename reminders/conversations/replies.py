"""Automatic answers: message rows that are due now, written in the transaction that read the text."""

from collections.abc import Mapping
from datetime import datetime

from reminders.clinic.models import Patient
from reminders.conversations.models import InboundMessage
from reminders.messaging.compose import Link, default_sender, new_message, store, words_for
from reminders.messaging.models import ConsentRule, Kind, Message, Sender


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
    """Answer a text once with the text `key`, from the number it was written to; None where no clinic is known.

    The same text is never answered twice with the same key, however often its task runs.
    """
    clinic = inbound.clinic
    if clinic is None:
        return None
    sender = Sender.objects.filter(number=inbound.to_number, clinic=clinic).first() or default_sender(clinic=clinic)
    message = new_message(
        clinic=clinic,
        kind=kind,
        words=words_for(
            clinic=clinic,
            key=key,
            language=language or (patient.language if patient else clinic.language),
            values=values or {},
        ),
        sender=sender,
        to_number=inbound.from_number,
        due_at=now,
        now=now,
        link=Link(patient=patient, clinician=inbound.clinician, in_reply_to_id=inbound.pk),
        dedupe_key=f"inbound:{inbound.pk}:{key}",
    )
    if kind is Kind.EMERGENCY and clinic.emergency_text_after_opt_out:
        message.consent_rule = ConsentRule.NONE
    return store(message)
