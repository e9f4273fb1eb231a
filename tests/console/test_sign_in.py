"""Logging in and out."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from tests.factories import PASSWORD, Staff


def _try(client: Client, username: str, password: str) -> bytes:
    return client.post("/login/", {"username": username, "password": password}).content


def test_the_therapist_logs_in_and_sees_today(staff: Staff) -> None:
    client = Client()

    response = client.post("/login/", {"username": staff.therapist.username, "password": PASSWORD})

    assert response["Location"] == "/"
    assert client.get("/").status_code == 200


def test_a_wrong_password_is_told_at_the_top_with_focus(staff: Staff) -> None:
    page = _try(Client(), staff.therapist.username, "wrong").decode()

    assert "User name or password is not right" in page
    assert "autofocus" in page


def test_after_five_failures_even_the_right_password_waits(staff: Staff) -> None:
    client = Client()
    for _ in range(5):
        _try(client, staff.therapist.username, "wrong")

    page = _try(client, staff.therapist.username, PASSWORD).decode()

    assert "Too many tries" in page
    assert b"is not right" in _try(client, staff.owner.username, "wrong"), "another name is not held up"


def test_logging_out_takes_a_post(therapist: Client) -> None:
    assert therapist.get("/logout/").status_code == 405
    assert therapist.post("/logout/")["Location"] == "/login/"
    assert therapist.get("/").status_code == 302


@pytest.mark.parametrize(("address", "counts"), [("/patients/", True), ("/today/live/", False)])
def test_a_page_that_refreshes_itself_does_not_keep_the_login_alive(
    therapist: Client, address: str, counts: bool
) -> None:
    soon = timezone.now() + timedelta(minutes=2)
    Session.objects.update(expire_date=soon)

    therapist.get(address)

    assert (Session.objects.get().expire_date > soon + timedelta(minutes=1)) is counts
