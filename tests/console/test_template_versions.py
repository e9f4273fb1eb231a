"""One version of a text: what it changed, whom it reaches, and taking its words up again."""

import pytest
from django.test import Client

from reminders import clock
from reminders.clinic.models import Clinic, Patient
from reminders.content.models import Template
from reminders.content.services import publish, save_draft
from tests import factories
from tests.console.conftest import LogIn
from tests.factories import Staff

TEXT = "{{ clinic_name }}: how sore are you, 0 to 10?{% if is_first %} Reply STOP to end.{% endif %}"


@pytest.fixture
def template(clinic: Clinic, staff: Staff) -> Template:
    """Two published versions, the second one in force."""
    for body in (TEXT, TEXT.replace("sore", "stiff")):
        publish(clinic=clinic, key="check_in", language="en", body=body, author=staff.therapist, now=clock.now())
    return Template.objects.get(clinic=clinic, key="check_in", language="en")


def _page(client: Client, number: int) -> str:
    return client.get(f"/templates/check_in/en/versions/{number}/").content.decode()


def test_the_version_in_force_is_shown_against_the_one_before(therapist: Client, template: Template) -> None:
    page = _page(therapist, 2)

    assert "From version 1 to version 2" in page
    assert "sore <span" in page.split("<del>")[1].split("</del>")[0]
    assert "stiff <span" in page.split("<ins>")[1].split("</ins>")[0]
    assert "These are the words in force." in page


def test_a_draft_is_shown_against_the_words_in_force(therapist: Client, clinic: Clinic, template: Template) -> None:
    save_draft(clinic=clinic, key="check_in", language="en", body=TEXT, author=None, now=clock.now())

    assert "From version 2 to the draft" in _page(therapist, 3)


def test_the_page_counts_the_planned_texts_that_carry_the_words(
    therapist: Client, template: Template, patient: Patient
) -> None:
    older = template.versions.get(number=1)
    factories.make_message(patient=patient, state="scheduled", template_version=older)
    factories.make_message(patient=patient, state="delivered", template_version=older)

    assert "1 planned text will leave with these older words of this version." in _page(therapist, 1)
    assert "No planned text carries these words." in _page(therapist, 2)


def test_older_words_come_back_as_a_draft_and_patients_get_the_same_as_before(
    therapist: Client, template: Template
) -> None:
    therapist.post("/templates/check_in/en/versions/1/restore/")

    template.refresh_from_db()
    draft = template.versions.get(published_at__isnull=True)
    assert draft.body == TEXT
    assert template.published is not None
    assert template.published.number == 2


def test_a_front_desk_may_look_but_not_restore(log_in: LogIn, staff: Staff, template: Template) -> None:
    client = log_in(staff.front_desk)

    assert "Make these words the draft" not in _page(client, 1)
    assert client.post("/templates/check_in/en/versions/1/restore/").status_code == 403


def test_a_version_that_never_was_is_not_found(therapist: Client, template: Template) -> None:
    assert therapist.get("/templates/check_in/en/versions/9/").status_code == 404
