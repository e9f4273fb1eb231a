"""Publishing words: what cannot be sent, or leaves out what it has to say, is refused at the service."""

from datetime import UTC, datetime
from itertools import product

import pytest

from reminders.clinic.models import AuditEvent, Clinic
from reminders.content.models import Template
from reminders.content.selectors import published_text
from reminders.content.services import load_starters, publish, save_draft
from reminders.core.rendering import TemplateError
from reminders.core.text_variables import LANGUAGES
from reminders.core.texts import TEXTS
from tests.factories import make_clinic, make_clinician

NOW = datetime(2025, 3, 4, 18, 0, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic() -> Clinic:
    clinic = make_clinic()
    load_starters(clinic=clinic, now=NOW)
    return clinic


def say(clinic: Clinic, key: str, body: str, *, language: str = "en") -> int:
    """Publish words as a therapist does; return the version's number."""
    author = make_clinician(clinic=clinic)
    return publish(clinic=clinic, key=key, language=language, body=body, author=author, now=NOW).number


def test_a_text_that_owes_words_is_not_published_without_them(clinic: Clinic) -> None:
    owing = [key for key, text in TEXTS.items() if text.must_say or text.must_name or text.planned]
    assert len(owing) > 15
    for key, language in product(owing, LANGUAGES):
        with pytest.raises(TemplateError) as refused:
            say(clinic, key, "Please call us soon.", language=language)

        assert refused.value.code == "must_say", key
        assert published_text(clinic=clinic, key=key, language=language).number == 1


def test_an_emergency_text_without_911_leaves_the_one_in_force_as_it_was(clinic: Clinic) -> None:
    before = published_text(clinic=clinic, key="emergency", language="en").body

    with pytest.raises(TemplateError, match="Let the text say 911"):
        say(clinic, "emergency", "Please call us at {{ clinic_phone }}.")

    assert published_text(clinic=clinic, key="emergency", language="en").body == before
    template = Template.objects.get(clinic=clinic, key="emergency", language="en")
    assert template.versions.count() == 1, "no draft is left behind"
    assert not AuditEvent.objects.filter(clinic=clinic, verb="published", clinician__isnull=False).exists()


def test_words_that_say_911_on_one_branch_only_are_refused(clinic: Clinic) -> None:
    with pytest.raises(TemplateError, match="Let the text say 911, in every case"):
        say(clinic, "unknown_number", "{{ clinic_name }} {{ clinic_phone }}{% if booking_url %} Call 911.{% endif %}")


def test_a_name_that_nobody_knows_when_the_text_leaves_is_refused(clinic: Clinic) -> None:
    with pytest.raises(TemplateError) as refused:
        say(clinic, "emergency", "Call 911. {% if technique == 'deep' %}Now.{% endif %}")

    assert refused.value.code == "variable_not_here"


def test_a_draft_that_was_kept_is_checked_when_it_is_published(clinic: Clinic) -> None:
    draft = save_draft(clinic=clinic, key="emergency", language="en", body="Call us.", author=None, now=NOW)

    with pytest.raises(TemplateError, match="Let the text say 911"):
        say(clinic, "emergency", draft.body)

    draft.refresh_from_db()
    assert draft.published_at is None
    assert say(clinic, "emergency", "Call 911 now.") == draft.number == 2


def test_a_text_outside_the_catalogue_has_to_be_one_that_can_be_sent(clinic: Clinic) -> None:
    with pytest.raises(TemplateError) as refused:
        say(clinic, "my_stretches", "{% for one in many %}{{ one }}{% endfor %}")

    assert refused.value.code == "not_allowed"
    assert say(clinic, "my_stretches", "Reach for the ceiling.") == 1
