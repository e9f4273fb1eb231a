"""What a refusal of the carrier changes beyond the one message: the sender, the phone, the consent."""

from collections.abc import Mapping
from datetime import datetime

import structlog
from django.db.models.expressions import RawSQL

from reminders.clinic.consent import revoke_consent
from reminders.clinic.models import PatientPhone, PhoneState
from reminders.core.carrier_errors import Fault
from reminders.delivery.port import Refused
from reminders.messaging.models import Message, Sender

log = structlog.get_logger(__name__)

PAUSE_MINUTES = 5
PHONE_STATE: Mapping[Fault, PhoneState] = {
    Fault.NUMBER_INVALID: PhoneState.DEAD,
    Fault.NUMBER_DEAD: PhoneState.DEAD,
    Fault.NUMBER_CANNOT_TEXT: PhoneState.LANDLINE,
    Fault.UNREACHABLE: PhoneState.UNREACHABLE,
}


def act_on_faults(refused: Mapping[int, Refused], *, now: datetime) -> None:
    """Pause senders, mark phones and mirror opt-outs, as each refusal asks; in the caller's transaction."""
    if not refused:
        return
    for message in Message.objects.filter(pk__in=refused).select_related("clinic", "sender", "patient"):
        act_on_fault(message=message, fault=refused[message.pk].fault, code=refused[message.pk].code, now=now)


def act_on_fault(*, message: Message, fault: Fault, code: int | None, now: datetime) -> None:
    """Do what one fault asks for; nothing for faults that concern the one message only."""
    if fault in (Fault.ACCOUNT_STOPPED, Fault.SENDER_FAULT):
        _pause(message, fault, code)
    elif fault is Fault.OPTED_OUT:
        revoke_consent(
            clinic=message.clinic, number=message.to_number, method="carrier", now=now, patient=message.patient
        )
    elif fault in PHONE_STATE and message.patient_id is not None:
        PatientPhone.objects.filter(clinic=message.clinic, number=message.to_number).exclude(
            state=PhoneState.QUARANTINED
        ).update(state=PHONE_STATE[fault], state_changed_at=now)


def _pause(message: Message, fault: Fault, code: int | None) -> None:
    """Hold the sender, or all senders where the whole account is refused; the queue stays as it is."""
    senders = Sender.objects.all() if fault is Fault.ACCOUNT_STOPPED else Sender.objects.filter(pk=message.sender_id)
    # On the database's unmoved time, as all pacing is.
    until = RawSQL("clock_timestamp() + make_interval(mins => %s)", [PAUSE_MINUTES])  # a constant
    paused = senders.update(paused_reason=str(fault), paused_until=until)
    log.error("sender_paused", fault=str(fault), code=code, senders=paused, clinic_id=message.clinic_id)
