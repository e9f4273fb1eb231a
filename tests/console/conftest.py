"""The parts that all stories of the console share: a clinic, its staff, a patient, and a stranger from next door."""

from collections.abc import Callable

import pytest
from django.test import Client

from reminders.clinic.models import Clinic, Clinician, Patient
from tests import factories
from tests.factories import Staff

LogIn = Callable[[Clinician], Client]


@pytest.fixture
def clinic(db: None) -> Clinic:
    return factories.make_clinic()


@pytest.fixture
def staff(clinic: Clinic) -> Staff:
    return factories.make_staff(clinic=clinic)


@pytest.fixture
def patient(clinic: Clinic) -> Patient:
    return factories.make_patient(clinic=clinic)


@pytest.fixture
def stranger(db: None) -> Clinician:
    """The owner of another clinic, who may do everything there and nothing here."""
    return factories.make_clinician(clinic=factories.make_clinic(name="Lakeside Spine"), role="owner")


@pytest.fixture
def log_in() -> LogIn:
    """Return a browser in which this person is logged in."""

    def enter(clinician: Clinician) -> Client:
        client = Client()
        client.force_login(clinician)
        return client

    return enter


@pytest.fixture
def owner(staff: Staff, log_in: LogIn) -> Client:
    """The owner's browser."""
    return log_in(staff.owner)


@pytest.fixture
def therapist(staff: Staff, log_in: LogIn) -> Client:
    """The therapist's browser."""
    return log_in(staff.therapist)
