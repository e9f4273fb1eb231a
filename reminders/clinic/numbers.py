"""What is known of patients' numbers, and taking that back."""

from datetime import datetime

from django.db import transaction

from reminders.clinic import audit
from reminders.clinic.errors import ConflictError
from reminders.clinic.models import AuditEvent, Clinic, Clinician, PatientPhone, PhoneState


def failing_numbers(*, clinic: Clinic, limit: int) -> list[PatientPhone]:
    """Return the patients' phones that texts do not reach, the newest finding first, at most `limit`."""
    rows = PatientPhone.objects.filter(clinic=clinic).exclude(state=PhoneState.OK).select_related("patient")
    return list(rows.order_by("-state_changed_at", "-id")[:limit])


def number_is_fine(*, phone_id: int, clinic: Clinic, clinician: Clinician, now: datetime) -> PatientPhone:
    """Let texts go to this phone of a patient again, on record; what was withheld before stays withheld.

    A refusal by the carrier marks it anew. Raises ConflictError where nothing is wrong with it (any more).
    """
    with transaction.atomic():
        phone = PatientPhone.objects.select_for_update(of=("self",)).get(pk=phone_id, clinic=clinic)
        was = phone.state
        if was == PhoneState.OK:
            raise ConflictError("This number counts as fine already.")
        phone.state, phone.state_changed_at = PhoneState.OK, now
        phone.save(update_fields=["state", "state_changed_at"])
        audit.record(
            clinic=clinic,
            actor=AuditEvent.Actor.CLINICIAN,
            clinician=clinician,
            verb="number_is_fine",
            subject=phone,
            patient=phone.patient,
            now=now,
            was=was,
        )
    return phone
