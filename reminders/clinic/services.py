"""What changes a clinic's treatment sessions: one service behind the form, the API and the CSV."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from django.db import transaction
from django.db.models import Q

from reminders.clinic import audit, events
from reminders.clinic.api_keys import authenticate_api_key, create_api_key, revoke_api_key
from reminders.clinic.consent import GRANTED, grant_consent, newest_decision
from reminders.clinic.errors import ConflictError, InvalidInputError, Problem
from reminders.clinic.intake import SessionIntake, Visit
from reminders.clinic.intake_checks import problems_with
from reminders.clinic.models import AuditEvent, Clinic, Clinician, Patient, TreatmentSession
from reminders.clinic.patients import create_patient, match_patient, record_screening, update_patient
from reminders.clinic.repeats import digest_of, is_repeat
from reminders.clinic.revising import FACTS_IN_TEXTS, revise, revise_running
from reminders.clinic.turns import plans_of, take_turn

__all__ = [
    "IntakeOutcome",
    "authenticate_api_key",
    "create_api_key",
    "record_treatment_session",
    "revoke_api_key",
    "void_treatment_session",
]

PLANNED_FIELDS: Final = frozenset({"technique", "regions", "ended_at"})


class IntakeOutcome(StrEnum):
    """What an intake did."""

    CREATED = "created"
    UNCHANGED = "unchanged"
    CORRECTED = "corrected"
    VOIDED = "voided"


@dataclass(frozen=True, slots=True)
class _Entry:
    """One intake at work: where, who enters it, when, a keyed digest that tells a repeat, and what goes on record."""

    clinic: Clinic
    actor: AuditEvent.Actor
    clinician: Clinician | None
    now: datetime
    digest: str
    events: list[AuditEvent] = field(default_factory=list)


def record_treatment_session(
    *,
    clinic: Clinic,
    intake: SessionIntake,
    actor: AuditEvent.Actor,
    clinician: Clinician | None = None,
    now: datetime,
) -> tuple[TreatmentSession, IntakeOutcome]:
    """Store, correct or void one session in one transaction, with its patient, screening and consent.

    A repeat of what the same kind of actor sent last changes nothing and says so, even where staff have changed things
    since. A correction of anything that reaches the texts (end, technique, regions; the patient's phone, given name,
    date of birth, language, zone or screening) raises `revision`, so that what is unsent is planned anew; soreness and
    clinician are updated without. Empty values leave what is on file. `clinician` is the member of staff who enters it.
    Intakes of one clinic take turns, so the same id or the same new patient at the same time are stored once.
    Raises InvalidInputError with every problem; then nothing is stored.
    """
    entry = _Entry(clinic, actor, clinician, now, digest_of(intake))
    with transaction.atomic():
        take_turn(clinic=clinic, topic="intake")
        stored = _held_session(clinic, intake.external_id)
        if intake.visit is None:
            return _void(entry, stored)
        if stored is not None and is_repeat(stored=stored, actor=actor, digest=entry.digest):
            return stored, IntakeOutcome.UNCHANGED
        session, outcome = _store(entry, intake.external_id, intake.visit, stored)
        AuditEvent.objects.bulk_create(entry.events)
    return session, outcome


def _held_session(clinic: Clinic, external_id: str) -> TreatmentSession | None:
    """Return the session on file, held. The patient's turn comes first, as in planning, which holds many sessions."""
    on_file = TreatmentSession.objects.filter(clinic=clinic, external_id=external_id)
    patient_id = on_file.values_list("patient_id", flat=True).first()
    if patient_id is None:
        return None
    take_turn(clinic=clinic, topic=plans_of(patient_id))
    return on_file.select_for_update(of=("self",)).select_related("clinic", "patient").first()


def void_treatment_session(
    *, treatment_session: TreatmentSession, actor: AuditEvent.Actor, clinician: Clinician | None = None, now: datetime
) -> bool:
    """Take a session back, and with it, in the same transaction, what is unsent; return False where it was already."""
    with transaction.atomic():
        session = (
            TreatmentSession.objects.select_for_update(of=("self",))
            .select_related("clinic", "patient")
            .get(pk=treatment_session.pk)
        )
        if session.status == TreatmentSession.Status.VOIDED:
            return False
        session.status, session.updated_at = TreatmentSession.Status.VOIDED, now
        session.save(update_fields=["status", "updated_at"])
        audit.record(
            clinic=session.clinic,
            actor=actor,
            clinician=clinician,
            verb="treatment_session_voided",
            subject=session,
            patient=session.patient,
            now=now,
        )
        events.treatment_session_voided.send(sender=TreatmentSession, treatment_session=session, now=now)
    treatment_session.status, treatment_session.updated_at = session.status, now
    return True


def _void(entry: _Entry, stored: TreatmentSession | None) -> tuple[TreatmentSession, IntakeOutcome]:
    if stored is None:
        sentence = "No session has this id, so there is nothing to take back: check the id."
        raise InvalidInputError([Problem("external_id", "unknown_session", sentence)])
    voided = void_treatment_session(
        treatment_session=stored, actor=entry.actor, clinician=entry.clinician, now=entry.now
    )
    return stored, IntakeOutcome.VOIDED if voided else IntakeOutcome.UNCHANGED


