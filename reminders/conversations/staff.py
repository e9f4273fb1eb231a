"""Texts from staff phones: a case code takes the case."""

import re
from datetime import datetime

from django.conf import settings

from reminders.clinic.models import Clinician
from reminders.conversations.models import InboundMessage
from reminders.conversations.replies import answer
from reminders.escalations.errors import AlreadyTakenError
from reminders.escalations.models import Escalation
from reminders.escalations.notices import staff_values
from reminders.escalations.selectors import live_by_code
from reminders.escalations.services import DIGITS, LETTERS, acknowledge
from reminders.messaging.models import Kind

CODE = re.compile(rf"\b((?:[{LETTERS}][{DIGITS}]){{2,3}})\b", re.IGNORECASE)


def case_named(inbound: InboundMessage) -> Escalation | None:
    """Return the first unresolved case that a text from a staff phone names by its code, or None.

    What only looks like a code ("T4L5", two vertebrae) names none.
    """
    if inbound.clinic is None or inbound.clinician_id is None:
        return None
    for code in CODE.findall(inbound.body):
        escalation = live_by_code(clinic=inbound.clinic, code=code.upper())
        if escalation is not None:
            return escalation
    return None


def take_case(*, inbound: InboundMessage, clinician: Clinician, case: Escalation, now: datetime) -> str:
    """Make the sender the owner of the case, and say so; return how the text was handled."""
    try:
        case = acknowledge(escalation_id=case.pk, clinic=case.clinic, clinician=clinician, via="sms", now=now)
    except AlreadyTakenError:
        return say_unknown_code(inbound=inbound, now=now)
    answer(inbound=inbound, key="staff_acknowledged", kind=Kind.CONFIRMATION, values=staff_values(case), now=now)
    return "acknowledged_case"


def say_unknown_code(*, inbound: InboundMessage, now: datetime) -> str:
    """Tell a member of staff that their text took no case; a person can read it in the inbox."""
    link = settings.PUBLIC_BASE_URL.rstrip("/") + "/"
    answer(inbound=inbound, key="staff_code_unknown", kind=Kind.CONFIRMATION, values={"link": link}, now=now)
    return "unknown_case_code"
