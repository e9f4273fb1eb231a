"""The words a patient agrees to before the first text leaves."""

from typing import Final

from reminders.clinic.models import Clinic
from reminders.clinic.phones import format_phone
from reminders.content.models import Template
from reminders.content.selectors import clinic_values
from reminders.content.starters import starter_text
from reminders.core.rendering import compile_text, render

KEY: Final = "consent_disclosure"


def consent_disclosure(*, clinic: Clinic, language: str) -> str:
    """Return the clinic's words in force in this very language, or else the starter's, with its name filled in.

    English does not stand in for Spanish here: nobody agrees to words in a language they do not read.
    """
    template = (
        Template.objects.filter(clinic=clinic, key=KEY, language=language, published__isnull=False)
        .select_related("published")
        .first()
    )
    own = template.published if template else None
    source = own.body if own else starter_text(key=KEY, language=language)
    values = clinic_values(clinic=clinic, language=language, formatted_phone=format_phone(clinic.phone))
    return render(compile_text(source), values=values)
