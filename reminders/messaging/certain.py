"""Words that leave whatever became of the clinic's own texts: a missing template must never silence an alarm."""

from collections.abc import Mapping

import structlog

from reminders.clinic.models import Clinic
from reminders.content.errors import MissingTextError
from reminders.content.starters import starter_text
from reminders.core.rendering import TemplateError, compile_text, render
from reminders.messaging.compose import Words, values_for, words_for

log = structlog.get_logger(__name__)

# Said where even the starter text is gone. Braces are filled from the values of the text.
LAST_RESORT: Mapping[str, Mapping[str, str]] = {
    "emergency": {
        "en": "This may be an emergency. Call 911 now. We are alerting the clinic.",
        "es": "Puede ser una emergencia. Llame al 911 ya. Avisamos a la clinica.",
    },
    "emergency_self_harm": {
        "en": "Call or text 988 now. If you might hurt yourself, call 911. We are alerting the clinic.",
        "es": "Llame o escriba al 988 ya. Si puede hacerse daño, llame al 911. Avisamos a la clinica.",
    },
    "urgent_call_you": {
        "en": "A clinician will call you. If it gets worse, call 911.",
        "es": "Un profesional le va a llamar. Si empeora, llame al 911.",
    },
    "staff_notice": {
        "en": "{severity_word}: case {escalation_code} needs you. Reply {escalation_code} to take it. {link}",
        "es": "{severity_word}: caso {escalation_code}. Responda {escalation_code} para tomarlo. {link}",
    },
    "staff_call": {
        "en": "Alert. Level: {severity_word}. Case {escalation_code}. To take this case, press 1.",
        "es": "Alerta. Nivel: {severity_word}. Caso {escalation_code}. Para tomar el caso, marque 1.",
    },
}


def certain_words(*, clinic: Clinic, key: str, language: str, values: Mapping[str, object]) -> Words:
    """Return the words in force for `key`; where they cannot be used, the starter's, then a built-in sentence.

    What stood in is logged as an error, by key. Raises MissingTextError only for a text that has no built-in sentence
    and no starter.
    """
    try:
        return words_for(clinic=clinic, key=key, language=language, values=values)
    except (MissingTextError, TemplateError) as error:
        log.error("text_not_usable", clinic_id=clinic.pk, key=key, language=language, code=error.code)
    try:
        source = starter_text(key=key, language=language)
        body = render(compile_text(source), values=values_for(clinic=clinic, language=language, values=values))
    except (OSError, TemplateError):
        if key not in LAST_RESORT:
            raise MissingTextError(
                f"Publish a text for {key}; the clinic has none, and no starter can be read."
            ) from None
        body = LAST_RESORT[key][language].format_map(values)
    return Words(body=body, version=None, language=language)
