"""Finding a patient, and the whole story on one page."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import pytest
from django.test import Client

from reminders.clinic import audit
from reminders.clinic.models import AuditEvent, Clinic, Clinician, Patient
from reminders.core.advice import SCREENING_FACTS
from tests import factories
from tests.console.conftest import LogIn
from tests.factories import Staff


@pytest.fixture
def dana(clinic: Clinic) -> Patient:
    return factories.make_patient(
        clinic=clinic, given_name="Dana", family_name="Reyes", phone="+13125550188", external_id="EHR-77"
    )


@pytest.mark.parametrize("words", ["dana", "REY", "dana reyes", "reyes d", "0188", "(312) 555-0188", "ehr-77"])
def test_a_patient_is_found_by_name_phone_or_record_number(
    therapist: Client, clinic: Clinic, dana: Patient, words: str
) -> None:
    factories.make_patient(clinic=clinic, given_name="Somebody", family_name="Else")

    page = therapist.post("/patients/", {"q": words}).content.decode()

    assert "Dana Reyes" in page
    assert "•••88" in page
    assert "Somebody Else" not in page


def test_nobody_found_says_what_to_try(therapist: Client, dana: Patient) -> None:
    assert "Nobody was found for" in therapist.post("/patients/", {"q": "xyz"}).content.decode()


def test_patients_of_another_clinic_are_not_found(log_in: LogIn, stranger: Clinician, dana: Patient) -> None:
    assert "Dana" not in log_in(stranger).get("/patients/").content.decode()


def test_the_list_shows_who_opted_out(therapist: Client, dana: Patient) -> None:
    factories.make_consent(patient=dana, decision="revoked", method="keyword_stop")

    assert "Opted out" in therapist.get("/patients/").content.decode()


def test_each_step_of_the_plan_has_its_local_time_and_its_state_in_words(therapist: Client, clinic: Clinic) -> None:
    patient = factories.make_patient(clinic=clinic, timezone="America/Denver")
    session = factories.make_treatment_session(patient=patient, ended_at=datetime(2026, 3, 3, 18, 40, tzinfo=UTC))
    plan = factories.make_plan(treatment_session=session, states={"heat": "delivered"})
    plan.messages.filter(step_key="exercise").update(state="suppressed", reason="opted_out")
    plan.messages.filter(step_key="otc").update(state="cancelled", reason="red_flag")

    page = therapist.get(f"/patients/{patient.pk}/").content.decode()

    assert "Tue, Mar 3" in page
    assert "12:40 PM MST</time>" in page
    assert 'datetime="2026-03-03T12:40:00-07:00"' in page
    assert "America/Denver" in page
    for words in ("Delivered", "Withheld", "the patient opted out", "Cancelled", "a danger sign was reported"):
        assert words in page


def test_the_axis_holds_texts_replies_consent_screening_and_cases(therapist: Client, dana: Patient) -> None:
    session = factories.make_treatment_session(patient=dana)
    factories.make_plan(treatment_session=session)
    reply = factories.make_inbound(
        patient=dana, body="still 7", intent="persists", score=7, because=[("score:number", "7")]
    )
    factories.make_escalation(patient=dana, inbound=reply)

    page = therapist.get(f"/patients/{dana.pk}/").content.decode()

    axis = page[page.index('id="axis"') :]
    for words in (
        "Treatment: deep dry needling",
        "Soreness check-in",
        "still <mark",
        "Read as: still sore, 7 of 10.",
        "Soreness persists",
        "Agreed to texts",
        "Nothing to report",
    ):
        assert words in axis, words


def test_the_plan_says_why_its_texts_say_less(therapist: Client, clinic: Clinic) -> None:
    def page_for(screening: Mapping[str, bool | None] | None) -> str:
        patient = factories.make_patient(clinic=clinic, screening=screening, birth_date=date(1980, 5, 1))
        factories.make_plan(treatment_session=factories.make_treatment_session(patient=patient))
        return therapist.get(f"/patients/{patient.pk}/").content.decode()

    missing = "A screening answer that matters for pain medicine is missing, so no drug is named."
    thinner = "A blood thinner acts like a bleeding disorder, so heat is left out."
    clear = dict.fromkeys(SCREENING_FACTS, False)

    assert missing in page_for(None)
    assert thinner in page_for({**clear, "anticoagulant": True})
    assert "may say less" not in page_for(clear)


def test_what_is_planned_stands_above_now(therapist: Client, dana: Patient) -> None:
    factories.make_plan(treatment_session=factories.make_treatment_session(patient=dana))

    page = therapist.get(f"/patients/{dana.pk}/").content.decode()

    assert page.index("Planned</h3>") < page.index('class="axis-now"') < page.index("Treatment: deep")


def test_only_what_left_or_arrived_is_in_the_conversation(therapist: Client, dana: Patient) -> None:
    factories.make_message(patient=dana, body="This one left.", state="delivered")
    factories.make_message(patient=dana, body="This one waits.", state="scheduled")
    factories.make_inbound(patient=dana, body="And this one came.")

    page = therapist.get(f"/patients/{dana.pk}/").content.decode()

    talk = page[page.index('id="talk"') :]
    assert "This one left." in talk
    assert "And this one came." in talk
    assert "This one waits." not in talk


def test_a_session_that_is_not_laid_out_yet_says_so(therapist: Client, dana: Patient) -> None:
    factories.make_treatment_session(patient=dana)

    page = therapist.get(f"/patients/{dana.pk}/").content.decode()

    assert "The texts are being laid out" in page


@pytest.mark.parametrize("texts", [1, 30])
def test_a_long_story_costs_no_more_queries(
    therapist: Client, dana: Patient, texts: int, django_assert_max_num_queries: object
) -> None:
    session = factories.make_treatment_session(patient=dana)
    factories.make_plan(treatment_session=session)
    for number in range(texts):
        at = datetime.now(UTC) - timedelta(minutes=number)
        factories.make_message(patient=dana, state="delivered", due_at=at)
        reply = factories.make_inbound(patient=dana, intent="persists", score=5, now=at)
        factories.make_escalation(patient=dana, inbound=reply, now=at)

    with django_assert_max_num_queries(18):  # type: ignore[operator]
        therapist.get(f"/patients/{dana.pk}/")


def test_who_changed_what_stands_on_the_axis_without_the_facts_themselves(
    therapist: Client, dana: Patient, staff: Staff
) -> None:
    audit.record(
        clinic=dana.clinic,
        actor=AuditEvent.Actor.CLINICIAN,
        clinician=staff.therapist,
        verb="patient_corrected",
        subject=dana,
        patient=dana,
        now=datetime.now(UTC),
        fields=["phone", "screening"],
    )

    page = therapist.get(f"/patients/{dana.pk}/").content.decode()

    assert "Patient corrected" in page
    assert f"phone, screening · by {staff.therapist.display_name}" in page


def test_the_axis_can_be_narrowed_to_one_sort(therapist: Client, dana: Patient) -> None:
    factories.make_treatment_session(patient=dana)
    factories.make_inbound(patient=dana, body="a 2", intent="resolved", score=2)
    address = f"/patients/{dana.pk}/"

    def axis(show: str) -> str:
        page = therapist.get(f"{address}?show={show}").content.decode()
        return page[page.index('id="axis"') : page.index('id="facts"')]

    assert "Text from the patient" in axis("texts")
    assert "Treatment: deep" not in axis("texts")
    assert "Treatment: deep" in axis("care")
    assert "Agreed to texts" in axis("records")
    assert "Nothing of this sort yet" in axis("work")
    for everything in ("all", "nonsense"):
        assert "Text from the patient" in axis(everything)
        assert "Treatment: deep" in axis(everything)
