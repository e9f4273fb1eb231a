"""The way in for staff where no owner can make one."""

import pytest
from click.testing import CliRunner, Result
from django.test import Client

from reminders import clock
from reminders.clinic import one_time_codes
from reminders.clinic.account_models import OneTimeSecret
from reminders.clinic.models import AuditEvent
from reminders.management.staff_link import staff_link
from tests.factories import make_clinic, make_clinician

pytestmark = pytest.mark.django_db


def run(*words: str) -> Result:
    return CliRunner().invoke(staff_link, list(words))


def test_an_owner_who_lost_password_and_phone_is_let_in() -> None:
    owner = make_clinician(clinic=make_clinic(), role="owner")
    one_time_codes.start(clinician=owner, now=clock.now())
    OneTimeSecret.objects.update(confirmed_at=clock.now())

    made = run(owner.username, "--end-codes")

    link = made.stdout.strip().removeprefix("http://testserver")
    client = Client()
    client.get(link)
    client.post("/welcome/", {"password": "seventeen green umbrellas", "again": "seventeen green umbrellas"})
    entered = client.post("/login/", {"username": owner.username, "password": "seventeen green umbrellas"})
    assert entered["Location"] == "/"
    events = AuditEvent.objects.filter(actor="system").values_list("verb", flat=True)
    assert set(events) == {"codes_turned_off", "password_link_made"}


def test_without_being_asked_to_it_leaves_one_time_codes_on() -> None:
    owner = make_clinician(clinic=make_clinic(), role="owner")
    one_time_codes.start(clinician=owner, now=clock.now())
    OneTimeSecret.objects.update(confirmed_at=clock.now())

    run(owner.username)

    assert one_time_codes.is_on(clinician=owner)


def test_an_unknown_name_is_told() -> None:
    assert run("nobody").exit_code == 2
