"""Who did what, on record."""

from datetime import datetime
from typing import Any

from django.db.models import Model

from reminders.clinic.models import AuditEvent, Clinic, Clinician, Patient


def record(
    *,
    clinic: Clinic,
    actor: AuditEvent.Actor,
    verb: str,
    subject: Model,
    now: datetime,
    clinician: Clinician | None = None,
    patient: Patient | None = None,
    **details: Any,
) -> AuditEvent:
    """Append one event (`verb` in the past tense). Details are codes and numbers only, never names, phones or words."""
    written = event(
        clinic=clinic, actor=actor, verb=verb, subject=subject, now=now, clinician=clinician, patient=patient, **details
    )
    written.save(force_insert=True)
    return written


def event(
    *,
    clinic: Clinic,
    actor: AuditEvent.Actor,
    verb: str,
    subject: Model,
    now: datetime,
    clinician: Clinician | None = None,
    patient: Patient | None = None,
    **details: Any,
) -> AuditEvent:
    """Return the event that `record` would append, for a caller that writes several at once."""
    return AuditEvent(
        clinic=clinic,
        at=now,
        actor=actor,
        clinician=clinician,
        verb=verb,
        subject=subject._meta.model_name or "",
        subject_id=subject.pk,
        patient=patient,
        details=details,
    )
