"""Set-up: numbers to text from, the first test text, who is called, and API keys."""

import re
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.test import Client

from reminders.clinic.consent import revoke_consent
from reminders.clinic.models import ApiKey, AuditEvent, Clinic, Clinician, Patient
from reminders.clinic.services import authenticate_api_key
from reminders.escalations.ladder import rungs_of
from reminders.messaging.models import Message, OutboxRow, Sender
from tests import factories
from tests.console.conftest import LogIn
from tests.factories import Staff

NOON = datetime(2026, 3, 12, 17, 0, tzinfo=UTC)  # 12:00 in Chicago
NIGHT = datetime(2026, 3, 13, 4, 0, tzinfo=UTC)  # 23:00 in Chicago


@pytest.fixture(autouse=True)
def at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reminders.clock.now", lambda: NOON)


def _test_text(clinic: Clinic, number: str, **more: str) -> dict[str, str]:
    sender = clinic.senders.order_by("id")[0]
    return {"sender": str(sender.pk), "number": number, "key": str(uuid4()), **more}


def _step(number: int, person: Clinician | None, channel: str = "voice", wait: str = "3") -> dict[str, str]:
    values = {"person": str(person.pk) if person else "", "channel": channel, "wait": wait}
    return {f"s{number}-{name}": value for name, value in values.items()}


@pytest.mark.parametrize(
    ("typed", "stored"),
    [("(312) 555-0188", "+13125550188"), ("833 555 0123", "+18335550123"), ("72345", "72345")],
)
def test_a_number_is_added_on_record(owner: Client, clinic: Clinic, staff: Staff, typed: str, stored: str) -> None:
    assert owner.post("/setup/numbers/", {"number": typed, "pace": "0.5"}).status_code == 302

    sender = Sender.objects.get(clinic=clinic, number=stored)
    assert sender.parts_per_second == 0.5
    event = AuditEvent.objects.get(verb="sender_added")
    assert (event.clinician_id, event.subject_id) == (staff.owner.pk, sender.pk)
    assert stored not in str(event.details)
    assert "/webhooks/sms/inbound/" in owner.get("/setup/numbers/").content.decode()


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"number": "", "pace": "1"}, "Write the number as your carrier gave it"),
        ({"number": "555-CLINIC", "pace": "1"}, "digits only"),
        ({"number": "312 555 0188", "pace": "0"}, "Give 0.1 to 100 parts a second"),
        ({"number": "312 555 0188", "pace": "nan"}, "Write a number."),
        ({"number": "312 555 0188", "pace": "fast"}, "Write a number."),
    ],
)
def test_what_is_no_number_or_no_pace_is_refused(
    owner: Client, clinic: Clinic, form: dict[str, str], words: str
) -> None:
    refused = owner.post("/setup/numbers/", form)

    assert refused.status_code == 422
    assert words in refused.content.decode()
    assert clinic.senders.count() == 1


def test_a_number_belongs_to_one_clinic_once(owner: Client, stranger: Clinician) -> None:
    taken = stranger.clinic.senders.get().number

    refused = owner.post("/setup/numbers/", {"number": taken, "pace": "1"})

    assert refused.status_code == 422
    assert "in use already" in refused.content.decode()
    assert Sender.objects.get(number=taken).clinic_id == stranger.clinic_id


def test_a_pace_is_changed_on_record_and_a_senseless_one_is_not(owner: Client, clinic: Clinic) -> None:
    sender = clinic.senders.get()
    for pace in ("2.5", "2.5", "500", "x"):
        owner.post(f"/setup/numbers/{sender.pk}/pace/", {"pace": pace})

    sender.refresh_from_db()
    assert sender.parts_per_second == 2.5
    assert [event.details for event in AuditEvent.objects.filter(verb="sender_pace_changed")] == [{"pace": 2.5}]


