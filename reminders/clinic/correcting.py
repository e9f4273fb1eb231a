"""Correcting what is on file about a patient, by hand."""

import json
from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.utils.crypto import salted_hmac

from reminders.clinic import audit
from reminders.clinic.errors import ConflictError, InvalidInputError, Problem
from reminders.clinic.intake import PatientIntake
from reminders.clinic.models import AuditEvent, Clinician, Patient
from reminders.clinic.patients import record_screening, update_patient
from reminders.clinic.revising import FACTS_IN_TEXTS, revise_running
from reminders.clinic.selectors import screening_answers
from reminders.clinic.turns import take_turn

_CHANGED_MEANWHILE = (
    "Somebody changed this patient while you were typing: look at what is on file now, then save again."
)
_ID_TAKEN = "Another patient has this record number: check it, or bring the two together if they are one person."


def state_of(patient: Patient) -> str:
    """Return a keyed mark of all that a correction may change; it differs as soon as anything of it does."""
    phones = sorted(patient.phones.values_list("number", "is_primary"))
    screening = screening_answers(patient=patient)
    held = [
        patient.given_name, patient.family_name, patient.external_id, patient.birth_date, patient.language,
        patient.timezone, phones, screening and repr(screening),
    ]  # fmt: skip
    return salted_hmac("reminders.patient", json.dumps(held, default=str), algorithm="sha256").hexdigest()[:32]


def correct_patient(
    *,
    patient: Patient,
    stated: PatientIntake,
    screening: Mapping[str, bool | None],
    seen: str,
    clinician: Clinician,
    now: datetime,
) -> list[str]:
    """Put what was stated in the place of what is on file, on record; return the names of what changed.

    Running courses are planned anew where a text would differ. `seen` is the `state_of` the patient as it was shown:
    raises ConflictError where it has changed since. Raises InvalidInputError where another patient has the record
    number. Then nothing is stored. A screening answer that is left unknown does not take back an earlier yes.
    """
    with transaction.atomic():
        take_turn(clinic=patient.clinic, topic="intake")
        # Whoever stores a row about the patient meanwhile need not wait.
        held = Patient.objects.select_for_update(of=("self",), no_key=True).select_related("clinic").get(pk=patient.pk)
        if state_of(held) != seen:
            raise ConflictError(_CHANGED_MEANWHILE)
        same_id = Patient.objects.filter(clinic=held.clinic, external_id=stated.external_id).exclude(pk=held.pk)
        if stated.external_id and same_id.exists():
            raise InvalidInputError([Problem("patient_external_id", "duplicate_patient", _ID_TAKEN)])
        changed = update_patient(patient=held, intake=stated, may_empty=True)
        if record_screening(patient=held, answers=screening, now=now, clinician=clinician):
            changed.append("screening")
        if changed:
            audit.record(
                clinic=held.clinic,
                actor=AuditEvent.Actor.CLINICIAN,
                clinician=clinician,
                verb="patient_corrected",
                subject=held,
                patient=held,
                now=now,
                fields=changed,
            )
        if FACTS_IN_TEXTS.intersection(changed):
            revise_running(patient=held, now=now)
    return changed
