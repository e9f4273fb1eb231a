"""Protocols: their steps in words, and a story played through without sending anything."""

from datetime import date

import pytest
from django.test import Client

from reminders import clock
from reminders.clinic.models import AuditEvent, Clinic, Clinician, Patient
from reminders.content.services import load_starters
from reminders.messaging.models import Message
from tests import factories
from tests.console.conftest import LogIn

STORY = {
    "technique": "deep",
    "region": "thorax",
    "language": "en",
    "ended_on": "2026-10-31",
    "ended_at": "10:30",
}
PAGE = "/protocols/dry-needling/"


@pytest.fixture
def starters(clinic: Clinic) -> None:
    load_starters(clinic=clinic, now=clock.now())


@pytest.mark.usefixtures("starters")
def test_the_steps_and_numbers_in_force_are_said_in_words(therapist: Client) -> None:
    page = therapist.get(PAGE).content.decode()

    assert "24 h after the session" in page
    assert "4 h after the question" in page
    assert "Soreness persists from <b>4 of 10</b>" in page


@pytest.mark.usefixtures("starters")
def test_a_danger_sign_over_the_autumn_change_of_the_clock_is_played_to_the_minute(therapist: Client) -> None:
    page = therapist.post(PAGE, {**STORY, "first": "1 but I cannot catch my breath"}).content.decode()
    story = page.split('id="story"')[1]

    assert "The clock went back an hour." in story
    assert "9:30 AM CST" in story
    assert "Call 911 or go to the ER now." in story
    assert "The on-call ladder rings until somebody takes it." in story


@pytest.mark.usefixtures("starters")
def test_a_rehearsal_stores_and_sends_nothing(therapist: Client) -> None:
    before = (Message.objects.count(), AuditEvent.objects.count())

    therapist.post(PAGE, {**STORY, "first": "7, worse", "second": "STOP"})

    assert (Message.objects.count(), AuditEvent.objects.count()) == before


@pytest.mark.usefixtures("starters")
def test_spanish_words_are_played_in_spanish(therapist: Client) -> None:
    page = therapist.post(PAGE, {**STORY, "language": "es", "first": "2 de dolor"}).content.decode()

    assert "read as: fine, 2 of 10" in page
    assert "Gracias" in page


@pytest.mark.usefixtures("starters")
def test_what_is_typed_stays_where_something_is_wrong(therapist: Client) -> None:
    response = therapist.post(PAGE, {**STORY, "ended_on": "soon", "first": "7, worse"})

    assert response.status_code == 422
    assert 'value="7, worse"' in response.content.decode()


@pytest.mark.usefixtures("starters")
def test_a_stranger_sees_none_of_it(stranger: Clinician, log_in: LogIn) -> None:
    assert log_in(stranger).get(PAGE).status_code == 404


@pytest.mark.usefixtures("starters")
def test_a_story_can_be_played_as_a_patient_with_their_zone_language_and_screening(
    therapist: Client, clinic: Clinic
) -> None:
    patient = factories.make_patient(
        clinic=clinic,
        given_name="Alma",
        family_name="Ruiz",
        language="es",
        timezone="America/Denver",
        screening=factories.NOTHING_TO_REPORT,
    )
    factories.make_treatment_session(patient=patient, technique="electro", regions=["hip"])
    address = f"{PAGE}?patient={patient.pk}"

    found = therapist.post(PAGE, {"q": "ruiz"}).content.decode()
    page = therapist.get(address).content.decode()
    story = therapist.post(address, {**STORY, "technique": "electro", "language": "es", "first": "2"}).content.decode()

    assert f'href="{address}#rehearsal"' in found
    assert '<option value="electro" selected>' in page
    assert '<option value="es" selected>' in page
    assert "11:30 AM MDT" in story.split('id="story"')[1]
    assert "Gracias" in story
    assert "Keep this story as a check" not in story, "a check holds nothing of a patient"


@pytest.mark.usefixtures("starters")
def test_what_the_screening_allows_decides_the_words_of_a_story(therapist: Client, clinic: Clinic) -> None:
    born = date(1980, 5, 1)
    free = factories.make_patient(clinic=clinic, screening=factories.NOTHING_TO_REPORT, birth_date=born)
    facts = factories.NOTHING_TO_REPORT | {"reduced_sensation": True, "anticoagulant": True}
    careful = factories.make_patient(clinic=clinic, screening=facts, birth_date=born)

    told = [therapist.post(f"{PAGE}?patient={one.pk}", STORY).content.decode() for one in (free, careful)]

    assert [words.split('id="story"')[1].split('id="details"')[0].count("ibuprofen") for words in told] == [1, 0]


@pytest.mark.usefixtures("starters")
def test_nobody_rehearses_as_a_patient_of_another_clinic(stranger: Clinician, log_in: LogIn, patient: Patient) -> None:
    load_starters(clinic=stranger.clinic, now=clock.now())

    assert log_in(stranger).get(f"{PAGE}?patient={patient.pk}").status_code == 404
    assert patient.display_name not in log_in(stranger).post(PAGE, {"q": patient.family_name}).content.decode()
