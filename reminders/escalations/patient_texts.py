"""Telling the person behind a case how it stands with the people who were called."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import structlog

from reminders.clinic.consent import REVOKED, newest_decision
from reminders.clinic.models import Clinician, PatientPhone
from reminders.clinic.phones import is_e164
from reminders.content.errors import MissingTextError
from reminders.escalations.cases import record
from reminders.escalations.models import Escalation
from reminders.messaging.certain import certain_words
from reminders.messaging.compose import Link, default_sender, new_message, store
from reminders.messaging.models import Kind, Message

log = structlog.get_logger(__name__)

CALL_ANNOUNCED: Final = "call_announced"


@dataclass(frozen=True, slots=True)
class CallPromise:
    """Who of the clinic will call the patient, and by when (aware)."""

    caller: Clinician
    by: datetime


def text_patient(
    *,
    escalation: Escalation,
    key: str,
    kind: Kind,
    now: datetime,
    values: dict[str, object] | None = None,
    which: str = "",
) -> Message | None:
    """Write the text `key` to the phone that the case is about; None where there is no such phone.

    Once per case, or once per case and `which`. A missing text is logged and never stops what the caller does.
    """
    number = number_of(escalation)
    if number is None:
        return None
    clinic, patient = escalation.clinic, escalation.patient
    try:
        words = certain_words(clinic=clinic, key=key, language=language_of(escalation), values=values or {})
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
            dedupe_key=":".join(part for part in (f"escalation:{escalation.pk}:{key}", which) if part),
        )
    )


def promise_call(*, escalation: Escalation, promise: CallPromise, clinician: Clinician, now: datetime) -> bool:
    """Tell the patient who will call and by when, on record; False where they opted out or there is no phone."""
    if is_opted_out(escalation=escalation):
        return False
    zone = ZoneInfo(escalation.patient.timezone if escalation.patient else escalation.clinic.timezone)
    told = text_patient(
        escalation=escalation,
        key=CALL_ANNOUNCED,
        kind=Kind.REPLY,
        now=now,
        values={
            "caller_name": promise.caller.display_name,
            "call_time": call_time(promise.by.astimezone(zone), language_of(escalation)),
        },
        which=f"{int(promise.by.timestamp())}",
    )
    if told is None:
        return False
    record(
        escalation,
        "patient_told",
        now,
        clinician=clinician,
        clinician_id=promise.caller.pk,
        by=promise.by.isoformat(),
    )
    return True


def call_time(local: datetime, language: str) -> str:
    """Return an hour as it stands after "by" in English and after "antes de" in Spanish."""
    wall = local.strftime("%-I:%M %p")
    if language != "es":
        return wall
    return f"la {wall}" if local.hour % 12 == 1 else f"las {wall}"


def is_opted_out(*, escalation: Escalation) -> bool:
    """Tell whether the phone of the case has opted out of texts."""
    number = number_of(escalation)
    newest = newest_decision(escalation.clinic, number) if number else None
    return newest is not None and newest.decision == REVOKED


def language_of(escalation: Escalation) -> str:
    """Return the language the person of the case reads; the clinic's where nobody knows them."""
    return escalation.patient.language if escalation.patient else escalation.clinic.language


def number_of(escalation: Escalation) -> str | None:
    """Return the phone that wrote the text of the case, else the patient's own; None where texts reach neither."""
    if escalation.inbound is not None:
        return escalation.inbound.from_number if is_e164(escalation.inbound.from_number) else None
    phone = PatientPhone.objects.filter(patient=escalation.patient, is_primary=True).first()
    return phone.number if phone else None
