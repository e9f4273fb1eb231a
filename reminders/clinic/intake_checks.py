"""What can be wrong with a well-formed intake once it is held against what the clinic has on file."""

from collections.abc import Iterator
from datetime import datetime

from reminders.clinic.consent import GRANTED
from reminders.clinic.errors import Problem
from reminders.clinic.intake import OLDEST_END, Visit
from reminders.clinic.models import Clinician, ConsentRecord, Patient, TreatmentSession
from reminders.clinic.patients import Match


def problems_with(
    *,
    visit: Visit,
    stored: TreatmentSession | None,
    match: Match,
    treated_by: Clinician | None,
    consent: ConsentRecord | None,
    now: datetime,
) -> Iterator[Problem]:
    """Yield every problem of an intake that hangs on what is on file. `stored` is the session with the same id.

    `consent` is the newest decision about the phone.
    """
    if stored is not None and stored.status == TreatmentSession.Status.VOIDED:
        yield Problem(
            "status",
            "already_voided",
            "This session was taken back for good: record it anew under another external id.",
        )
    if _is_too_old(visit, stored, now):
        yield Problem(
            "ended_at", "too_old", "The session ended more than 48 hours ago, too late for its texts: check the date."
        )
    if visit.clinician and treated_by is None:
        yield Problem(
            "clinician", "unknown_clinician", "Nobody here has this id or user name: check it, or leave it empty."
        )
    if match.problem is not None:
        yield match.problem
    elif _is_somebody_else(stored, match.patient):
        yield Problem(
            "external_id", "other_patient", "This id belongs to a session of another patient: use an id of its own."
        )
    yield from _consent_problems(consent, visit)


def _is_too_old(visit: Visit, stored: TreatmentSession | None, now: datetime) -> bool:
    """A session on file may be repeated and its other fields corrected for ever; only a new end has to be recent."""
    if stored is not None and (visit.ended_at_is_relative or stored.ended_at == visit.ended_at):
        return False
    return now - visit.ended_at > OLDEST_END


def _is_somebody_else(stored: TreatmentSession | None, patient: Patient | None) -> bool:
    return stored is not None and (patient is None or patient.pk != stored.patient_id)


def _consent_problems(newest: ConsentRecord | None, visit: Visit) -> Iterator[Problem]:
    """After an opt-out a session is stored all the same: the visit happened, and planning sends nothing."""
    if newest is None and not visit.consent.agreed:
        yield Problem(
            "consent",
            "no_consent",
            "No consent to texts is on file for this phone: ask the patient, and say yes here when they agree.",
        )
    elif newest is not None and newest.decision == GRANTED and visit.consent.agreed is False:
        yield Problem(
            "consent",
            "no_consent",
            "This says no, but an earlier yes is on file: record the opt-out on the patient's page first.",
        )
