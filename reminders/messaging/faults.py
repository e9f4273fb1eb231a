"""What a refusal of the carrier changes beyond the one message: the sender, the phone, the consent."""

from collections.abc import Mapping
from datetime import datetime

import structlog
from django.db import transaction
from django.db.models import Q
from django.db.models.expressions import RawSQL

from reminders.clinic.consent import revoke_consent
from reminders.clinic.models import PatientPhone, PhoneState
from reminders.core.carrier_errors import Fault
from reminders.messaging.cancelling import suppress_phone
from reminders.messaging.models import Message, Sender

log = structlog.get_logger(__name__)

PAUSE_MINUTES = 5
ENDS = (PhoneState.DEAD, PhoneState.LANDLINE)
PHONE_STATE: Mapping[Fault, PhoneState] = {
    Fault.NUMBER_INVALID: PhoneState.DEAD,
    Fault.NUMBER_DEAD: PhoneState.DEAD,
    Fault.NUMBER_CANNOT_TEXT: PhoneState.LANDLINE,
    Fault.UNREACHABLE: PhoneState.UNREACHABLE,
}


def act_on_fault(*, message: Message, fault: Fault, code: int | None, now: datetime) -> None:
    """Do what one fault asks for, in one transaction; nothing for faults that concern the one message only.

    Doing it twice changes nothing more. Not to be called by whoever holds message rows that others may cancel: an
    opt-out waits for its turn first and locks rows then.
    """
    if fault in (Fault.ACCOUNT_STOPPED, Fault.SENDER_FAULT):
        _pause(message, fault, code)
    elif fault is Fault.OPTED_OUT:
        revoke_consent(
            clinic=message.clinic, number=message.to_number, method="carrier", now=now, patient=message.patient
        )
    elif fault in PHONE_STATE and message.patient_id is not None:
        _mark_phone(message, PHONE_STATE[fault], now)


def _mark_phone(message: Message, state: PhoneState, now: datetime) -> None:
    """Keep what is known of the phone; one that cannot be texted gets nothing more."""
    phones = PatientPhone.objects.filter(clinic=message.clinic, number=message.to_number)
    with transaction.atomic():
        # One that is out of reach today may still be one that can never be texted.
        lasting = [PhoneState.QUARANTINED, *(ENDS if state == PhoneState.UNREACHABLE else ())]
        phones.exclude(state__in=lasting).update(state=state, state_changed_at=now)
        if state in ENDS:
            suppress_phone(clinic=message.clinic, number=message.to_number, now=now, reason=f"phone_{state}")


def _pause(message: Message, fault: Fault, code: int | None) -> None:
    """Hold the sender, or all senders where the whole account is refused; the queue stays as it is.

    A sender that is held already stays as it is: one alarm for many refusals, and an operator's own pause lasts.
    """
    senders = Sender.objects.all() if fault is Fault.ACCOUNT_STOPPED else Sender.objects.filter(pk=message.sender_id)
    # On the database's unmoved time, as all pacing is.
    until = RawSQL("clock_timestamp() + make_interval(mins => %s)", [PAUSE_MINUTES])  # a constant
    running = senders.filter(Q(paused_until=None) | Q(paused_until__lte=RawSQL("clock_timestamp()", [])))
    paused = running.update(paused_reason=str(fault), paused_until=until)
    if paused:
        log.error("sender_paused", fault=str(fault), code=code, senders=paused, clinic_id=message.clinic_id)
