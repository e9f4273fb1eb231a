"""A colleague writes to a patient by hand: what leaves, what waits, and what is refused."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from reminders.clinic.consent import revoke_consent
from reminders.clinic.models import AuditEvent, Clinic, Clinician, Patient
from reminders.core.advice import SCREENING_FACTS
from reminders.messaging.models import Message
from tests import factories
from tests.console.conftest import LogIn
from tests.factories import Staff

NOON = datetime(2026, 3, 12, 17, 0, tzinfo=UTC)  # 12:00 in Chicago
NIGHT = datetime(2026, 3, 13, 4, 0, tzinfo=UTC)  # 23:00 in Chicago


@pytest.fixture(autouse=True)
def at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reminders.clock.now", lambda: NOON)


@pytest.fixture
def reader(clinic: Clinic) -> Patient:
    """A patient who agreed to texts, was screened, and may have neither heat nor medicine."""
    found = dict.fromkeys(["bleeding_disorder", "anticoagulant", "pregnancy", "reduced_sensation"], True)
    assert set(found) <= set(SCREENING_FACTS)
    return factories.make_patient(clinic=clinic, screening=dict.fromkeys(SCREENING_FACTS, False) | found)


def _form(body: str, **more: str) -> dict[str, str]:
    return {"body": body, "key": str(uuid.uuid4()), **more}


def test_a_text_leaves_with_the_clinics_name_in_front(therapist: Client, reader: Patient, staff: Staff) -> None:
    answer = therapist.post(f"/patients/{reader.pk}/write/", _form("See you on Friday {{ at }} ten?"))

    assert answer["Location"] == f"/patients/{reader.pk}/"
    message = Message.objects.get(kind="personal")
    assert message.body == f"{reader.clinic.name}: See you on Friday {{{{ at }}}} ten?"
    assert (message.due_at, message.clinician_id, message.consent_rule) == (NOON, staff.therapist.pk, "granted")
    event = AuditEvent.objects.get(verb="wrote_to_patient")
    assert "Friday" not in str(event.details)


def test_the_same_press_twice_writes_one_text(therapist: Client, reader: Patient) -> None:
    form = _form("See you on Friday.")
    for _ in range(2):
        assert therapist.post(f"/patients/{reader.pk}/write/", form).status_code == 302

    assert Message.objects.filter(kind="personal").count() == 1
    assert AuditEvent.objects.filter(verb="wrote_to_patient").count() == 1


def test_at_night_it_waits_for_the_morning_and_says_so(
    therapist: Client, reader: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reminders.clock.now", lambda: NIGHT)

    assert "It is night for them." in therapist.get(f"/patients/{reader.pk}/write/").content.decode()
    therapist.post(f"/patients/{reader.pk}/write/", _form("See you on Friday."))

    message = Message.objects.get(kind="personal")
    assert not message.quiet_exempt
    assert message.due_at > NIGHT + timedelta(hours=8)
    assert message.expires_at == message.due_at + timedelta(hours=12)


def test_nobody_writes_over_an_opt_out(therapist: Client, reader: Patient) -> None:
    number = reader.phones.get().number
    revoke_consent(clinic=reader.clinic, number=number, method="keyword_stop", now=NOON, patient=reader)

    assert "opted out" in therapist.get(f"/patients/{reader.pk}/write/").content.decode()
    refused = therapist.post(f"/patients/{reader.pk}/write/", _form("See you on Friday."))

    assert refused.status_code == 422
    assert not Message.objects.filter(kind="personal").exists()


def test_who_never_agreed_gets_no_text_by_hand(therapist: Client, clinic: Clinic) -> None:
    patient = factories.make_patient(clinic=clinic, consented=False)

    assert "has not agreed" in therapist.get(f"/patients/{patient.pk}/write/").content.decode()


@pytest.mark.parametrize(
    ("body", "word"), [("Take some ibuprofen.", "ibuprofen"), ("Use a heating pad.", "heating pad")]
)
def test_advice_that_the_screening_forbids_has_to_be_confirmed(
    therapist: Client, reader: Patient, body: str, word: str
) -> None:
    form = _form(body)

    asked = therapist.post(f"/patients/{reader.pk}/write/", form)
    assert asked.status_code == 422
    page = asked.content.decode()
    assert word in page
    assert "the screening on file does not allow" in page
    assert not Message.objects.filter(kind="personal").exists()

    therapist.post(f"/patients/{reader.pk}/write/", {**form, "checked": "on"})
    assert Message.objects.get(kind="personal").body.endswith(body)


@pytest.mark.parametrize("body", ["", "   ", "x" * 481])
def test_an_empty_or_endless_text_is_refused_and_not_lost(therapist: Client, reader: Patient, body: str) -> None:
    refused = therapist.post(f"/patients/{reader.pk}/write/", _form(body))

    assert refused.status_code == 422
    assert body.strip() in refused.content.decode()


def test_a_quick_text_is_offered_in_the_patients_language(therapist: Client, reader: Patient) -> None:
    Patient.objects.filter(pk=reader.pk).update(language="es")

    assert "llame al" in therapist.get(f"/patients/{reader.pk}/write/?use=quick_call_us").content.decode()
    assert "llame al" not in therapist.get(f"/patients/{reader.pk}/write/?use=check_in").content.decode()


def test_an_answer_goes_to_who_wrote_and_the_text_waits_no_more(therapist: Client, clinic: Clinic) -> None:
    text = factories.make_inbound(clinic=clinic, body="are you open", inbox="open", inbox_reason="unknown_number")

    assert "are you open" in therapist.get(f"/inbox/{text.pk}/answer/").content.decode()
    assert therapist.post(f"/inbox/{text.pk}/answer/", _form("Yes, until six."))["Location"] == "/inbox/"

    message = Message.objects.get(kind="personal")
    assert (message.to_number, message.in_reply_to_id) == (text.from_number, text.pk)
    assert message.consent_rule == "not_revoked", "who wrote to us may be answered"
    text.refresh_from_db()
    assert text.inbox == "done"


def test_two_colleagues_do_not_answer_one_text(
    therapist: Client, patient: Patient, staff: Staff, log_in: LogIn
) -> None:
    text = factories.make_inbound(patient=patient, body="can I swim", inbox="open", inbox_reason="question")
    therapist.post(f"/inbox/{text.pk}/answer/", _form("Tomorrow, yes."))

    second = log_in(staff.front_desk).post(f"/inbox/{text.pk}/answer/", _form("No."))

    assert second.status_code == 422
    assert "dealt with this text meanwhile" in second.content.decode()
    assert Message.objects.filter(kind="personal").count() == 1


def test_a_viewer_and_a_stranger_do_not_write(
    staff: Staff, stranger: Clinician, log_in: LogIn, reader: Patient
) -> None:
    address = f"/patients/{reader.pk}/write/"

    assert log_in(staff.viewer).post(address, _form("Hello.")).status_code == 403
    assert log_in(stranger).post(address, _form("Hello.")).status_code == 404
    assert not Message.objects.filter(kind="personal").exists()
