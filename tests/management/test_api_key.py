import pytest
from click.testing import CliRunner, Result

from reminders import clock
from reminders.clinic.services import authenticate_api_key
from reminders.management.api_keys import api_key
from tests.factories import make_clinic

pytestmark = pytest.mark.django_db


def run(*words: str) -> Result:
    return CliRunner().invoke(api_key, list(words))


def test_a_key_is_made_listed_and_ended() -> None:
    clinic = make_clinic()
    made = run("create", "--label", "EHR")
    plain = made.stdout.strip()
    assert authenticate_api_key(plain, clock.now()) == clinic

    listed = run("list").output
    assert "EHR" in listed
    assert "last used" in listed
    assert plain not in listed

    assert run("revoke", listed.split()[0]).output == "Revoked.\n"
    assert authenticate_api_key(plain, clock.now()) is None
    assert "revoked" in run("list").output


def test_a_key_of_another_clinic_cannot_be_ended() -> None:
    make_clinic(slug="northside")
    make_clinic(slug="southside")
    run("create", "--clinic", "northside", "--label", "EHR")
    prefix = run("list", "--clinic", "northside").output.split()[0]

    assert run("revoke", "--clinic", "southside", prefix).exit_code == 2
    assert run("list").exit_code == 2
