"""A clinic with a patient, at a moment on the database's own clock."""

from datetime import datetime

import pytest

from reminders import clock
from reminders.clinic.models import Clinic, Patient
from tests.factories import make_clinic, make_patient


@pytest.fixture
def now(db: None) -> datetime:
    """The product's present."""
    return clock.now()


@pytest.fixture
def clinic(db: None) -> Clinic:
    """A clinic with one sender."""
    return make_clinic()


@pytest.fixture
def patient(clinic: Clinic) -> Patient:
    """A patient who agreed to texts."""
    return make_patient(clinic=clinic)
