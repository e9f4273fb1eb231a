"""Patients, what they agreed to, and their visits."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from reminders.clinic.models import Clinic, ConsentRecord, Patient, PatientPhone, ScreeningRecord, TreatmentSession
from reminders.core.advice import SCREENING_FACTS
from tests.factories.fresh import moment, new_phone, numbers

DISCLOSURE: Final = "The clinic may text me after a treatment. Message and data rates may apply. Reply STOP to end."
NOTHING_TO_REPORT: Final = dict.fromkeys(SCREENING_FACTS, False)


def make_patient(
    *,
    clinic: Clinic,
    given_name: str = "Dana",
    family_name: str = "Reyes",
    phone: str = "",
    consented: bool = True,
    screening: Mapping[str, bool | None] | None = NOTHING_TO_REPORT,
    now: datetime | None = None,
    **fields: Any,
) -> Patient:
    """A patient with one phone, who agreed to texts and was screened (`screening=None`: nobody asked)."""
    at = moment(now) - timedelta(days=30)
    patient = Patient.objects.create(
        **{
            "clinic": clinic,
            "given_name": given_name,
            "family_name": family_name,
            "external_id": f"P-{next(numbers):05d}",
            "timezone": clinic.timezone,
            "created_at": at,
            **fields,
        }
    )
    number = phone or new_phone()
    PatientPhone.objects.create(clinic=clinic, patient=patient, number=number)
    if consented:
        make_consent(patient=patient, now=at)
    if screening is not None:
        ScreeningRecord.objects.create(clinic=clinic, patient=patient, recorded_at=at, **screening)
    return patient


def phone_of(patient: Patient) -> str:
    """The patient's primary number."""
    return patient.phones.get(is_primary=True).number


def make_consent(
    *, patient: Patient, decision: str = "granted", method: str = "paper_form", now: datetime | None = None
) -> ConsentRecord:
    """One dated decision about the patient's primary number."""
    return ConsentRecord.objects.create(
        clinic=patient.clinic,
        patient=patient,
        number=phone_of(patient),
        decision=decision,
        method=method,
        disclosure=DISCLOSURE if decision == "granted" else "",
        recorded_at=moment(now),
    )


def make_treatment_session(
    *, patient: Patient, ended_at: datetime | None = None, now: datetime | None = None, **fields: Any
) -> TreatmentSession:
    """A finished visit that ended an hour ago, unless told otherwise."""
    at = moment(now)
    return TreatmentSession.objects.create(
        **{
            "clinic": patient.clinic,
            "patient": patient,
            "external_id": f"S-{next(numbers):05d}",
            "technique": "deep",
            "regions": ["shoulder"],
            "ended_at": ended_at or at - timedelta(hours=1),
            "soreness_before": 5,
            "soreness_after": 3,
            "created_at": at,
            "updated_at": at,
            **fields,
        }
    )
