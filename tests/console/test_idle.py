"""A login that ends for want of use, and what the page that warns asks of the server."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from reminders.clinic.models import Patient
from tests.factories import PASSWORD, Staff


@pytest.fixture
def soon(therapist: Client) -> None:
    """The therapist's login ends in 50 seconds."""
    Session.objects.update(expire_date=timezone.now() + timedelta(seconds=50))


@pytest.mark.usefixtures("soon")
def test_to_ask_how_long_the_login_lasts_does_not_make_it_last_longer(therapist: Client, staff: Staff) -> None:
    answers = [therapist.get("/account/alive/").json() for _ in range(2)]

    assert all(45 <= answer["seconds"] <= 50 for answer in answers)
    assert {answer["who"] for answer in answers} == {staff.therapist.pk}
    assert Session.objects.get().expire_date < timezone.now() + timedelta(seconds=51)


@pytest.mark.usefixtures("soon")
def test_who_stays_gets_fifteen_minutes_more(therapist: Client) -> None:
    assert therapist.post("/account/alive/").json()["seconds"] == 900

    assert Session.objects.get().expire_date > timezone.now() + timedelta(minutes=14)


def test_a_login_without_use_has_ended_for_the_server_too(therapist: Client) -> None:
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))

    assert therapist.get("/account/alive/").status_code == 302
    assert therapist.post("/account/alive/").status_code == 302
    assert therapist.get("/").status_code == 302


def test_words_sent_after_the_login_ended_come_back_to_be_copied(therapist: Client, patient: Patient) -> None:
    Session.objects.all().delete()

    answer = therapist.post(f"/patients/{patient.pk}/write/", {"body": "Please rest <the> arm.", "key": "k"})

    page = answer.content.decode()
    assert answer.status_code == 401
    assert "Please rest &lt;the&gt; arm.</textarea>" in page
    assert "Nothing was saved or sent" in page
    assert patient.display_name not in page


def test_a_password_sent_after_the_login_ended_does_not_come_back(therapist: Client) -> None:
    Session.objects.all().delete()

    answer = therapist.post("/account/password/", {"current": PASSWORD, "password": "a b c d", "again": "a b c d"})

    assert answer.status_code == 302
    assert answer["Location"].startswith("/login/")