def _store(
    entry: _Entry, external_id: str, visit: Visit, stored: TreatmentSession | None
) -> tuple[TreatmentSession, IntakeOutcome]:
    match = match_patient(clinic=entry.clinic, intake=visit.patient, on_file=stored.patient if stored else None)
    treated_by = _find_clinician(entry.clinic, visit.clinician)
    consent = newest_decision(entry.clinic, visit.patient.phone)
    problems = list(
        problems_with(visit=visit, stored=stored, match=match, treated_by=treated_by, consent=consent, now=entry.now)
    )
    if problems:
        raise InvalidInputError(problems)
    patient, facts = _take_over_patient(entry, visit, match.patient)
    if visit.consent.agreed and (consent is None or consent.decision != GRANTED):
        _grant(entry, visit, patient)
    values = {
        "technique": visit.technique,
        "regions": list(visit.regions),
        "ended_at": visit.ended_at,
        "clinician": treated_by,
        "soreness_before": visit.soreness_before,
        "soreness_after": visit.soreness_after,
    }
    if stored is None:
        session, outcome = _create(entry, external_id, patient, values), IntakeOutcome.CREATED
    else:
        if visit.ended_at_is_relative:
            # "95 minutes ago" is another moment in every repeat; the first one counts.
            del values["ended_at"]
        stored.patient = patient
        session, outcome = stored, _correct(entry, stored, values, facts)
    if match.patient is not None and FACTS_IN_TEXTS.intersection(facts):
        for running in revise_running(patient=patient, now=entry.now, besides=session):
            _audit(entry, running, patient, "treatment_session_corrected", fields=facts)
    return session, outcome


def _take_over_patient(entry: _Entry, visit: Visit, known: Patient | None) -> tuple[Patient, list[str]]:
    """Store what the intake says about the patient; return which facts changed."""
    facts: list[str] = []
    if known is None:
        patient = create_patient(clinic=entry.clinic, intake=visit.patient, now=entry.now)
        _audit(entry, patient, patient, "patient_recorded")
    else:
        patient = known
        facts = update_patient(patient=patient, intake=visit.patient)
        if facts:
            _audit(entry, patient, patient, "patient_corrected", fields=facts)
    if visit.screening is not None and record_screening(
        patient=patient,
        answers=visit.screening,
        now=entry.now,
        clinician=entry.clinician,
        is_new=known is None,
    ):
        facts.append("screening")
    return patient, facts


def _grant(entry: _Entry, visit: Visit, patient: Patient) -> None:
    try:
        grant_consent(
            clinic=entry.clinic,
            number=visit.patient.phone,
            method=visit.consent.method,
            disclosure=visit.consent.disclosure,
            agreed_at=visit.consent.at,
            now=entry.now,
            patient=patient,
            clinician=entry.clinician,
            actor=entry.actor,
            over_opt_out=False,
            trail=entry.events,
        )
    except ConflictError:
        # A tick on a form does not take back an opt-out. The visit is stored, and planning sends nothing.
        return


def _create(entry: _Entry, external_id: str, patient: Patient, values: dict[str, Any]) -> TreatmentSession:
    session = TreatmentSession.objects.create(
        clinic=entry.clinic,
        patient=patient,
        external_id=external_id,
        created_at=entry.now,
        updated_at=entry.now,
        **values,
    )
    _audit(entry, session, patient, "treatment_session_recorded", intake=entry.digest, technique=session.technique)
    events.treatment_session_recorded.send(sender=TreatmentSession, treatment_session=session, now=entry.now)
    return session


def _correct(entry: _Entry, stored: TreatmentSession, values: dict[str, Any], facts: list[str]) -> IntakeOutcome:
    changed = [
        field for field, value in values.items() if value not in (None, "", []) and getattr(stored, field) != value
    ]
    if not changed and not facts:
        return IntakeOutcome.UNCHANGED
    for name in changed:
        setattr(stored, name, values[name])
    stored.updated_at = entry.now
    stored.save(update_fields=[*changed, "updated_at"])
    _audit(entry, stored, stored.patient, "treatment_session_corrected", intake=entry.digest, fields=[*changed, *facts])
    if FACTS_IN_TEXTS.intersection(facts) or PLANNED_FIELDS.intersection(changed):
        revise(treatment_session=stored, now=entry.now)
    return IntakeOutcome.CORRECTED


def _find_clinician(clinic: Clinic, key: str) -> Clinician | None:
    if not key:
        return None
    # An external id wins over a user name that happens to read the same.
    found = Clinician.objects.filter(Q(external_id=key) | Q(username=key), clinic=clinic)
    return min(found, key=lambda clinician: clinician.external_id != key, default=None)


def _audit(entry: _Entry, subject: Patient | TreatmentSession, patient: Patient, verb: str, **details: object) -> None:
    entry.events.append(
        audit.event(
            clinic=entry.clinic,
            actor=entry.actor,
            clinician=entry.clinician,
            verb=verb,
            subject=subject,
            patient=patient,
            now=entry.now,
            **details,
        )
    )
