"""The inbox: what waits for a reader, by kind; what was dealt with; and whose a text is."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from reminders import clock
from reminders.clinic.models import AuditEvent, Clinic, Clinician, ConsentRecord, Patient
from tests import factories
from tests.console.conftest import LogIn
from tests.factories import Staff


def _page(client: Client, address: str = "/inbox/") -> str:
    return client.get(address).content.decode()


def test_the_inbox_says_how_many_wait_and_shows_the_oldest_first(therapist: Client, patient: Patient) -> None:
    now = clock.now()
    for minutes, body in ((5, "can I swim"), (50, "what does it cost")):
        at = now - timedelta(minutes=minutes)
        factories.make_inbound(
            patient=patient, body=body, intent="question", inbox="open", inbox_reason="question", now=at
        )

    page = _page(therapist)

    assert "2 texts wait for a reader; the oldest for 50 min." in page
    assert page.index("what does it cost") < page.index("can I swim")


def test_an_empty_inbox_says_so(therapist: Client) -> None:
    assert "No text waits for a reader." in _page(therapist)


def test_the_inbox_shows_one_kind_alone(therapist: Client, patient: Patient) -> None:
    factories.make_inbound(patient=patient, body="can I swim", inbox="open", inbox_reason="question")
    factories.make_inbound(patient=patient, body="blorp", inbox="open", inbox_reason="unclear")

    page = _page(therapist, "/inbox/?why=unclear")

    assert "blorp" in page
    assert "can I swim" not in page


def test_a_kind_that_is_not_known_shows_all(therapist: Client, patient: Patient) -> None:
    factories.make_inbound(patient=patient, body="can I swim", inbox="open", inbox_reason="question")

    assert "can I swim" in _page(therapist, "/inbox/?why=nonsense")


def test_what_was_dealt_with_is_listed_and_can_be_put_back(therapist: Client, patient: Patient) -> None:
    text = factories.make_inbound(patient=patient, body="can I swim", inbox="open", inbox_reason="question")

    assert therapist.post(f"/inbox/{text.pk}/done/", {"from": "inbox"})["Location"] == "/inbox/"
    assert "can I swim" not in _page(therapist)
    assert "can I swim" in _page(therapist, "/inbox/?show=done")

    therapist.post(f"/inbox/{text.pk}/back/")

    assert "can I swim" in _page(therapist)
    verbs = AuditEvent.objects.filter(subject="inboundmessage", subject_id=text.pk).order_by("id")
    assert [event.verb for event in verbs] == ["read_in_inbox", "put_back_in_inbox"]


def test_whose_a_text_is_can_be_said_and_gives_no_consent(
    therapist: Client, staff: Staff, clinic: Clinic, patient: Patient
) -> None:
    text = factories.make_inbound(clinic=clinic, body="new phone", inbox="open", inbox_reason="unknown_number")
    before = ConsentRecord.objects.count()

    found = therapist.post(f"/inbox/{text.pk}/whose/", {"q": patient.family_name}).content.decode()
    assert f'name="patient" value="{patient.pk}"' in found
    therapist.post(f"/inbox/{text.pk}/whose/", {"patient": patient.pk})

    text.refresh_from_db()
    assert (text.patient, text.inbox) == (patient, "open")
    assert "new phone" in _page(therapist, f"/patients/{patient.pk}/")
    assert ConsentRecord.objects.count() == before
    assert not patient.phones.filter(number=text.from_number).exists()
    event = AuditEvent.objects.get(verb="linked_to_patient")
    assert (event.clinician, event.patient) == (staff.therapist, patient)


def test_a_text_that_has_a_patient_keeps_that_patient(therapist: Client, clinic: Clinic, patient: Patient) -> None:
    other = factories.make_patient(clinic=clinic)
    text = factories.make_inbound(patient=patient, inbox="open")

    therapist.post(f"/inbox/{text.pk}/whose/", {"patient": other.pk})

    text.refresh_from_db()
    assert text.patient == patient


def test_a_text_is_never_given_to_a_patient_of_another_clinic(therapist: Client, clinic: Clinic) -> None:
    theirs = factories.make_patient(clinic=factories.make_clinic(name="Lakeside Spine"))
    text = factories.make_inbound(clinic=clinic, inbox="open", inbox_reason="unknown_number")

    assert therapist.post(f"/inbox/{text.pk}/whose/", {"patient": theirs.pk}).status_code == 404


def test_a_viewer_reads_the_inbox_and_changes_nothing(staff: Staff, log_in: LogIn, patient: Patient) -> None:
    text = factories.make_inbound(patient=patient, body="can I swim", inbox="open", inbox_reason="question")
    viewer = log_in(staff.viewer)

    page = _page(viewer)

    assert "can I swim" in page
    assert "Mark as done" not in page
    assert viewer.post(f"/inbox/{text.pk}/done/").status_code == 403


def test_more_texts_ask_no_more_of_the_database(therapist: Client, clinic: Clinic) -> None:
    def asked(times: int) -> int:
        for _ in range(times):
            factories.make_inbound(
                patient=factories.make_patient(clinic=clinic), intent="question", inbox="open", inbox_reason="question"
            )
        with CaptureQueriesContext(
            connection,
        ) as queries:
            _page(therapist)
        return len(queries)

    assert asked(1) == asked(11)


def test_a_text_is_taken_on_given_to_a_colleague_and_given_back(
    therapist: Client, staff: Staff, log_in: LogIn, patient: Patient
) -> None:
    text = factories.make_inbound(patient=patient, body="can I swim", inbox="open", inbox_reason="question")
    factories.make_inbound(patient=patient, body="what does it cost", inbox="open", inbox_reason="question")

    therapist.post(f"/inbox/{text.pk}/assign/", {"to": staff.front_desk.pk})

    theirs = _page(log_in(staff.front_desk), "/inbox/?show=mine")
    assert "can I swim" in theirs
    assert "what does it cost" not in theirs
    assert "can I swim" not in _page(therapist, "/inbox/?show=mine")
    assert f"With {staff.front_desk.display_name}." in _page(log_in(staff.viewer))
    event = AuditEvent.objects.get(verb="assigned_in_inbox")
    assert (event.clinician, event.details) == (staff.therapist, {"to": staff.front_desk.pk})

    therapist.post(f"/inbox/{text.pk}/assign/", {"to": ""})

    text.refresh_from_db()
    assert text.assigned_to is None


def test_saying_twice_who_takes_a_text_on_is_recorded_once(therapist: Client, staff: Staff, patient: Patient) -> None:
    text = factories.make_inbound(patient=patient, inbox="open", inbox_reason="question")

    for _ in range(2):
        therapist.post(f"/inbox/{text.pk}/assign/", {"to": staff.therapist.pk})

    assert AuditEvent.objects.filter(verb="assigned_in_inbox").count() == 1


@pytest.mark.parametrize("who", ["viewer", "stranger", "gone", "nobody at all"])
def test_a_text_is_given_only_to_staff_who_deal_with_the_inbox_here(
    therapist: Client, staff: Staff, stranger: Clinician, patient: Patient, who: str
) -> None:
    text = factories.make_inbound(patient=patient, inbox="open", inbox_reason="question")
    if who == "gone":
        Clinician.objects.filter(pk=staff.front_desk.pk).update(is_active=False)
    people = {"viewer": staff.viewer.pk, "stranger": stranger.pk, "gone": staff.front_desk.pk}

    answered = therapist.post(f"/inbox/{text.pk}/assign/", {"to": people.get(who, "x")}, follow=True)

    text.refresh_from_db()
    assert text.assigned_to is None
    assert "Choose somebody from the list." in answered.content.decode()
