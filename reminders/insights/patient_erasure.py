"""Erasing a patient: what makes them a person goes, from every table; numbers without a person stay.

It runs across all packages on purpose: one place says what goes from where, beside the place that says what is held
(`patient_file`), and a test holds the two together.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Max

from reminders.clinic import audit
from reminders.clinic.consent import REVOKED
from reminders.clinic.errors import ConflictError
from reminders.clinic.models import (
    AuditEvent,
    Clinic,
    Clinician,
    ConsentRecord,
    Patient,
    PatientPhone,
    TreatmentSession,
)
from reminders.clinic.turns import conversation_of, plans_of, take_turn, take_turns
from reminders.conversations.models import CheckIn, InboundMessage, Picture, Understanding, WhoseAnswer
from reminders.core.states import CheckInState, EscalationState
from reminders.escalations.models import Escalation
from reminders.messaging.models import Message, OutboxRow

NOBODY: Final = ("Erased", "patient")


@dataclass(frozen=True, slots=True)
class Erasable:
    """Whether a patient may be erased. `reasons` are sentences to act on, empty where they may.

    `last_contact` is the newest treatment or text, None where there was none, and `kept_until` follows from it.
    """

    reasons: tuple[str, ...]
    last_contact: datetime | None
    kept_until: datetime | None


def erasable(*, patient: Patient, now: datetime) -> Erasable:
    """Tell whether a patient may be erased now.

    Nothing may be under way, and the clinic's time for keeping records must have passed since the last contact. Who was
    entered by mistake, with no treatment that stands and no text either way, may be erased at once.
    """
    last = _last_contact(patient)
    kept_until = _years_after(last, patient.clinic.records_kept_years) if last else None
    return Erasable(tuple(_reasons(patient, kept_until, now)), last, kept_until)


def erase_patient(*, patient: Patient, clinician: Clinician, now: datetime) -> None:
    """Erase a patient in one transaction, on record; all of it or nothing.

    Names, dates of birth, phones, words of texts and notes, pictures, screening and the clinic's own ids go. What stays
    names nobody: sessions with their technique and scores, states of texts, how answers were read, the audit. An
    opt-out stays with its number alone, because a STOP has to be kept for ever, and so do decisions on a phone that
    another patient has too. Raises ConflictError where the patient may not be erased.
    """
    clinic = patient.clinic
    with transaction.atomic():
        take_turn(clinic=clinic, topic="intake")
        numbers = set(PatientPhone.objects.filter(patient=patient).values_list("number", flat=True))
        take_turns(turns=[(clinic.pk, conversation_of(number)) for number in numbers])
        take_turn(clinic=clinic, topic=plans_of(patient.pk))
        # Nobody stores a row about them from here on.
        held = (
            Patient.objects.select_for_update(of=("self",)).select_related("clinic").get(pk=patient.pk, clinic=clinic)
        )
        reasons = erasable(patient=held, now=now).reasons
        if held.erased_at is not None or reasons:
            raise ConflictError(" ".join(reasons) or "This patient was erased already.")
        _forget_texts(held)
        _forget_consent(held)
        _forget_person(held, now)
        audit.record(
            clinic=clinic,
            actor=AuditEvent.Actor.CLINICIAN,
            clinician=clinician,
            verb="patient_erased",
            subject=held,
            patient=held,
            now=now,
        )


def _reasons(patient: Patient, kept_until: datetime | None, now: datetime) -> Iterator[str]:
    if OutboxRow.objects.filter(message__patient=patient).exists():
        yield "Texts are planned or on their way: take the session back, or wait until they have left."
    if CheckIn.objects.filter(patient=patient, state=CheckInState.OPEN).exists():
        yield "A check-in waits for an answer: wait until it has closed."
    if Escalation.objects.filter(patient=patient).exclude(state=EscalationState.RESOLVED).exists():
        yield "A case is open: close it first."
    inbound = InboundMessage.objects.filter(patient=patient)
    if inbound.filter(inbox="open").exists() or inbound.filter(handled_at=None).exists():
        yield "A text waits for a reader: deal with it in the inbox first."
    if kept_until is not None and now < kept_until:
        years = patient.clinic.records_kept_years
        yield f"The clinic keeps records for {years} years after the last treatment or text."


def _last_contact(patient: Patient) -> datetime | None:
    completed = TreatmentSession.Status.COMPLETED
    moments = (
        patient.treatment_sessions.filter(status=completed).aggregate(at=Max("ended_at"))["at"],
        patient.messages.aggregate(at=Max("accepted_at"))["at"],
        patient.inbound.aggregate(at=Max("received_at"))["at"],
    )
    return max((at for at in moments if at is not None), default=None)


def _years_after(at: datetime, years: int) -> datetime:
    try:
        return at.replace(year=at.year + years)
    except ValueError:  # 29 February
        return at.replace(year=at.year + years, month=3, day=1)


def _forget_texts(patient: Patient) -> None:
    inbound = InboundMessage.objects.filter(patient=patient)
    Picture.objects.filter(inbound__in=inbound).delete()
    Understanding.objects.filter(inbound__in=inbound).update(because=[])
    WhoseAnswer.objects.filter(inbound__in=inbound).update(number="")
    inbound.update(body="", from_number="", media=[])
    Message.objects.filter(patient=patient).update(body="", to_number="")
    Escalation.objects.filter(patient=patient).update(note="")


def _forget_consent(patient: Patient) -> None:
    """Keep of each number what others live by: all of it where somebody else has the phone, else a standing STOP."""
    decisions = ConsentRecord.objects.filter(patient=patient)
    for number, channel in set(decisions.values_list("number", "channel")):
        of_number = decisions.filter(number=number, channel=channel)
        if _is_shared(patient.clinic, number, patient):
            of_number.update(patient=None)
            continue
        newest = of_number.order_by("-id").first()
        if newest is not None and newest.decision == REVOKED:
            ConsentRecord.objects.filter(pk=newest.pk).update(patient=None)
            of_number = of_number.exclude(pk=newest.pk)
        of_number.delete()


def _is_shared(clinic: Clinic, number: str, patient: Patient) -> bool:
    return PatientPhone.objects.filter(clinic=clinic, number=number).exclude(patient=patient).exists()


def _forget_person(patient: Patient, now: datetime) -> None:
    patient.phones.all().delete()
    patient.screenings.all().delete()
    for session in patient.treatment_sessions.all():
        session.external_id = f"erased-{session.pk}"
        session.save(update_fields=["external_id"])
    patient.given_name, patient.family_name = NOBODY
    patient.external_id, patient.birth_date, patient.erased_at = "", None, now
    patient.save(update_fields=["given_name", "family_name", "external_id", "birth_date", "erased_at"])
