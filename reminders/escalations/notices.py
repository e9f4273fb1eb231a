"""Telling staff: texts and calls with a code, a level and a link behind login; never a name, a number or words."""

from datetime import datetime

from django.conf import settings

from reminders.clinic.models import Clinician, LadderRung
from reminders.core.states import Severity
from reminders.escalations.models import Escalation
from reminders.messaging.certain import certain_words
from reminders.messaging.compose import Link, default_sender, new_message, store
from reminders.messaging.models import Kind, Message

SEVERITY_WORD = {
    "en": {Severity.URGENT: "urgent", Severity.SAME_DAY: "same day", Severity.ROUTINE: "routine"},
    "es": {Severity.URGENT: "urgente", Severity.SAME_DAY: "hoy mismo", Severity.ROUTINE: "rutina"},
}


def staff_values(escalation: Escalation) -> dict[str, object]:
    """Return what staff texts may say about a case."""
    language = escalation.clinic.language
    return {
        "escalation_code": escalation.code,
        "severity_word": SEVERITY_WORD[language][Severity(escalation.severity)],
        "link": f"{settings.PUBLIC_BASE_URL.rstrip('/')}/escalations/{escalation.pk}/",
    }


def notify(
    *,
    escalation: Escalation,
    clinician: Clinician,
    channel: str,
    dedupe: str,
    due_at: datetime,
    now: datetime,
) -> Message:
    """Write one notice or call to one clinician; the same `dedupe` writes it once."""
    is_call = channel == LadderRung.Channel.VOICE
    words = certain_words(
        clinic=escalation.clinic,
        key="staff_call" if is_call else "staff_notice",
        language=escalation.clinic.language,
        values=staff_values(escalation),
    )
    return store(
        new_message(
            clinic=escalation.clinic,
            kind=Kind.STAFF_CALL if is_call else Kind.STAFF_NOTICE,
            words=words,
            sender=default_sender(clinic=escalation.clinic),
            to_number=clinician.phone,
            due_at=due_at,
            now=now,
            link=Link(clinician=clinician, escalation_id=escalation.pk),
            channel="voice" if is_call else "sms",
            dedupe_key=f"escalation:{escalation.pk}:{dedupe}",
        )
    )
