"""One person on file twice: nobody is lost, nobody is texted twice, and two people are not made one."""

from datetime import date

import pytest
from django.test import Client

from reminders import clock
from reminders.clinic.models import AuditEvent, Clinic, Clinician, Patient, TreatmentSession
from reminders.clinic.selectors import newest_screening
from reminders.content.services import load_starters
from reminders.conversations.models import CheckIn, InboundMessage, WhoseAnswer
from reminders.escalations.models import Escalation
from reminders.messaging.models import Message
from reminders.messaging.planning import plan_many
from tests import factories
from tests.console.conftest import LogIn
from tests.factories import Staff


@pytest.fixture
def dana(clinic: Clinic) -> Patient:
    return factories.make_patient(clinic=clinic, given_name="Dana", family_name="Reyes", phone="+13125550150")


@pytest.fixture
def twin(clinic: Clinic) -> Patient:
    return factories.make_patient(
        clinic=clinic, given_name="Dana", family_name="Reyes", phone="+13125550151", birth_date=date(1980, 5, 17)
    )


def _together(kept: Patient, duplicate: Patient) -> str:
    return f"/patients/{kept.pk}/same/{duplicate.pk}/"


def test_who_shares_the_phone_or_the_name_is_offered(therapist: Client, clinic: Clinic, dana: Patient) -> None:
    factories.make_patient(clinic=clinic, given_name="dana", family_name="Reyes")
    factories.make_patient(clinic=clinic, given_name="Dee", family_name="R.", phone="+13125550150")
    factories.make_patient(clinic=clinic, given_name="Somebody", family_name="Else")

    page = therapist.get(f"/patients/{dana.pk}/same/").content.decode()

    assert "dana Reyes" in page
    assert "Dee R." in page
    assert "Somebody Else" not in page
    assert "Somebody Else" in therapist.post(f"/patients/{dana.pk}/same/", {"q": "else"}).content.decode()


def test_everything_comes_over_and_the_empty_entry_goes(therapist: Client, dana: Patient, twin: Patient) -> None:
    session = factories.make_treatment_session(patient=twin)
    plan = factories.make_plan(treatment_session=session)
    question = factories.make_check_in(plan=plan)
    reply = factories.make_inbound(patient=twin, body="a 6", intent="persists", score=6)
    case = factories.make_escalation(patient=twin, inbound=reply)
    texts = set(Message.objects.filter(patient=twin).values_list("pk", flat=True))
    number = twin.external_id

    done = therapist.post(_together(dana, twin), follow=True)

    assert "Brought together: 1 session came over" in done.content.decode()
    assert not Patient.objects.filter(pk=twin.pk).exists()
    assert set(Message.objects.filter(patient=dana).values_list("pk", flat=True)) >= texts
    for row in (TreatmentSession.objects.get(), CheckIn.objects.get(), InboundMessage.objects.get()):
        assert row.patient_id == dana.pk
    assert (Escalation.objects.get().patient_id, case.reason) == (dana.pk, "persists")
    assert {phone.number for phone in dana.phones.all()} == {"+13125550150", "+13125550151"}
    assert factories.phone_of(dana) == "+13125550150"
    assert dana.consents.count() == 2
    dana.refresh_from_db()
    assert dana.birth_date == date(1980, 5, 17)
    event = AuditEvent.objects.get(verb="patients_merged")
    assert event.details == {"duplicate": twin.pk, "sessions": 1, "phones": 1}
    assert question.pk
    assert number not in str(event.details)


def test_a_visit_that_was_entered_for_both_is_texted_about_once(
    therapist: Client, dana: Patient, twin: Patient
) -> None:
    load_starters(clinic=dana.clinic, now=clock.now())
    ended = clock.now()
    sessions = [factories.make_treatment_session(patient=one, ended_at=ended) for one in (dana, twin)]
    ids = [session.pk for session in sessions]
    plan_many(treatment_session_ids=ids, now=ended)
    waiting = Message.objects.filter(state="scheduled", kind="advice").exclude(body="")
    assert {text.to_number for text in waiting} == {"+13125550150", "+13125550151"}

    therapist.post(_together(dana, twin))
    plan_many(treatment_session_ids=ids, now=clock.now())

    heat = [text.to_number for text in waiting.filter(step_key="heat")]
    assert heat == ["+13125550150"], "one patient, one phone, one text"


