"""Patients who come in without a session, as from another system's list: known again, corrected, or put on file."""

from datetime import datetime

from django.db import transaction

from reminders.clinic import audit
from reminders.clinic.consent import GRANTED, grant_consent, newest_decision
from reminders.clinic.errors import ConflictError, InvalidInputError, Problem
from reminders.clinic.intake import PersonIntake
from reminders.clinic.models import AuditEvent, Clinic, Clinician, Patient
from reminders.clinic.patients import create_patient, match_patient, record_screening, update_patient
from reminders.clinic.repeats import digest_of_person, is_repeat_of_person
from reminders.clinic.revising import FACTS_IN_TEXTS, revise_running
from reminders.clinic.services import IntakeOutcome
from reminders.clinic.turns import take_turn

_NO_AFTER_YES = "This says no, but an earlier yes is on file: record the opt-out on the patient's page first."


def record_person(
    *,
    clinic: Clinic,
    intake: PersonIntake,
    actor: AuditEvent.Actor,
    clinician: Clinician | None = None,
    now: datetime,
) -> tuple[Patient, IntakeOutcome]:
    """Put a patient on file, or take over what is said differently of one, in one transaction; nobody is texted by it.

    A repeat of what the same kind of actor said last changes nothing, even where staff have changed things since. Empty
    values leave what is on file; running courses are planned anew where a text would differ. A yes to texts never takes
    back an opt-out. Raises InvalidInputError with every problem; then nothing is stored.
    """
    digest = digest_of_person(intake)
    with transaction.atomic():
        take_turn(clinic=clinic, topic="intake")
        match = match_patient(clinic=clinic, intake=intake.patient)
        consent = newest_decision(clinic, intake.patient.phone)
        has_agreed = consent is not None and consent.decision == GRANTED
        problems = [match.problem] if match.problem else []
        if has_agreed and intake.consent.agreed is False:
            problems.append(Problem("consent", "no_consent", _NO_AFTER_YES))
        if problems:
            raise InvalidInputError(problems)
        known = match.patient
        if known is not None and is_repeat_of_person(patient=known, actor=actor, digest=digest):
            return known, IntakeOutcome.UNCHANGED
        facts = update_patient(patient=known, intake=intake.patient) if known else []
        patient = known or create_patient(clinic=clinic, intake=intake.patient, now=now)
        if intake.screening is not None and record_screening(
            patient=patient, answers=intake.screening, now=now, clinician=clinician, is_new=known is None
        ):
            facts.append("screening")
        if intake.consent.agreed and not has_agreed and _grant(patient, intake, actor, clinician, now):
            facts.append("consent")
        if known is not None and not facts:
            return known, IntakeOutcome.UNCHANGED
        audit.record(
            clinic=clinic,
            actor=actor,
            clinician=clinician,
            verb="patient_corrected" if known else "patient_recorded",
            subject=patient,
            patient=patient,
            now=now,
            intake=digest,
            fields=facts,
        )
        if known is not None and FACTS_IN_TEXTS.intersection(facts):
            revise_running(patient=patient, now=now)
    return patient, IntakeOutcome.CORRECTED if known else IntakeOutcome.CREATED


def _grant(
    patient: Patient, intake: PersonIntake, actor: AuditEvent.Actor, clinician: Clinician | None, now: datetime
) -> bool:
    try:
        return grant_consent(
            clinic=patient.clinic,
            number=intake.patient.phone,
            method=intake.consent.method,
            disclosure=intake.consent.disclosure,
            agreed_at=intake.consent.at,
            now=now,
            patient=patient,
            clinician=clinician,
            actor=actor,
            over_opt_out=False,
        )
    except ConflictError:
        # A list does not take back an opt-out. The patient is on file, and nothing is sent.
        return False