def test_a_test_text_to_a_colleagues_phone_leaves_at_once_also_at_night(
    owner: Client, clinic: Clinic, staff: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reminders.clock.now", lambda: NIGHT)

    assert owner.post("/setup/test/", _test_text(clinic, staff.owner.phone)).status_code == 302

    message = Message.objects.get()
    assert (message.to_number, message.due_at, message.quiet_exempt) == (staff.owner.phone, NIGHT, True)
    assert (message.unknown_policy, message.consent_rule) == ("settle", "not_revoked")
    assert OutboxRow.objects.filter(message=message).exists(), "the way that all texts take"
    event = AuditEvent.objects.get(verb="sender_tested")
    assert event.details == {"message_id": message.pk}
    page = owner.get("/setup/test/").content.decode()
    assert "Planned" in page
    assert f"•••{staff.owner.phone[-2:]}" in page


def test_anybody_elses_phone_is_left_alone_at_night(
    owner: Client, clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reminders.clock.now", lambda: NIGHT)

    page = owner.post("/setup/test/", _test_text(clinic, "312 555 0177"), follow=True).content.decode()

    assert "It leaves when the quiet hours are over" in page
    message = Message.objects.get()
    assert not message.quiet_exempt
    assert message.due_at == datetime(2026, 3, 13, 14, 0, tzinfo=UTC), "09:00 in Chicago"


def test_the_same_press_twice_is_one_text(owner: Client, clinic: Clinic) -> None:
    form = _test_text(clinic, "312 555 0177")
    for _press in range(2):
        assert owner.post("/setup/test/", form).status_code == 302

    assert Message.objects.count() == 1
    assert AuditEvent.objects.filter(verb="sender_tested").count() == 1


def test_no_patient_gets_a_test_text_and_nobody_who_ended_the_texts(
    owner: Client, clinic: Clinic, patient: Patient
) -> None:
    revoke_consent(clinic=clinic, number="+13125550177", method="keyword_stop", now=NOON)
    for number, words in (
        (patient.phones.get().number, "A patient has this number"),
        ("312 555 0177", "This phone ended the texts"),
        ("12", "too many or too few digits"),
    ):
        refused = owner.post("/setup/test/", _test_text(clinic, number))
        assert refused.status_code == 422
        assert words in refused.content.decode()
    assert not Message.objects.filter(kind="personal").exists()


def test_tests_have_an_end(owner: Client, clinic: Clinic) -> None:
    answers = [owner.post("/setup/test/", _test_text(clinic, "312 555 0177")).status_code for _one in range(11)]

    assert answers == [302] * 10 + [422]


def test_no_text_leaves_from_another_clinics_number(owner: Client, clinic: Clinic, stranger: Clinician) -> None:
    form = _test_text(clinic, "312 555 0177", sender=str(stranger.clinic.senders.get().pk))

    assert owner.post("/setup/test/", form).status_code == 422
    assert not Message.objects.exists()


def test_the_ladder_rings_as_it_was_put_together(owner: Client, clinic: Clinic, staff: Staff) -> None:
    form = _step(0, staff.therapist, "sms", "2") | _step(1, None) | _step(2, staff.owner, "voice", "4")

    for _press in range(2):
        assert owner.post("/setup/ladder/", form)["Location"] == "/setup/"

    rungs = [(rung.clinician.pk, rung.channel, rung.wait_minutes) for rung in rungs_of(clinic=clinic)]
    assert rungs == [(staff.therapist.pk, "sms", 2), (staff.owner.pk, "voice", 4)]
    assert AuditEvent.objects.filter(clinic=clinic, verb="ladder_changed").count() == 1, "a repeat changes nothing"


def test_steps_are_moved_and_added_without_being_stored(owner: Client, clinic: Clinic, staff: Staff) -> None:
    factories.make_ladder(clinic=clinic, clinicians=[staff.owner])
    form = _step(0, staff.therapist, wait="7") | _step(1, staff.owner, wait="9")

    moved = owner.post("/setup/ladder/", form | {"up": "1"}).content.decode()
    added = owner.post("/setup/ladder/", form | {"add": "1"}).content.decode()

    assert re.findall(r'name="s\d-wait" value="(\d+)"', moved) == ["9", "7"]
    assert re.findall(r'name="s\d-wait" value="(\d+)"', added) == ["7", "9", "3"]
    assert {rung.clinician.pk for rung in rungs_of(clinic=clinic)} == {staff.owner.pk}


def test_a_ladder_that_reaches_nobody_is_refused(
    owner: Client, clinic: Clinic, staff: Staff, stranger: Clinician
) -> None:
    Clinician.objects.filter(pk=staff.viewer.pk).update(phone="")
    for form, words in (
        (_step(0, None), "Choose at least one person"),
        (_step(0, staff.viewer), "Select a valid choice"),
        (_step(0, stranger), "Select a valid choice"),
        (_step(0, staff.owner, wait="90"), "less than or equal to 30"),
        (_step(0, staff.owner, "smoke"), "Select a valid choice"),
    ):
        refused = owner.post("/setup/ladder/", form)
        assert refused.status_code == 422, words
        assert words in refused.content.decode()
    assert not clinic.ladder.exists()


def test_a_key_is_shown_once_and_opens_the_clinic_until_it_is_ended(owner: Client, clinic: Clinic) -> None:
    page = owner.post("/setup/keys/", {"label": "Front-office system"}).content.decode()

    found = re.search(r"rk_[\w-]{40,}", page)
    assert found is not None
    assert authenticate_api_key(found[0], NOON) == clinic
    listed = owner.get("/setup/keys/").content.decode()
    assert found[0] not in listed
    assert "Front-office system" in listed
    key = ApiKey.objects.get(clinic=clinic)
    for _press in range(2):
        owner.post(f"/setup/keys/{key.pk}/revoke/")
    assert authenticate_api_key(found[0], NOON) is None
    verbs = list(AuditEvent.objects.filter(subject="apikey").order_by("id").values_list("verb", "actor"))
    assert verbs == [("api_key_created", "clinician"), ("api_key_revoked", "clinician")]


def test_a_key_needs_a_name(owner: Client, clinic: Clinic) -> None:
    assert owner.post("/setup/keys/", {"label": " "}).status_code == 422
    assert not clinic.api_keys.exists()


def test_only_owners_make_keys_and_change_the_ladder(staff: Staff, log_in: LogIn, clinic: Clinic) -> None:
    client = log_in(staff.therapist)

    assert client.post("/setup/keys/", {"label": "mine"}).status_code == 403
    assert client.post("/setup/ladder/", _step(0, staff.therapist)).status_code == 403
    assert not clinic.api_keys.exists()
