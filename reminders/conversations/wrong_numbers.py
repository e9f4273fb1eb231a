"""Somebody else has the patient's phone: it is quarantined, they are told nothing, and the clinic checks the number."""

from collections.abc import Sequence
from datetime import datetime

from reminders.clinic import audit
from reminders.clinic.models import AuditEvent, Clinic, Patient, PatientPhone, PhoneState
from reminders.clinic.turns import plans_of, take_turns
from reminders.conversations.models import CheckIn, InboundMessage
from reminders.core.other_texts import says_wrong_number
from reminders.core.states import CheckInState, Severity
from reminders.core.understanding import Reading
from reminders.escalations.services import raise_escalation
from reminders.messaging.cancelling import suppress_phone

REASON = "wrong_number"


def is_wrong_number(inbound: InboundMessage, reading: Reading, people: Sequence[Patient]) -> bool:
    """Tell whether a text from a phone on file says that somebody else has it."""
    names = [name for patient in people for name in (patient.given_name, patient.family_name, patient.display_name)]
    return bool(people) and says_wrong_number(text=inbound.body, reading=reading, names=names)


def is_quarantined(*, clinic: Clinic, number: str) -> bool:
    """Tell whether somebody said that this phone is not the patient's, and staff have not said otherwise."""
    return PatientPhone.objects.filter(clinic=clinic, number=number, state=PhoneState.QUARANTINED).exists()


def quarantine(*, inbound: InboundMessage, clinic: Clinic, people: Sequence[Patient], now: datetime) -> bool:
    """Send nothing more to the phone, close its questions, and let a person check; return whether it was in use.

    Staff lift it when they have checked (`clinic.numbers.number_is_fine`); what was withheld stays withheld.
    """
    # A plan that is being laid out just now is held as well: either it, or this, sees the other.
    take_turns(turns=[(clinic.pk, plans_of(patient.pk)) for patient in people])
    phones = PatientPhone.objects.filter(clinic=clinic, number=inbound.from_number)
    fresh = list(phones.exclude(state=PhoneState.QUARANTINED).select_for_update())
    # Who wrote this is not the patient: the text does not belong on the patient's page.
    inbound.patient = None
    if not fresh:
        return False
    phones.update(state=PhoneState.QUARANTINED, state_changed_at=now)
    suppress_phone(clinic=clinic, number=inbound.from_number, now=now, reason="phone_quarantined")
    CheckIn.objects.filter(clinic=clinic, message__to_number=inbound.from_number, state=CheckInState.OPEN).update(
        state=CheckInState.CLOSED, outcome=CheckIn.Outcome.WRONG_NUMBER, answered_at=now
    )
    for phone in fresh:
        audit.record(
            clinic=clinic,
            actor=AuditEvent.Actor.SYSTEM,
            verb="number_quarantined",
            subject=phone,
            patient=phone.patient,
            now=now,
        )
    for patient in people:
        raise_escalation(
            clinic=clinic, patient=patient, reason=REASON, severity=Severity.ROUTINE, now=now, inbound_id=inbound.pk
        )
    return True
