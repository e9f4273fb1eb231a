"""Correcting a patient by hand: what is stored, what is planned anew, and what nobody may lose."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from django.test import Client

from reminders.clinic.models import AuditEvent, Clinic, Clinician, Patient
from reminders.clinic.selectors import newest_screening
from tests import factories
from tests.console.conftest import LogIn
from tests.factories import Staff


def _address(patient: Patient) -> str:
    return f"/patients/{patient.pk}/correct/"


def _form(client: Client, patient: Patient, **typed: str) -> dict[str, str]:
    """The form as the page gives it out, with what was typed over it."""
    page = client.get(_address(patient)).content.decode()
    values = {
        name: value
        for tag in re.findall(r"<input[^>]+>", page)
        if 'type="radio"' not in tag or "checked" in tag
        for name, value in [(_attribute(tag, "name"), _attribute(tag, "value"))]
        if name and name not in {"csrfmiddlewaretoken", "q"}
    }
    for name in ("language", "timezone"):
        options = re.search(rf'<select name="{name}".*?</select>', page, re.DOTALL)
        assert options is not None
        chosen = re.search(r'value="([^"]*)" selected', options[0])
        values[name] = chosen[1] if chosen else ""
    return values | typed


def _attribute(tag: str, name: str) -> str:
    found = re.search(rf' {name}="([^"]*)"', tag)
    return found[1] if found else ""


@pytest.fixture
def dana(clinic: Clinic) -> Patient:
    return factories.make_patient(clinic=clinic, given_name="Dana", family_name="Reyes", birth_date=date(1980, 5, 17))


def test_the_form_shows_what_is_on_file_and_saving_it_changes_nothing(therapist: Client, dana: Patient) -> None:
    saved = therapist.post(_address(dana), _form(therapist, dana), follow=True)

    assert "Nothing was changed" in saved.content.decode()
    assert not AuditEvent.objects.filter(verb="patient_corrected").exists()


def test_a_correction_is_stored_and_on_record_without_the_words(therapist: Client, dana: Patient, staff: Staff) -> None:
    therapist.post(_address(dana), _form(therapist, dana, given_name="Diana", family_name="", birth_date=""))

    dana.refresh_from_db()
    assert (dana.given_name, dana.family_name, dana.birth_date) == ("Diana", "", None)
    event = AuditEvent.objects.get(verb="patient_corrected")
    assert (event.clinician_id, event.patient_id) == (staff.therapist.pk, dana.pk)
    assert event.details == {"fields": ["given_name", "family_name", "birth_date"]}


def test_a_running_course_is_planned_anew_and_an_old_one_is_left(therapist: Client, dana: Patient) -> None:
    running = factories.make_treatment_session(patient=dana, planned_revision=1)
    old = factories.make_treatment_session(
        patient=dana, planned_revision=1, ended_at=datetime.now(UTC) - timedelta(days=9)
    )

    therapist.post(_address(dana), _form(therapist, dana, language="es"))

    running.refresh_from_db()
    old.refresh_from_db()
    assert (running.revision, old.revision) == (2, 1)


def test_a_record_number_changes_no_plan(therapist: Client, dana: Patient) -> None:
    running = factories.make_treatment_session(patient=dana, planned_revision=1)

    therapist.post(_address(dana), _form(therapist, dana, patient_external_id="EHR-9"))

    running.refresh_from_db()
    assert running.revision == 1


def test_a_new_phone_needs_its_own_yes_and_the_old_one_stays_on_file(therapist: Client, dana: Patient) -> None:
    old = factories.phone_of(dana)

    saved = therapist.post(_address(dana), _form(therapist, dana, phone="(312) 555-0171"))

    new = dana.phones.get(is_primary=True)
    assert new.number == "+13125550171"
    assert dana.phones.get(is_primary=False).number == old
    assert saved["Location"] == f"/phones/{new.pk}/consent/"
    assert "Nobody has agreed to texts on this phone" in therapist.get(saved["Location"]).content.decode()


def test_a_phone_that_somebody_else_has_is_stored_and_pointed_at(
    therapist: Client, clinic: Clinic, dana: Patient
) -> None:
    other = factories.make_patient(clinic=clinic, given_name="Ray")

    saved = therapist.post(_address(dana), _form(therapist, dana, phone=factories.phone_of(other)), follow=True)

    assert "Another patient has this phone too" in saved.content.decode()


def test_screening_is_a_new_dated_row_and_a_yes_is_not_taken_back_by_silence(therapist: Client, clinic: Clinic) -> None:
    patient = factories.make_patient(clinic=clinic, screening={"anticoagulant": True})
    running = factories.make_treatment_session(patient=patient, planned_revision=1)

    therapist.post(_address(patient), _form(therapist, patient, anticoagulant="", ulcer="yes"))

    newest = newest_screening(patient=patient)
    assert newest is not None
    assert (newest.anticoagulant, newest.ulcer, patient.screenings.count()) == (True, True, 2)
    running.refresh_from_db()
    assert running.revision == 2


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"given_name": ""}, "This is needed and it is missing."),
        ({"phone": "12"}, "too many or too few digits"),
        ({"birth_date": "1980-17-05"}, "Write the date of birth as year-month-day"),
        ({"family_name": "=SUM(A1)"}, "Write the name as it is spoken"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_typed_is_lost(
    therapist: Client, dana: Patient, typed: dict[str, str], sentence: str
) -> None:
    refused = therapist.post(_address(dana), _form(therapist, dana, patient_external_id="EHR-9", **typed))

    page = refused.content.decode()
    assert refused.status_code == 422
    assert sentence in page
    assert 'value="EHR-9"' in page
    dana.refresh_from_db()
    assert (dana.given_name, dana.family_name) == ("Dana", "Reyes")


def test_a_record_number_of_somebody_else_is_refused(therapist: Client, clinic: Clinic, dana: Patient) -> None:
    factories.make_patient(clinic=clinic, external_id="EHR-9")

    refused = therapist.post(_address(dana), _form(therapist, dana, patient_external_id="EHR-9"))

    assert refused.status_code == 422
    assert "Another patient has this record number" in refused.content.decode()


def test_of_two_colleagues_the_later_is_told_and_can_save_after_looking(therapist: Client, dana: Patient) -> None:
    late = _form(therapist, dana, family_name="Ruiz")
    therapist.post(_address(dana), _form(therapist, dana, language="es"))

    refused = therapist.post(_address(dana), late)

    page = refused.content.decode()
    assert refused.status_code == 422
    assert "Somebody changed this patient while you were typing" in page
    seen = re.search(r'name="seen" value="([^"]+)"', page)
    assert seen is not None
    assert therapist.post(_address(dana), late | {"seen": seen[1]}).status_code == 302
    dana.refresh_from_db()
    assert dana.family_name == "Ruiz"


def test_a_viewer_and_a_stranger_do_not_correct(
    log_in: LogIn, staff: Staff, stranger: Clinician, dana: Patient
) -> None:
    assert log_in(staff.viewer).get(_address(dana)).status_code == 403
    assert log_in(stranger).get(_address(dana)).status_code == 404
