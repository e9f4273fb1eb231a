"""Telling the person behind a case how it stands with the people who were called."""

from datetime import datetime

import structlog

from reminders.clinic.models import PatientPhone
from reminders.clinic.phones import is_e164
from reminders.content.errors import MissingTextError
from reminders.escalations.models import Escalation
from reminders.messaging.certain import certain_words
from reminders.messaging.compose import Link, default_sender, new_message, store
from reminders.messaging.models import Kind, Message

log = structlog.get_logger(__name__)


def text_patient(*, escalation: Escalation, key: str, kind: Kind, now: datetime) -> Message | None:
    """Write the text `key` to the phone that the case is about, once per case; None where there is no such phone.

    A missing text is logged and never stops what the caller does for the case.
    """
    number = _number(escalation)
    if number is None:
        return None
    clinic, patient = escalation.clinic, escalation.patient
    try:
        words = certain_words(
            clinic=clinic, key=key, language=patient.language if patient else clinic.language, values={}
        )
    except MissingTextError:
        log.error("patient_not_told", clinic_id=clinic.pk, escalation_id=escalation.pk, key=key)
        return None
    return store(
        new_message(
            clinic=clinic,
            kind=kind,
            words=words,
            sender=default_sender(clinic=clinic),
            to_number=number,
            due_at=now,
            now=now,
            link=Link(patient=patient, treatment_session=escalation.treatment_session, escalation_id=escalation.pk),
            dedupe_key=f"escalation:{escalation.pk}:{key}",
        )
    )


def _number(escalation: Escalation) -> str | None:
    """Return the phone that wrote the text of the case, else the patient's own."""
    if escalation.inbound is not None:
        return escalation.inbound.from_number if is_e164(escalation.inbound.from_number) else None
    phone = PatientPhone.objects.filter(patient=escalation.patient, is_primary=True).first()
    return phone.number if phone else None
