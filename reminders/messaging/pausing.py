"""Holding back a clinic's texts to patients, and letting them go on."""

from datetime import datetime

from django.db import transaction

from reminders.clinic import audit
from reminders.clinic.models import AuditEvent, Clinic, Clinician
from reminders.messaging.compose import announce


def set_paused(*, clinic: Clinic, paused: bool, clinician: Clinician, now: datetime) -> bool:
    """Hold back what is planned for patients, or let it go on, on record; return False where it was so already.

    Emergency answers, confirmations of STOP and calls to staff leave all the same. What waits past its time expires.
    """
    with transaction.atomic():
        if not Clinic.objects.filter(pk=clinic.pk, is_paused=not paused).update(is_paused=paused):
            return False
        audit.record(
            clinic=clinic,
            actor=AuditEvent.Actor.CLINICIAN,
            clinician=clinician,
            verb="clinic_paused" if paused else "clinic_resumed",
            subject=clinic,
            now=now,
        )
        announce()
    return True
