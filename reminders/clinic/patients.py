"""Who an intake is about: the same person again, a new one, or a mix-up that a human has to look at."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Value

from reminders.clinic.errors import Problem
from reminders.clinic.intake import PatientIntake
from reminders.clinic.models import Clinic, Clinician, Patient, PatientPhone, ScreeningRecord
from reminders.clinic.selectors import newest_screening
from reminders.core.advice import SCREENING_FACTS

_OTHER_PERSON = (
    "This patient id is on file with another name and another phone: check the id, or correct the patient first."
)
_OTHER_ID = (
    "A patient with this name and phone is on file under another id: use that id, or give both their dates of birth."
)
_MAY_BE_EMPTY = frozenset({"external_id", "family_name", "birth_date"})
_SEVERAL = "Several patients share this name and phone: give the patient's external id or date of birth."


@dataclass(frozen=True, slots=True)
class Match:
    """The patient on file, or None for a new one; with a problem where nobody can tell."""

    patient: Patient | None
    problem: Problem | None = None


def match_patient(*, clinic: Clinic, intake: PatientIntake, on_file: Patient | None = None) -> Match:
    """Find the patient an intake is about: by external id, as the one `on_file` with the session, by phone and name.

    A couple may share a phone; two dates of birth that differ tell father from son. Changes nothing.
    """
    known, on_this_phone = _on_file(clinic, intake)
    if known is not None:
        return Match(known) if _may_be(known, intake) else Match(None, _duplicate(_OTHER_PERSON))
    if on_file is not None and not (on_file.external_id and intake.external_id) and _may_be(on_file, intake):
        return Match(on_file)
    namesakes = [
        patient
        for patient in on_this_phone
        if _same_name(patient, intake) and not _differ(patient.birth_date, intake.birth_date)
    ]
    if intake.external_id and any(patient.external_id for patient in namesakes):
        return Match(None, _duplicate(_OTHER_ID))
    if len(namesakes) > 1:
        return Match(None, _duplicate(_SEVERAL))
    return Match(namesakes[0] if namesakes else None)


def create_patient(*, clinic: Clinic, intake: PatientIntake, now: datetime) -> Patient:
    """Store a new patient with their phone; language and zone are the clinic's where the intake says nothing."""
    patient = Patient.objects.create(
        clinic=clinic,
        external_id=intake.external_id,
        given_name=intake.given_name,
        family_name=intake.family_name,
        birth_date=intake.birth_date,
        language=intake.language or clinic.language,
        timezone=intake.timezone or clinic.timezone,
        created_at=now,
    )
    PatientPhone.objects.create(clinic=clinic, patient=patient, number=intake.phone)
    return patient


def update_patient(*, patient: Patient, intake: PatientIntake, may_empty: bool = False) -> list[str]:
    """Take over what the intake states differently and return the names of the changed fields.

    What the intake leaves empty stays as it is, unless `may_empty`: then record number, family name and date of birth
    are emptied. Another phone becomes the primary one; the old one is kept.
    """
    stated = {
        "external_id": intake.external_id,
        "given_name": intake.given_name,
        "family_name": intake.family_name,
        "birth_date": intake.birth_date,
        "language": intake.language,
        "timezone": intake.timezone,
    }
    emptied = _MAY_BE_EMPTY if may_empty else frozenset()
    changed = [
        field for field, value in stated.items() if (value or field in emptied) and getattr(patient, field) != value
    ]
    for field in changed:
        setattr(patient, field, stated[field])
    if changed:
        patient.save(update_fields=changed)
    if not PatientPhone.objects.filter(patient=patient, number=intake.phone, is_primary=True).exists():
        # One after the other: at most one phone of a patient may be primary at any moment.
        PatientPhone.objects.filter(patient=patient, is_primary=True).update(is_primary=False)
        PatientPhone.objects.update_or_create(
            patient=patient,
            number=intake.phone,
            defaults={"is_primary": True},
            create_defaults={"is_primary": True, "clinic": patient.clinic},
        )
        changed.append("phone")
    return changed


def record_screening(
    *,
    patient: Patient,
    answers: Mapping[str, bool | None],
    now: datetime,
    clinician: Clinician | None = None,
    is_new: bool = False,
) -> bool:
    """Append a screening where it differs from the newest one; return whether a row was added.

    A patient who `is_new` to this transaction has none. An unknown answer never takes back an earlier yes: a risk that
    was once told stays until somebody says no.
    """
    before = None if is_new else newest_screening(patient=patient)
    told = {fact: getattr(before, fact) if before else None for fact in SCREENING_FACTS}
    facts = dict(answers)
    facts.update({fact: True for fact in SCREENING_FACTS if told[fact] and answers.get(fact) is None})
    if before is not None and facts == told:
        return False
    ScreeningRecord.objects.create(
        clinic=patient.clinic, patient=patient, recorded_at=now, recorded_by=clinician, **facts
    )
    return True


def _on_file(clinic: Clinic, intake: PatientIntake) -> tuple[Patient | None, list[Patient]]:
    """Return who has this external id, and all who have this phone, asked for in one go."""
    here = Patient.objects.filter(clinic=clinic)
    on_this_phone = here.filter(phones__number=intake.phone).annotate(found_by=Value("phone"))
    if not intake.external_id:
        return None, list(on_this_phone.order_by("id"))
    with_this_id = here.filter(external_id=intake.external_id).annotate(found_by=Value("id"))
    found = list(with_this_id.union(on_this_phone, all=True).order_by("id"))
    known = next((patient for patient in found if patient.found_by == "id"), None)
    return known, [patient for patient in found if patient.found_by == "phone"]


def _duplicate(sentence: str) -> Problem:
    return Problem("patient_external_id", "duplicate_patient", sentence)


def _may_be(known: Patient, intake: PatientIntake) -> bool:
    """Allow a new name or a new phone, never both at once: a mixed-up id would text one patient about another."""
    if _same_name(known, intake):
        return True
    same_phone = PatientPhone.objects.filter(patient=known, number=intake.phone).exists()
    return same_phone and not _differ(known.birth_date, intake.birth_date)


def _same_name(patient: Patient, intake: PatientIntake) -> bool:
    """Compare full names as ears do: without case, accents, signs and the order of the parts."""
    names = (f"{person.given_name} {person.family_name}" for person in (patient, intake))
    one, other = (sorted(_plain(name).split()) for name in names)
    return one == other


def _plain(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter if letter.isalnum() else " " for letter in letters if not unicodedata.combining(letter))


def _differ(one: date | None, other: date | None) -> bool:
    return one is not None and other is not None and one != other
