"""Two rows that are one person: brought together, so that nobody is texted twice or judged by half a history."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from reminders.clinic import audit, events
from reminders.clinic.errors import ConflictError
from reminders.clinic.models import (
    AuditEvent,
    Clinician,
    ConsentRecord,
    Patient,
    PatientPhone,
    PhoneState,
    ScreeningRecord,
    TreatmentSession,
)
from reminders.clinic.patients import record_screening
from reminders.clinic.revising import revise_running
from reminders.clinic.selectors import newest_screening
from reminders.clinic.turns import conversation_of, plans_of, take_turn, take_turns
from reminders.core.advice import SCREENING_FACTS

_FILLED = ("family_name", "birth_date", "external_id")
_OTHER_BIRTH_DATE = "Their dates of birth differ, so these look like two people: if one is wrong, correct it first."


@dataclass(frozen=True, slots=True)
class Merged:
    """How many sessions and phones came over."""

    sessions: int
    phones: int


def why_not_merged(*, kept: Patient, duplicate: Patient) -> str:
    """Return why these two cannot be brought together, as a sentence to act on; empty where they can."""
    if kept.pk == duplicate.pk:
        return "This is the same entry: choose another one."
    if kept.birth_date and duplicate.birth_date and kept.birth_date != duplicate.birth_date:
        return _OTHER_BIRTH_DATE
    return ""


def merge_patients(*, kept: Patient, duplicate: Patient, clinician: Clinician, now: datetime) -> Merged:
    """Bring everything of `duplicate` to `kept`, on record, and remove the empty entry; all of it or nothing.

    Name, language, zone and primary phone are those of `kept`; what it lacks is filled in. A risk that either screening
    told of stays until somebody says no. Running courses are planned anew, as of one patient. Whoever holds rows in the
    layers above moves them on `events.patients_merged`. Raises ConflictError where they look like two people, or where
    a receiver finds that something has to be settled first. Both have to be of one clinic.
    """
    clinic = kept.clinic
    with transaction.atomic():
        take_turn(clinic=clinic, topic="intake")
        numbers = PatientPhone.objects.filter(patient__in=[kept, duplicate]).values_list("number", flat=True)
        take_turns(turns=[(clinic.pk, conversation_of(number)) for number in set(numbers)])
        take_turns(turns=[(clinic.pk, plans_of(patient.pk)) for patient in (kept, duplicate)])
        held = {
            row.pk: row
            for row in Patient.objects.select_for_update(of=("self",))
            .select_related("clinic")
            .filter(pk__in=[kept.pk, duplicate.pk], clinic=clinic)
            .order_by("pk")
        }
        if not {kept.pk, duplicate.pk} <= held.keys():
            raise ConflictError("One of the two is not on file any more: somebody may have been faster.")
        kept, duplicate = held[kept.pk], held[duplicate.pk]
        reason = why_not_merged(kept=kept, duplicate=duplicate)
        if reason:
            raise ConflictError(reason)
        merged = _move(kept, duplicate, clinician, now)
        events.patients_merged.send(sender=Patient, kept=kept, duplicate=duplicate, now=now)
        gone = duplicate.pk
        # Everything else refers to it with PROTECT: what nobody moved stops the whole.
        duplicate.delete()
        _fill_in(kept, duplicate)
        audit.record(
            clinic=clinic, actor=AuditEvent.Actor.CLINICIAN, clinician=clinician, verb="patients_merged", subject=kept,
            patient=kept, now=now, duplicate=gone, sessions=merged.sessions, phones=merged.phones,
        )  # fmt: skip
        revise_running(patient=kept, now=now)
    return merged


def _move(kept: Patient, duplicate: Patient, clinician: Clinician, now: datetime) -> Merged:
    before = {patient.pk: newest_screening(patient=patient) for patient in (kept, duplicate)}
    ScreeningRecord.objects.filter(patient=duplicate).update(patient=kept)
    _join_screenings(kept, before[kept.pk], before[duplicate.pk], clinician, now)
    ConsentRecord.objects.filter(patient=duplicate).update(patient=kept)
    AuditEvent.objects.filter(patient=duplicate).update(patient=kept)
    sessions = TreatmentSession.objects.filter(patient=duplicate).update(patient=kept)
    return Merged(sessions=sessions, phones=_move_phones(kept, duplicate))


def _move_phones(kept: Patient, duplicate: Patient) -> int:
    """Bring over the numbers that `kept` lacks; one that cannot be texted stays so. A lone one becomes the primary."""
    own = {phone.number: phone for phone in kept.phones.all()}
    has_primary = any(phone.is_primary for phone in own.values())
    moved = 0
    for phone in duplicate.phones.order_by("-is_primary", "pk"):
        twin = own.get(phone.number)
        if twin is None:
            phone.patient, phone.is_primary = kept, phone.is_primary and not has_primary
            phone.save(update_fields=["patient", "is_primary"])
            moved += 1
        elif twin.state == PhoneState.OK and phone.state != PhoneState.OK:
            twin.state, twin.state_changed_at = phone.state, phone.state_changed_at
            twin.save(update_fields=["state", "state_changed_at"])
    return moved


def _join_screenings(
    kept: Patient, one: ScreeningRecord | None, other: ScreeningRecord | None, clinician: Clinician, now: datetime
) -> None:
    """Record what the newest screenings of both say together: a yes of either counts before a no of the other."""
    records = [record for record in (one, other) if record is not None]
    if not records:
        return
    answers: dict[str, bool | None] = {}
    for fact in SCREENING_FACTS:
        told = [getattr(record, fact) for record in records]
        answers[fact] = True if True in told else False if False in told else None
    record_screening(patient=kept, answers=answers, now=now, clinician=clinician)


def _fill_in(kept: Patient, duplicate: Patient) -> None:
    missing = [name for name in _FILLED if not getattr(kept, name) and getattr(duplicate, name)]
    for name in missing:
        setattr(kept, name, getattr(duplicate, name))
    if missing:
        kept.save(update_fields=missing)
