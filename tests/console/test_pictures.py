"""Pictures on the pages: staff of the clinic see them, nobody else does, and what is missing says why."""

import pytest
from django.test import Client
from pytest_django import Settings

from reminders import clock
from reminders.clinic.models import AuditEvent, Clinician, Patient
from reminders.conversations.models import InboundMessage, Picture
from tests import factories
from tests.console.conftest import LogIn
from tests.factories.answers import PNG


@pytest.fixture
def text(patient: Patient) -> InboundMessage:
    media = [{"url": "https://carrier.example/0", "type": "image/jpeg"}]
    return factories.make_inbound(patient=patient, body="", media=media, inbox="open", inbox_reason="photo")


def test_a_picture_is_served_as_what_it_is_and_as_nothing_that_could_run(
    therapist: Client, text: InboundMessage
) -> None:
    row = factories.make_picture(inbound=text)

    answer = therapist.get(f"/pictures/{row.public_id}/")

    assert (answer.status_code, answer.content) == (200, PNG)
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["Content-Disposition"] == 'inline; filename="picture.png"'


def test_it_is_on_every_page_that_shows_the_text(therapist: Client, text: InboundMessage, patient: Patient) -> None:
    row = factories.make_picture(inbound=text)
    case = factories.make_escalation(patient=patient, inbound=text)

    for page in ("/", f"/patients/{patient.pk}/", f"/escalations/{case.pk}/"):
        html = therapist.get(page).content.decode()
        assert f'<img src="/pictures/{row.public_id}/" alt="Picture 1 of 1' in html, page
        assert "A picture without words." in html, page


def test_staff_of_another_clinic_find_nothing_and_a_stranger_is_asked_to_log_in(
    text: InboundMessage, stranger: Clinician, log_in: LogIn
) -> None:
    address = f"/pictures/{factories.make_picture(inbound=text).public_id}/"

    assert log_in(stranger).get(address).status_code == 404
    assert Client().get(address).headers["Location"].startswith("/login/")


def test_what_is_not_kept_says_so_in_words(therapist: Client, text: InboundMessage, patient: Patient) -> None:
    row = Picture.objects.create(clinic=patient.clinic, inbound=text, position=0, next_try_at=clock.now())
    assert "is being fetched from the carrier." in therapist.get("/").content.decode()

    Picture.objects.update(state="refused", refusal="too_large", next_try_at=None)
    assert "Picture 1 of 1 is not shown: it is larger than 5 MB." in therapist.get("/").content.decode()
    assert therapist.get(f"/pictures/{row.public_id}/").status_code == 404


def test_a_picture_that_browsers_do_not_draw_is_downloaded(therapist: Client, text: InboundMessage) -> None:
    row = factories.make_picture(inbound=text, media_type="image/heic")

    html = therapist.get("/").content.decode()
    answer = therapist.get(f"/pictures/{row.public_id}/")

    assert f'<img src="/pictures/{row.public_id}/"' not in html
    assert f'href="/pictures/{row.public_id}/" download' in html
    assert answer.headers["Content-Disposition"] == 'attachment; filename="picture.heic"'


def test_a_picture_whose_key_is_gone_is_not_found(therapist: Client, text: InboundMessage, settings: Settings) -> None:
    row = factories.make_picture(inbound=text)
    settings.MEDIA_KEYS = ("d" * 43 + "=",)

    assert therapist.get(f"/pictures/{row.public_id}/").status_code == 404


def test_a_page_that_refreshes_its_pictures_keeps_nobody_logged_in(therapist: Client, text: InboundMessage) -> None:
    row = factories.make_picture(inbound=text)

    assert "sessionid" not in therapist.get(f"/pictures/{row.public_id}/").cookies
    assert "sessionid" in therapist.get("/").cookies


def test_who_looked_is_on_record_once_an_hour(
    therapist: Client, text: InboundMessage, patient: Patient, stranger: Clinician, log_in: LogIn
) -> None:
    row = factories.make_picture(inbound=text)
    for _look in range(3):
        therapist.get(f"/pictures/{row.public_id}/")
    log_in(stranger).get(f"/pictures/{row.public_id}/")

    (event,) = AuditEvent.objects.filter(verb="picture_opened")
    assert (event.subject_id, event.patient_id) == (row.pk, patient.pk)
    assert "Picture looked at" in therapist.get(f"/patients/{patient.pk}/").content.decode()

    AuditEvent.objects.filter(pk=event.pk).delete()
    therapist.get(f"/pictures/{row.public_id}/")
    assert AuditEvent.objects.filter(verb="picture_opened").count() == 1
