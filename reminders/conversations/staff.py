"""Texts from staff phones: a case code acknowledges the case."""

import re
from datetime import datetime

from django.conf import settings

from reminders.conversations.models import InboundMessage
from reminders.conversations.replies import answer
from reminders.escalations.errors import AlreadyTakenError
from reminders.escalations.notices import staff_values
from reminders.escalations.selectors import live_by_code
from reminders.escalations.services import acknowledge
from reminders.messaging.models import Kind

CODE = re.compile(r"\b([BCDFGHJKMNPQRTVWXZ][2-9][BCDFGHJKMNPQRTVWXZ][2-9])\b", re.IGNORECASE)


def is_staff_answer(inbound: InboundMessage) -> bool:
    """Tell whether a text comes from a staff phone and carries something that looks like a case code."""
    return inbound.clinician_id is not None and CODE.search(inbound.body) is not None


def handle_staff_answer(*, inbound: InboundMessage, now: datetime) -> str:
    """Acknowledge the case the code names, and tell the sender; return how the text was handled."""
    found = CODE.search(inbound.body)
    if inbound.clinic is None or inbound.clinician is None or found is None:
        raise ValueError("not a staff answer")
    escalation = live_by_code(clinic=inbound.clinic, code=found[1].upper())
    if escalation is None:
        return _unknown(inbound, now)
    try:
        escalation = acknowledge(
            escalation_id=escalation.pk, clinic=inbound.clinic, clinician=inbound.clinician, via="sms", now=now
        )
    except AlreadyTakenError:
        return _unknown(inbound, now)
    answer(inbound=inbound, key="staff_acknowledged", kind=Kind.CONFIRMATION, values=staff_values(escalation), now=now)
    return "acknowledged_case"


def _unknown(inbound: InboundMessage, now: datetime) -> str:
    link = settings.PUBLIC_BASE_URL.rstrip("/") + "/"
    answer(inbound=inbound, key="staff_code_unknown", kind=Kind.CONFIRMATION, values={"link": link}, now=now)
    return "unknown_case_code"
