"""What helps an author: how hard a text is, plain characters for dear ones, and the text on one's own phone."""

import re

import pytest
from django.test import Client

from reminders.clinic.models import Clinic
from reminders.messaging.models import Message
from tests.console.conftest import LogIn
from tests.factories import Staff

ADDRESS = "/templates/check_in/en/"
HARD = "{{ clinic_name }}: physiological regeneration necessitates individualized thermotherapeutic interventions."


def _key(client: Client) -> str:
    found = re.search(r'name="test_key" value="([^"]+)"', client.get(ADDRESS).content.decode())
    assert found is not None
    return found[1]


def test_the_preview_says_how_hard_a_text_is_in_both_languages(therapist: Client) -> None:
    easy = therapist.post(f"{ADDRESS}preview/", {"body": "{{ clinic_name }}: how sore are you, 0 to 10?"})
    hard = therapist.post(f"{ADDRESS}preview/", {"body": HARD})
    spanish = therapist.post("/templates/check_in/es/preview/", {"body": "{{ clinic_name }}: dime si te duele hoy."})

    assert "easy enough (6 or lower)" in easy.content.decode()
    assert "it should be 6 or lower" in hard.content.decode()
    assert "easy enough (70 or more)" in spanish.content.decode()


def test_one_press_replaces_what_makes_a_text_dear_and_stores_nothing(therapist: Client, clinic: Clinic) -> None:
    dear = "{{ clinic_name }}: “¿Le dolió?” – sí… é ñ 💪"

    shown = therapist.post(f"{ADDRESS}preview/", {"body": dear}).content.decode()
    page = therapist.post(ADDRESS, {"body": dear, "action": "plain"}).content.decode()

    assert "Replace with plain characters" in shown
    words = page[page.index("<textarea") : page.index("</textarea>")]
    assert "&quot;¿Le dolio?&quot; - si... é ñ 💪" in words
    assert "Replace with plain characters" not in page, "an emoji has no plain twin"
    assert not clinic.templates.exists()


def test_the_words_as_they_stand_come_to_ones_own_phone_once_a_press(
    therapist: Client, staff: Staff, clinic: Clinic
) -> None:
    form = {"body": "{{ clinic_name }}: how sore, 0 to 10?", "action": "test", "test_key": _key(therapist)}

    for _press in range(2):
        assert "On its way to your phone" in therapist.post(ADDRESS, form).content.decode()

    message = Message.objects.get()
    assert message.to_number == staff.therapist.phone
    assert message.body == f"{clinic.name}: how sore, 0 to 10?"
    assert (message.patient_id, message.clinician_id) == (None, staff.therapist.pk)
    assert not clinic.templates.exists()


def test_without_a_phone_of_ones_own_it_says_what_to_do_and_keeps_the_words(therapist: Client, staff: Staff) -> None:
    staff.therapist.phone = ""
    staff.therapist.save()

    refused = therapist.post(ADDRESS, {"body": "My new words", "action": "test", "test_key": _key(therapist)})

    assert refused.status_code == 422
    assert "Your account has no phone yet" in refused.content.decode()
    assert "My new words" in refused.content.decode()
    assert not Message.objects.exists()


@pytest.mark.parametrize("body", ["{{ nobody }}", "{% if %}"])
def test_words_that_cannot_be_read_are_not_texted(therapist: Client, body: str) -> None:
    refused = therapist.post(ADDRESS, {"body": body, "action": "test", "test_key": _key(therapist)})

    assert refused.status_code == 422
    assert not Message.objects.exists()


def test_a_viewer_does_not_text(staff: Staff, log_in: LogIn) -> None:
    viewer = log_in(staff.viewer)

    assert viewer.post(ADDRESS, {"body": "x", "action": "test"}).status_code == 403
    assert "Text it to me" not in viewer.get(ADDRESS).content.decode()
