"""Logging in and out."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.utils import timezone

from reminders.console.models import SignInBrake
from reminders.console.sign_in_brake import FAILURES_ALLOWED, WAIT, forgive, take_try
from tests.factories import PASSWORD, Staff, make_clinic, make_clinician
from tests.messaging.threads import run_at_once

NOW = datetime(2025, 3, 4, 18, 0, tzinfo=UTC)

# Another web process: tries four wrong passwords for the name it is given, and ends.
GUESSER = """
import os, sys
import django
django.setup()
from django.db import connections
from django.test import Client
connections.databases["default"]["NAME"] = sys.argv[2]
for _ in range(4):
    page = Client().post("/login/", {"username": sys.argv[1], "password": "wrong"}).content.decode()
    assert "is not right" in page, page
"""


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


def test_the_login_of_the_administration_has_the_same_brake(staff: Staff) -> None:
    owner = staff.owner
    owner.is_staff = owner.is_superuser = True
    owner.save()
    client = Client()
    for _ in range(5):
        client.post("/admin/login/", {"username": owner.username, "password": "wrong"})

    page = client.post("/admin/login/", {"username": owner.username, "password": PASSWORD}).content.decode()

    assert "Too many tries" in page
    assert "Too many tries" in _try(Client(), owner.username, PASSWORD).decode(), "both doors count together"


@pytest.mark.django_db(transaction=True)
def test_failures_at_another_web_process_count_here() -> None:
    theo = make_clinician(clinic=make_clinic())
    assert b"is not right" in _try(Client(), theo.username, "wrong")

    subprocess.run(
        [sys.executable, "-c", GUESSER, theo.username, connection.settings_dict["NAME"]],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}, check=True, timeout=60,
    )  # fmt: skip

    assert b"Too many tries" in _try(Client(), theo.username, PASSWORD)


@pytest.mark.django_db(transaction=True)
def test_of_many_tries_at_the_same_moment_no_more_than_five_are_looked_at() -> None:
    def guess() -> bool:
        return take_try(username="theo", address="192.0.2.1", now=NOW)

    assert sorted(run_at_once([guess] * 12)) == [False] * 7 + [True] * 5


def test_a_form_sent_without_a_password_neither_counts_nor_wipes_out_failures(staff: Staff) -> None:
    client = Client()
    for _ in range(4):
        _try(client, staff.therapist.username, "wrong")
        assert b"This field is required" in _try(client, staff.therapist.username, "")

    assert b"is not right" in _try(client, staff.therapist.username, "wrong")
    assert b"Too many tries" in _try(client, staff.therapist.username, PASSWORD)


def test_a_right_password_wipes_out_earlier_failures(staff: Staff) -> None:
    for _ in range(4):
        _try(Client(), staff.therapist.username, "wrong")
    _try(Client(), staff.therapist.username, PASSWORD)

    assert SignInBrake.objects.count() == 0


def test_the_brake_lets_go_fifteen_minutes_after_the_fifth_failure(db: None) -> None:
    def guess(at: datetime) -> bool:
        return take_try(username="theo", address="192.0.2.1", now=at)

    for minute in range(FAILURES_ALLOWED):
        assert guess(NOW + timedelta(minutes=minute))
    fifth = NOW + timedelta(minutes=FAILURES_ALLOWED - 1)

    assert not guess(fifth + WAIT - timedelta(seconds=1))
    assert guess(fifth + WAIT), "a refused try did not make it longer"


def test_a_name_counts_however_it_is_written_and_each_address_for_itself(db: None) -> None:
    for _ in range(FAILURES_ALLOWED):
        take_try(username="Theo", address="192.0.2.1", now=NOW)

    assert not take_try(username=" theo ", address="192.0.2.1", now=NOW)
    assert take_try(username="theo", address="192.0.2.2", now=NOW)
    assert take_try(username="fran", address="192.0.2.1", now=NOW)
    forgive(username="theo", address="192.0.2.1")
    assert take_try(username="theo", address="192.0.2.1", now=NOW)


def test_the_table_of_failures_holds_no_names_and_forgets_old_ones(db: None) -> None:
    for number in range(3):
        take_try(username=f"name-{number}", address="192.0.2.1", now=NOW)
    assert not SignInBrake.objects.filter(who__contains="name").exists()

    take_try(username="theo", address="192.0.2.1", now=NOW + WAIT)

    assert SignInBrake.objects.count() == 1


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
