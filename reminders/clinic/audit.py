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
    return AuditEvent.objects.create(
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
