from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from reminders.clinic.models import Clinic, Patient, ScreeningRecord
from reminders.clinic.selectors import (
    advice_for,
    age_years,
    is_open,
    newest_screening,
    next_opening,
    patients_by_number,
    primary_phone,
    screening_answers,
)
from reminders.core.advice import DrugAdvice, Screening
from tests.factories import make_clinic, make_patient, make_treatment_session, phone_of

CHICAGO = ZoneInfo("America/Chicago")
NOW = datetime(2025, 3, 4, 18, 0, tzinfo=UTC)


@pytest.fixture
def clinic() -> Clinic:
    """Weekdays 8 to 18, Saturday from 20 to 2 in the night, in Chicago; not stored."""
    days = {day: ["08:00", "18:00"] for day in ("mon", "tue", "wed", "thu", "fri")}
    return Clinic(timezone="America/Chicago", opening_hours={**days, "sat": ["20:00", "02:00"]})


def wall(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of March 2025 in Chicago; the 3rd is a Monday, the clock goes forward on the 9th at 2."""
    return datetime(2025, 3, day, hour, minute, tzinfo=CHICAGO)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (wall(3, 7, 59), False),
        (wall(3, 8), True),
        (wall(3, 17, 59), True),
        (wall(3, 18), False),
        (wall(8, 19, 59), False),
        (wall(8, 23), True),
        (wall(9, 1, 59), True),
        (wall(9, 3), False),
    ],
)
def test_opening_hours_are_read_on_the_clinics_clock(clinic: Clinic, at: datetime, expected: bool) -> None:
    assert is_open(clinic=clinic, at=at) is expected


@pytest.mark.parametrize(
    ("at", "opens"),
    [
        (wall(3, 12), wall(3, 12)),
        (wall(3, 7), wall(3, 8)),
        (wall(3, 18), wall(4, 8)),
        (wall(7, 18), wall(8, 20)),
        (wall(9, 12), wall(10, 8)),
    ],
)
def test_the_next_opening_is_found_over_nights_and_weekends(clinic: Clinic, at: datetime, opens: datetime) -> None:
    assert next_opening(clinic=clinic, at=at) == opens


def test_a_clinic_without_hours_never_opens() -> None:
    clinic = Clinic(timezone="America/Chicago", opening_hours={})

    assert is_open(clinic=clinic, at=NOW) is False
    assert next_opening(clinic=clinic, at=NOW) is None


@pytest.mark.django_db
def test_a_shared_phone_finds_both_the_one_treated_last_first() -> None:
    clinic, elsewhere = make_clinic(), make_clinic()
    one = make_patient(clinic=clinic, given_name="Ana")
    two = make_patient(clinic=clinic, given_name="Luis", phone=phone_of(one))
    never_treated = make_patient(clinic=clinic, given_name="Eva", phone=phone_of(one))
    make_patient(clinic=elsewhere, phone=phone_of(one))
    make_treatment_session(patient=two, ended_at=NOW - timedelta(days=3), now=NOW)
    make_treatment_session(patient=one, ended_at=NOW - timedelta(days=1), now=NOW)

    assert patients_by_number(clinic=clinic, number=phone_of(one)) == [one, two, never_treated]


@pytest.mark.django_db
def test_the_newest_screening_counts() -> None:
    patient = make_patient(clinic=make_clinic(), screening=None)
    assert newest_screening(patient=patient) is None
    for days, ulcer in ((3, True), (1, False), (2, None)):
        ScreeningRecord.objects.create(
            clinic=patient.clinic, patient=patient, recorded_at=NOW - timedelta(days=days), ulcer=ulcer
        )

    newest = newest_screening(patient=patient)
    assert newest is not None
    assert newest.ulcer is False
    assert screening_answers(patient=patient) == Screening(ulcer=False)


@pytest.mark.django_db
def test_nobody_asked_is_not_a_screening_full_of_unknowns() -> None:
    assert screening_answers(patient=make_patient(clinic=make_clinic(), screening=None)) is None


@pytest.mark.parametrize(
    ("born", "age"),
    [(date(2007, 3, 4), 18), (date(2007, 3, 5), 17), (date(2004, 2, 29), 21), (None, None)],
)
def test_age_counts_whole_years_where_the_patient_lives(born: date | None, age: int | None) -> None:
    patient = Patient(birth_date=born, timezone="America/Chicago")

    assert age_years(patient=patient, now=datetime(2025, 3, 5, 3, 0, tzinfo=UTC)) == age


@pytest.mark.django_db
def test_advice_follows_the_newest_screening_and_the_age() -> None:
    patient = make_patient(clinic=make_clinic(), birth_date=date(1990, 1, 1), now=NOW)
    session = make_treatment_session(patient=patient, now=NOW)
    assert advice_for(treatment_session=session, now=NOW).drug is DrugAdvice.ANY

    ScreeningRecord.objects.create(clinic=patient.clinic, patient=patient, recorded_at=NOW, anticoagulant=True)

    decision = advice_for(treatment_session=session, now=NOW)
    assert (decision.drug, decision.heat_ok) == (DrugAdvice.NONE, False)


@pytest.mark.django_db
def test_texts_go_to_the_primary_phone() -> None:
    patient = make_patient(clinic=make_clinic(), phone="+13125550123")

    assert primary_phone(patient=patient).number == "+13125550123"
