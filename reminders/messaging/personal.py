"""Texts that a member of staff writes to one patient by hand.

They keep what every text keeps: consent, opt-outs, quiet hours, numbers that must not be texted, and one row for one
press of the button. Their words are stored as they are; nothing in them is taken for a template.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction

from reminders.clinic import audit
from reminders.clinic.errors import ConflictError
from reminders.clinic.models import AuditEvent, Clinic, Clinician, Patient, PatientPhone, PhoneState, TreatmentSession
from reminders.clinic.phones import is_e164
from reminders.clinic.selectors import age_years, newest_screening
from reminders.core.advice import SCREENING_FACTS, Screening, decide_advice
from reminders.core.advice_lint import Rendering, find_hazards
from reminders.core.quiet_hours import QuietWindow, next_open
from reminders.messaging.compose import Link, Words, default_sender, new_message, store
from reminders.messaging.models import ConsentRule, Kind, Message, Sender
from reminders.messaging.sending_again import problem_with_the_phone

LONGEST: Final = 480
"""Characters a colleague may write: with the clinic's name in front, four parts at the most in the plain alphabet."""


@dataclass(frozen=True, slots=True)
class Letter:
    """To whom a text by hand goes: `number` is E.164; `answers` the received text that it answers, and `sender` the
    number that one was written to."""

    clinic: Clinic
    number: str
    patient: Patient | None = None
    answers: int | None = None
    sender: Sender | None = None


def primary_letter(*, patient: Patient) -> Letter | None:
    """Return a letter to the patient's own number; None where they have none."""
    phone = patient.phones.filter(is_primary=True).first()
    return Letter(patient.clinic, phone.number, patient) if phone else None


def with_clinic_name(*, clinic: Clinic, body: str) -> str:
    """Return the words with the clinic's name in front, so that nobody has to guess who writes."""
    said = body.strip()
    return said if said.casefold().startswith(clinic.name.casefold()) else f"{clinic.name}: {said}"


def cautions(*, letter: Letter, body: str, now: datetime) -> list[str]:
    """Return what these words say of heat or medicine that the screening on file does not allow, as sentences.

    Of somebody nobody knows, nothing is allowed. A person may have good reasons, so this asks rather than forbids.
    """
    heat_ok, drug = _allowed(letter.patient, now)
    rendering = Rendering(body=body, heat_ok=heat_ok, drug=drug)
    return [
        f"“{hazard.word}” is a dose. Is it right for this patient, with all they take?"
        if hazard.code == "dose"
        else f"“{hazard.word}”: the screening on file does not allow that advice for this patient."
        for hazard in find_hazards([rendering], knows=frozenset({"heat_ok", "drug"}))
    ]


def leaves_at(*, letter: Letter, now: datetime) -> datetime:
    """Return when a text written now leaves: at once, or when the quiet hours of its reader are over."""
    zone = letter.patient.timezone if letter.patient else letter.clinic.timezone
    quiet = QuietWindow(letter.clinic.quiet_start, letter.clinic.quiet_end)
    return next_open(at=now, zone=ZoneInfo(zone), quiet=quiet)


def problem_with(letter: Letter) -> str:
    """Return why this number must not get a text now, as a sentence that says what to do; empty where it may."""
    if not is_e164(letter.number):
        return "This number cannot receive an answer. Call instead."
    bad = PatientPhone.objects.filter(clinic=letter.clinic, number=letter.number)
    if bad.exclude(state__in=[PhoneState.OK, PhoneState.UNREACHABLE]).exists():
        return "This number cannot be texted; see the failing numbers in Delivery. Call instead."
    probe = Message(clinic=letter.clinic, patient=letter.patient, consent_rule=_rule(letter))
    problem = problem_with_the_phone(probe, letter.number)
    return f"{problem} Call instead." if problem else ""


def write(*, letter: Letter, body: str, clinician: Clinician, now: datetime, key: UUID) -> Message:
    """Store the text for sending, on record (without its words); the same `key` again returns the row that stands.

    Raises ConflictError with a sentence where the number must not be texted, and NoSenderError; then nothing is stored.
    """
    with transaction.atomic():
        standing = find_written(clinic=letter.clinic, clinician=clinician, key=key)
        if standing is not None:
            return standing
        problem = problem_with(letter)
        if problem:
            raise ConflictError(problem)
        due_at = leaves_at(letter=letter, now=now)
        language = letter.patient.language if letter.patient else letter.clinic.language
        message = new_message(
            clinic=letter.clinic,
            kind=Kind.PERSONAL,
            words=Words(with_clinic_name(clinic=letter.clinic, body=body), None, language),
            sender=letter.sender or default_sender(clinic=letter.clinic),
            to_number=letter.number,
            due_at=due_at,
            now=now,
            link=Link(patient=letter.patient, clinician=clinician, in_reply_to_id=letter.answers),
            dedupe_key=_dedupe_key(clinician, key),
        )
        message.consent_rule = _rule(letter)
        stored = store(message)
        if stored.public_id == message.public_id:
            audit.record(
                clinic=letter.clinic,
                actor=AuditEvent.Actor.CLINICIAN,
                clinician=clinician,
                verb="wrote_to_patient",
                subject=stored,
                patient=letter.patient,
                now=now,
            )
    return stored


def find_written(*, clinic: Clinic, clinician: Clinician, key: UUID) -> Message | None:
    """Return the text that this press of the button has written already, or None."""
    return Message.objects.filter(clinic=clinic, dedupe_key=_dedupe_key(clinician, key)).first()


def _dedupe_key(clinician: Clinician, key: UUID) -> str:
    return f"personal:{clinician.pk}:{key}"


def _rule(letter: Letter) -> ConsentRule:
    """Who texted us may be answered; who only gets texts must have agreed to them."""
    return ConsentRule.NOT_REVOKED if letter.answers is not None else ConsentRule.GRANTED


def _allowed(patient: Patient | None, now: datetime) -> tuple[bool, str]:
    if patient is None:
        return False, "none"
    screening = newest_screening(patient=patient)
    completed = patient.treatment_sessions.filter(status=TreatmentSession.Status.COMPLETED)
    session = completed.order_by("-ended_at", "-id").first()
    advice = decide_advice(
        screening=Screening(**{fact: getattr(screening, fact) for fact in SCREENING_FACTS}) if screening else None,
        technique=session.technique if session else "",
        age_years=age_years(patient=patient, now=now),
        regions=session.regions if session else (),
    )
    return advice.heat_ok, advice.drug.value
