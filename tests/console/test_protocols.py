"""Protocols: their steps in words, and a story played through without sending anything."""

import pytest
from django.test import Client

from reminders import clock
from reminders.clinic.models import AuditEvent, Clinic, Clinician
from reminders.content.services import load_starters
from reminders.messaging.models import Message
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
