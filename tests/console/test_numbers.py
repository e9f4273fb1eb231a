"""Phone numbers of patients: hidden until somebody asks, on record."""

import pytest
from django.test import Client

from reminders.clinic.models import AuditEvent, Clinic, Clinician, Patient
from reminders.conversations.models import InboundMessage
from tests import factories
from tests.console.conftest import LogIn
from tests.factories import Staff

SHOWN = "(312) 555-0188"
RAW = "+13125550188"


@pytest.fixture
def dana(clinic: Clinic) -> Patient:
    """A patient who is on every list: a text to read, a failed text, a number in trouble."""
    dana = factories.make_patient(clinic=clinic, given_name="Dana", family_name="Reyes", phone=RAW)
    factories.make_inbound(patient=dana, inbox="open", inbox_reason="question")
    for state in ("failed", "unresolved", "ambiguous"):
        factories.make_message(patient=dana, state=state)
    return dana


@pytest.fixture
def text(dana: Patient) -> InboundMessage:
    return InboundMessage.objects.get(patient=dana)


@pytest.mark.parametrize("role", ["owner", "therapist", "front_desk", "viewer"])
def test_no_list_and_no_patients_page_shows_a_whole_number(
    dana: Patient, staff: Staff, log_in: LogIn, role: str
) -> None:
    client = log_in(getattr(staff, role))
    factories.make_inbound(clinic=dana.clinic, from_number="+13125550177", inbox="open", inbox_reason="unknown_number")
    addresses = [
        "/",
        "/today/live/",
        "/inbox/",
        "/inbox/?show=done",
        "/patients/",
        f"/patients/{dana.pk}/",
        "/delivery/",
    ]
    if role != "viewer":
        addresses += [f"/phones/{dana.phones.get().pk}/consent/", f"/sessions/new/?patient={dana.pk}"]

    for address in addresses:
        page = client.get(address).content.decode()
        for number in (RAW, SHOWN, "+13125550177", "(312) 555-0177"):
            assert number not in page, f"{address}: {number}"
    assert "•••88" in client.get(f"/patients/{dana.pk}/").content.decode()
    assert "Somebody at •••77" in client.get("/inbox/").content.decode()


def test_what_a_search_finds_is_hidden_too(therapist: Client, dana: Patient) -> None:
    for address in ("/patients/", "/sessions/new/"):
        found = therapist.post(address, {"q": "0188"}).content.decode()
        assert "Dana Reyes" in found
        assert SHOWN not in found


def test_a_number_is_shown_to_who_asks_and_that_is_on_record(
    therapist: Client, dana: Patient, text: InboundMessage, staff: Staff
) -> None:
    message = dana.messages.filter(state="unresolved").get()
    addresses = [
        f"/phones/{dana.phones.get().pk}/number/",
        f"/inbox/{text.pk}/number/",
        f"/delivery/texts/{message.pk}/number/",
    ]
    for address in addresses:
        page = therapist.post(address).content.decode()
        assert f'href="tel:{RAW}"' in page
        assert SHOWN in page

    events = AuditEvent.objects.filter(verb="number_opened").order_by("id")
    assert [event.subject for event in events] == ["patientphone", "inboundmessage", "message"]
    assert {(event.clinician, event.patient) for event in events} == {(staff.therapist, dana)}
    assert [event.details for event in events] == [{}, {}, {}]


def test_with_script_the_number_comes_in_place_of_its_button(therapist: Client, text: InboundMessage) -> None:
    part = therapist.post(f"/inbox/{text.pk}/number/", headers={"HX-Request": "true"}).content.decode()

    assert part.strip().startswith('<a class="button quiet" href="tel:')
    assert "<html" not in part


def test_one_goes_back_to_where_one_asked(therapist: Client, text: InboundMessage) -> None:
    assert 'class="back" href="/"' in therapist.post(f"/inbox/{text.pk}/number/", {"from": "today"}).content.decode()
    assert 'class="back" href="/inbox/"' in therapist.post(f"/inbox/{text.pk}/number/").content.decode()


def test_who_only_reads_opens_no_number(dana: Patient, staff: Staff, log_in: LogIn) -> None:
    viewer = log_in(staff.viewer)

    assert viewer.post(f"/phones/{dana.phones.get().pk}/number/").status_code == 403
    assert "· Show" not in viewer.get(f"/patients/{dana.pk}/").content.decode()


def test_a_stranger_opens_no_number_of_another_clinic(dana: Patient, stranger: Clinician, log_in: LogIn) -> None:
    assert log_in(stranger).post(f"/phones/{dana.phones.get().pk}/number/").status_code == 404
    assert not AuditEvent.objects.filter(verb="number_opened").exists()


def test_pages_that_cannot_do_without_a_whole_number_keep_it_on_record(
    therapist: Client, dana: Patient, clinic: Clinic
) -> None:
    other = factories.make_patient(clinic=clinic)

    assert RAW[-7:-4] in therapist.get(f"/patients/{dana.pk}/correct/").content.decode()
    therapist.get(f"/patients/{dana.pk}/same/{other.pk}/")

    opened = AuditEvent.objects.filter(verb="number_opened").order_by("id").values_list("patient", flat=True)
    assert list(opened) == [dana.pk, dana.pk, other.pk]
