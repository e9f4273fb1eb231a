"""Telling a repeat from a correction.

Systems send the same session again and again. Comparing with what is on file would undo what staff corrected by hand
in between; so each intake leaves a digest in the audit trail, and the same digest again is a repeat.
"""

import dataclasses
import json

from django.utils.crypto import salted_hmac

from reminders.clinic.intake import PersonIntake, SessionIntake
from reminders.clinic.models import AuditEvent, Patient, TreatmentSession


def digest_of(intake: SessionIntake) -> str:
    """Return a keyed digest of all an intake says; without the server's secret nobody can try out phones on it."""
    said = dataclasses.asdict(intake)
    if intake.visit is not None:
        # A form that is worded anew does not make its old sessions corrections.
        del said["visit"]["consent"]["disclosure"]
    if intake.visit is not None and intake.visit.ended_at_is_relative:
        # "95 minutes ago" is another moment in every repeat.
        del said["visit"]["ended_at"]
    return _keyed(said)


def digest_of_person(intake: PersonIntake) -> str:
    """Return a keyed digest of all that is said of a patient, but for the words of a consent."""
    said = dataclasses.asdict(intake)
    del said["consent"]["disclosure"]
    return _keyed(said)


def _keyed(said: object) -> str:
    return salted_hmac(
        "reminders.intake", json.dumps(said, sort_keys=True, default=str), algorithm="sha256"
    ).hexdigest()


def is_repeat(*, stored: TreatmentSession, actor: AuditEvent.Actor, digest: str) -> bool:
    """Tell whether this is what the same kind of actor said last about a session that still stands."""
    if stored.status == TreatmentSession.Status.VOIDED:
        return False
    return _said_last("treatmentsession", stored.pk, actor) == digest


def is_repeat_of_person(*, patient: Patient, actor: AuditEvent.Actor, digest: str) -> bool:
    """Tell whether this is what the same kind of actor said last about a patient without a session."""
    return _said_last("patient", patient.pk, actor) == digest


def _said_last(subject: str, subject_id: int, actor: AuditEvent.Actor) -> str:
    said = AuditEvent.objects.filter(subject=subject, subject_id=subject_id, actor=actor, details__has_key="intake")
    last = said.order_by("-at", "-id").first()
    return str(last.details["intake"]) if last else ""