def test_a_risk_that_either_told_of_stays(therapist: Client, clinic: Clinic) -> None:
    kept = factories.make_patient(clinic=clinic, screening={"anticoagulant": False, "ulcer": None})
    other = factories.make_patient(clinic=clinic, screening={"anticoagulant": True, "pregnancy": False})

    therapist.post(_together(kept, other))

    newest = newest_screening(patient=kept)
    assert newest is not None
    assert (newest.anticoagulant, newest.ulcer, newest.pregnancy) == (True, None, False)


def test_a_number_that_was_reported_as_wrong_stays_so(therapist: Client, clinic: Clinic, dana: Patient) -> None:
    other = factories.make_patient(clinic=clinic, phone=factories.phone_of(dana))
    other.phones.update(state="quarantined")

    therapist.post(_together(dana, other))

    assert dana.phones.get().state == "quarantined"


def test_two_dates_of_birth_are_two_people(therapist: Client, clinic: Clinic, twin: Patient) -> None:
    father = factories.make_patient(clinic=clinic, birth_date=date(1951, 1, 2))

    refused = therapist.post(_together(father, twin))

    assert refused.status_code == 422
    assert "Their dates of birth differ" in refused.content.decode()
    assert Patient.objects.filter(pk__in=[father.pk, twin.pk]).count() == 2


def test_open_cases_of_both_about_one_text_are_settled_by_a_person_first(
    therapist: Client, clinic: Clinic, dana: Patient
) -> None:
    other = factories.make_patient(clinic=clinic, phone=factories.phone_of(dana))
    text = factories.make_inbound(patient=dana, body="can't breathe", intent="red_flag", flags=["breathing"])
    own, theirs = (
        factories.make_escalation(patient=one, inbound=text, reason="red_flag", severity="urgent")
        for one in (dana, other)
    )

    refused = therapist.post(_together(dana, other))
    assert refused.status_code == 422
    assert "close one of the two first" in refused.content.decode()
    assert Patient.objects.filter(pk=other.pk).exists(), "all or nothing"

    now = clock.now()
    Escalation.objects.filter(pk=own.pk).update(state="resolved", resolved_at=now, outcome="advised")
    assert therapist.post(_together(dana, other)).status_code == 302
    own.refresh_from_db()
    theirs.refresh_from_db()
    assert (own.inbound_id, own.details) == (None, {"same_text_as": theirs.pk})
    assert (theirs.patient_id, theirs.inbound_id) == (dana.pk, text.pk), "the open case keeps the words"


def test_the_question_whose_answer_it_is_can_still_be_answered(
    therapist: Client, clinic: Clinic, dana: Patient
) -> None:
    other = factories.make_patient(clinic=clinic, phone=factories.phone_of(dana))
    kept = factories.make_inbound(clinic=clinic, body="6")
    now = clock.now()
    question = WhoseAnswer.objects.create(
        clinic=clinic, inbound=kept, number=factories.phone_of(dana), patient_ids=[dana.pk, other.pk],
        asked_at=now, closes_at=now,
    )  # fmt: skip

    therapist.post(_together(dana, other))

    question.refresh_from_db()
    assert question.patient_ids == [dana.pk, dana.pk]


def test_nobody_merges_across_clinics_or_as_a_viewer(
    therapist: Client, log_in: LogIn, staff: Staff, stranger: Clinician, dana: Patient, twin: Patient
) -> None:
    elsewhere = factories.make_patient(clinic=stranger.clinic)

    assert therapist.post(_together(dana, elsewhere)).status_code == 404
    assert log_in(staff.viewer).post(_together(dana, twin)).status_code == 403
    assert Patient.objects.filter(pk__in=[dana.pk, twin.pk, elsewhere.pk]).count() == 3
    same = therapist.post(_together(dana, dana))
    assert "This is the same entry" in same.content.decode()
