"""Entering a finished treatment, correcting it, taking it back."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils.html import escape

from reminders.clinic.models import Clinic, Clinician, ConsentRecord, Patient, TreatmentSession
from reminders.content.services import publish
from tests import factories
from tests.console.conftest import LogIn
from tests.factories import Staff


def _wall(clinic: Clinic, minutes_ago: int = 30) -> str:
    at = datetime.now(UTC) - timedelta(minutes=minutes_ago)
    return at.astimezone(ZoneInfo(clinic.timezone)).strftime("%Y-%m-%dT%H:%M")


@pytest.fixture
def answers(clinic: Clinic) -> dict[str, object]:
    """What a front desk types for a new patient."""
    return {
        "external_id": "console-1",
        "given_name": "Dana",
        "family_name": "Reyes",
        "phone": "312 555 0177",
        "technique": "deep",
        "regions": ["shoulder", "neck"],
        "ended_at": _wall(clinic),
        "soreness_before": "6",
        "soreness_after": "3",
        "language": "es",
        "timezone": "America/Denver",
        "consent": "on",
        "consent_method": "paper_form",
        "anticoagulant": "yes",
    }


def test_a_new_patient_and_their_session_are_stored_together(
    therapist: Client, clinic: Clinic, answers: dict[str, object]
) -> None:
    response = therapist.post("/sessions/new/", answers)

    session = TreatmentSession.objects.get()
    patient = session.patient
    assert response["Location"] == f"/patients/{patient.pk}/"
    assert (session.technique, session.regions, session.soreness_before) == ("deep", ["shoulder", "neck"], 6)
    assert (patient.display_name, patient.language, patient.timezone) == ("Dana Reyes", "es", "America/Denver")
    assert factories.phone_of(patient) == "+13125550177"
    assert patient.screenings.get().anticoagulant is True
    assert ConsentRecord.objects.get().method == "paper_form"


def test_the_form_sent_twice_is_stored_once(therapist: Client, answers: dict[str, object]) -> None:
    therapist.post("/sessions/new/", answers)
    therapist.post("/sessions/new/", answers)

    assert TreatmentSession.objects.count() == 1


def test_the_form_begins_with_now_on_the_clinics_clock(therapist: Client, clinic: Clinic) -> None:
    page = therapist.get("/sessions/new/").content.decode()

    assert 'value="console-' in page
    assert _wall(clinic, 0)[:13] in page
    assert "reply STOP" in page, "the words the patient agrees to"
    assert "responder STOP" in page


def test_all_problems_are_told_at_once_beside_their_fields(therapist: Client, answers: dict[str, object]) -> None:
    answers |= {"given_name": "", "phone": "12", "technique": "", "ended_at": "2030-01-01T10:00"}

    response = therapist.post("/sessions/new/", answers)

    page = response.content.decode()
    assert response.status_code == 422
    assert "4 things need a change" in page
    for field in ("given_name", "phone", "technique", "ended_at"):
        assert f'id="id_{field}_error"' in page, field
    assert "Reyes" in page, "what was typed is kept"
    assert TreatmentSession.objects.count() == 0


def test_without_consent_nothing_is_stored(therapist: Client, answers: dict[str, object]) -> None:
    del answers["consent"]

    response = therapist.post("/sessions/new/", answers)

    assert response.status_code == 422
    assert 'id="id_consent_error"' in response.content.decode()
    assert TreatmentSession.objects.count() == 0


def _shown_words(page: str) -> str:
    found = re.search(r'name="shown_words" value="([^"]+)"', page)
    assert found is not None
    return found[1]


def test_the_words_that_were_shown_are_kept_with_the_yes_in_the_patients_language(
    therapist: Client, staff: Staff, answers: dict[str, object]
) -> None:
    page = therapist.get("/sessions/new/").content.decode()

    therapist.post("/sessions/new/", answers | {"shown_words": _shown_words(page)})

    consent = ConsentRecord.objects.get()
    assert consent.disclosure.startswith("Acepto que Northside Physio me mande mensajes")
    assert str(escape(consent.disclosure)) in page
    assert (consent.recorded_by, consent.method) == (staff.therapist, "paper_form")


def test_words_published_meanwhile_do_not_change_what_the_patient_agreed_to(
    therapist: Client, clinic: Clinic, answers: dict[str, object]
) -> None:
    page = therapist.get("/sessions/new/").content.decode()
    newer = "{{ clinic_name }} texts. HELP. STOP. Data rates may apply. Texts are not encrypted. It is not a condition."
    publish(clinic=clinic, key="consent_disclosure", language="en", body=newer, author=None, now=datetime.now(UTC))
    Clinic.objects.update(name="Southside Physio")

    therapist.post("/sessions/new/", answers | {"language": "en", "shown_words": _shown_words(page)})

    assert ConsentRecord.objects.get().disclosure.startswith("I agree that Northside Physio may send me")


def test_the_clinics_own_words_are_the_ones_shown(therapist: Client, clinic: Clinic) -> None:
    own = "{{ clinic_name }} texts. HELP. STOP. Data rates may apply. Texts are not encrypted. It is not a condition."
    publish(clinic=clinic, key="consent_disclosure", language="en", body=own, author=None, now=datetime.now(UTC))

    page = therapist.get("/sessions/new/").content.decode()

    assert "Northside Physio texts. HELP." in page
    assert "Acepto que Northside Physio" in page, "English never stands in for the patient's own language"


@pytest.mark.parametrize("forged", ["", "I agree to everything", "eyJlcyI6ICJhIn0:1abc:forged"])
def test_words_that_nobody_signed_are_replaced_by_those_in_force(
    therapist: Client, answers: dict[str, object], forged: str
) -> None:
    therapist.post("/sessions/new/", answers | {"shown_words": forged})

    assert ConsentRecord.objects.get().disclosure.startswith("Acepto que Northside Physio")


def test_words_signed_for_another_clinic_are_not_taken(
    therapist: Client, stranger: Clinician, log_in: LogIn, answers: dict[str, object]
) -> None:
    theirs = _shown_words(log_in(stranger).get("/sessions/new/").content.decode())

    therapist.post("/sessions/new/", answers | {"shown_words": theirs})

    assert "Lakeside" not in ConsentRecord.objects.get().disclosure


def test_a_form_with_problems_keeps_the_words_it_showed(
    therapist: Client, clinic: Clinic, answers: dict[str, object]
) -> None:
    shown = _shown_words(therapist.get("/sessions/new/").content.decode())
    Clinic.objects.update(name="Southside Physio")

    again = therapist.post("/sessions/new/", answers | {"phone": "12", "shown_words": shown}).content.decode()

    assert _shown_words(again) == shown
    assert "Acepto que Northside Physio" in again


def test_the_patients_page_tells_the_words_they_agreed_to(therapist: Client, answers: dict[str, object]) -> None:
    page = therapist.post("/sessions/new/", answers, follow=True).content.decode()

    assert "Acepto que Northside Physio" in page


def test_a_patient_on_file_is_found_and_used(therapist: Client, answers: dict[str, object], patient: Patient) -> None:
    found = therapist.post("/sessions/new/", {"q": "dana"}).content.decode()
    assert f'href="/sessions/new/?patient={patient.pk}"' in found
    for name in ("given_name", "family_name", "phone", "consent", "consent_method"):
        del answers[name]

    therapist.post(f"/sessions/new/?patient={patient.pk}", answers)

    assert TreatmentSession.objects.get().patient == patient
    assert Patient.objects.count() == 1


def test_the_form_of_a_patient_on_file_asks_only_for_the_treatment(therapist: Client, patient: Patient) -> None:
    page = therapist.get("/sessions/new/", {"patient": patient.pk}).content.decode()

    assert 'name="phone"' not in page
    assert patient.display_name in page
    assert "to texts on" in page


def test_a_correction_raises_the_revision(therapist: Client, patient: Patient) -> None:
    session = factories.make_treatment_session(patient=patient, technique="deep")
    shown = therapist.get(f"/sessions/{session.pk}/").content.decode()
    assert "Correct a session" in shown

    answers = {
        "technique": "superficial",
        "regions": ["shoulder"],
        "ended_at": session.ended_at.astimezone(ZoneInfo(patient.timezone)).strftime("%Y-%m-%dT%H:%M"),
        "language": "en",
        "timezone": patient.timezone,
    }
    response = therapist.post(f"/sessions/{session.pk}/", answers, follow=True)

    ended_at = session.ended_at
    session.refresh_from_db()
    assert (session.technique, session.revision) == ("superficial", 2)
    assert session.ended_at == ended_at, "an end that nobody touched keeps its seconds"
    assert "Corrected." in response.content.decode()


def test_a_session_taken_back_says_so_and_stays_on_record(therapist: Client, patient: Patient) -> None:
    session = factories.make_treatment_session(patient=patient)
    factories.make_plan(treatment_session=session)

    page = therapist.post(f"/sessions/{session.pk}/void/", follow=True).content.decode()

    session.refresh_from_db()
    assert session.status == "voided"
    assert "Taken back. Nothing more is sent for this session." in page
    assert "the session was taken back" in page
