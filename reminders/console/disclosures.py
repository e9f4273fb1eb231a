"""The words of consent on the session form: what was shown is what is kept with the yes.

The words travel with the form, signed. So a text that is published, or a clinic renamed, between the moment when a
patient hears the words and the moment when the form is sent does not change what the record says they agreed to.
"""

from collections.abc import Mapping

from django.core import signing

from reminders.clinic.models import Clinic
from reminders.console.wording import LANGUAGES
from reminders.content.disclosure import consent_disclosure


def words_to_show(clinic: Clinic) -> dict[str, str]:
    """Return the words in force, by language."""
    return {language: consent_disclosure(clinic=clinic, language=language) for language in LANGUAGES}


def seal(words: Mapping[str, str], *, clinic: Clinic) -> str:
    """Return the words as a hidden field carries them, signed for this clinic."""
    return signing.dumps(dict(words), salt=_salt(clinic), compress=True)


def unseal(sealed: str, *, clinic: Clinic) -> dict[str, str] | None:
    """Return the words that were shown, or None where the field does not hold words we signed for this clinic."""
    try:
        words: dict[str, str] = signing.loads(sealed, salt=_salt(clinic))
    except signing.BadSignature:
        return None
    return words


def _salt(clinic: Clinic) -> str:
    return f"reminders.console.disclosures:{clinic.pk}"
