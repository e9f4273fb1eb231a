"""The set-up room: what is missing before going live, and the clinic's own details and hours."""

from datetime import time
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from reminders.clinic.models import AuditEvent, Clinic
from reminders.content.models import Template
from reminders.insights.heartbeats import DUTIES
from reminders.insights.models import Heartbeat
from reminders.insights.readiness import Standing, read_readiness
from reminders.messaging.models import Message
from tests import factories
from tests.console.conftest import LogIn
from tests.factories import Staff

DETAILS = {
    "name": "Northside Physio",
    "phone": "(312) 555-0142",
    "booking_url": "https://northside.example/book",
    "records_kept_years": "10",
    "timezone": "America/Chicago",
    "language": "en",
}
HOURS = {
    **{f"{day}_{end}": wall for day in ("mon", "tue") for end, wall in (("from", "08:00"), ("to", "18:00"))},
    "reply_hours": "Mondays and Tuesdays 8 am to 6 pm",
    "reply_hours_es": "lunes y martes de 8 am a 6 pm",
    "quiet_start": "20:30",
    "quiet_end": "08:30",
}


def _standing(clinic: Clinic, key: str) -> Standing:
    clinic.refresh_from_db()
    return next(item.standing for item in read_readiness(clinic=clinic) if item.key == key)


def test_a_new_clinic_reads_what_is_missing(owner: Client, clinic: Clinic) -> None:
    page = owner.get("/setup/").content.decode()

    assert "things are missing before going live." in page
    for words in (
        "Not published yet:",
        "Nobody has said who is called first",
        "Not all that sends and answers is at work",
    ):
        assert words in page, words


def test_a_clinic_with_everything_is_ready(owner: Client, clinic: Clinic, staff: Staff) -> None:
    factories.make_ladder(clinic=clinic, clinicians=[staff.owner, staff.therapist])
    owner.post("/setup/starters/")
    owner.post("/setup/clinic/", DETAILS)
    owner.post("/setup/hours/", HOURS)
    Heartbeat.objects.bulk_create(Heartbeat(kind=kind, duty=duty, name="here:1") for kind, duty in DUTIES)

    owner.post("/setup/test/", {"sender": clinic.senders.get().pk, "number": "312 555 0177", "key": str(uuid4())})
    Message.objects.update(state="delivered")

    page = owner.get("/setup/").content.decode()

    assert "Ready to go live. Some things could be better." in page
    assert "Next: words of consent" in page


def test_the_starters_never_take_the_place_of_the_clinics_own_words(owner: Client, clinic: Clinic) -> None:
    factories.make_template(clinic=clinic, key="check_in", body="Our own question, 0 to 10?")

    for _press in range(2):
        assert owner.post("/setup/starters/").status_code == 302

    assert _standing(clinic, "texts") is Standing.DONE
    kept = Template.objects.get(clinic=clinic, key="check_in", language="en").published
    assert kept is not None
    assert kept.body == "Our own question, 0 to 10?"


def test_details_are_stored_as_they_are_meant_and_put_on_record(owner: Client, clinic: Clinic, staff: Staff) -> None:
    changed = DETAILS | {"name": "  Lakeside   Spine ", "phone": "800 555 0199", "timezone": "Europe/Madrid"}

    assert owner.post("/setup/clinic/", changed)["Location"] == "/setup/"

    clinic.refresh_from_db()
    assert (clinic.name, clinic.phone, clinic.timezone) == ("Lakeside Spine", "+18005550199", "Europe/Madrid")
    event = AuditEvent.objects.get(clinic=clinic, verb="clinic_changed")
    assert event.clinician_id == staff.owner.pk
    assert event.details == {"fields": ["name", "phone", "timezone"]}, "which fields, and never what they say"
    owner.post("/setup/clinic/", changed)
    assert AuditEvent.objects.filter(clinic=clinic, verb="clinic_changed").count() == 1, "a repeat changes nothing"


@pytest.mark.parametrize(
    ("field", "typed", "words"),
    [
        ("name", " ", "Write the name that patients know"),
        ("phone", "555-CALL", "digits only"),
        ("phone", "", "The phone is empty"),
        ("booking_url", "northside.example", "Write the whole address"),
        ("records_kept_years", "5", "Write whole years from 6 to 100"),
        ("records_kept_years", "ever", "Write whole years from 6 to 100"),
        ("booking_url", "javascript:alert(1)", "Write the whole address"),
        ("timezone", "", "Choose the zone"),
        ("timezone", "Mars/Base", "Mars/Base is not one of the available choices"),
    ],
)
def test_what_cannot_be_stored_is_said_beside_its_field_and_nothing_is_lost(
    owner: Client, clinic: Clinic, field: str, typed: str, words: str
) -> None:
    refused = owner.post("/setup/clinic/", DETAILS | {"name": "Another name", field: typed})

    assert refused.status_code == 422
    page = refused.content.decode()
    assert words in page
    assert f'href="#id_{field}"' in page
    assert field == "name" or 'value="Another name"' in page
    clinic.refresh_from_db()
    assert clinic.name == "Northside Physio"


def test_hours_are_stored_by_day_and_a_day_left_empty_is_closed(owner: Client, clinic: Clinic) -> None:
    assert owner.post("/setup/hours/", HOURS | {"tue_to": "00:00"}).status_code == 302

    clinic.refresh_from_db()
    assert clinic.opening_hours == {"mon": ["08:00", "18:00"], "tue": ["08:00", "00:00"]}
    assert (clinic.quiet_start, clinic.quiet_end) == (time(20, 30), time(8, 30))
    assert 'value="20:30"' in owner.get("/setup/hours/").content.decode()
    assert _standing(clinic, "hours") is Standing.DONE


@pytest.mark.parametrize(
    ("wrong", "field", "words"),
    [
        ({"quiet_start": "22:00"}, "quiet_start", "Let quiet hours start at 21:00 or earlier"),
        ({"quiet_end": "07:30"}, "quiet_start", "end at 08:00 or later"),
        ({"quiet_start": "late"}, "quiet_start", "Write a time of the day"),
        ({"mon_to": "07:00"}, "mon_from", "closes before it opens"),
        ({"mon_to": ""}, "mon_from", "Give both times"),
    ],
)
def test_hours_that_would_wake_patients_or_make_no_sense_are_refused(
    owner: Client, clinic: Clinic, wrong: dict[str, str], field: str, words: str
) -> None:
    refused = owner.post("/setup/hours/", HOURS | wrong)

    assert refused.status_code == 422
    page = refused.content.decode()
    assert words in page
    assert f'href="#id_{field}"' in page
    assert "lunes y martes" in page, "what was typed stays"
    clinic.refresh_from_db()
    assert clinic.opening_hours == factories.WEEKDAYS


def test_texts_are_paused_and_go_on_on_record(owner: Client, clinic: Clinic) -> None:
    owner.post("/setup/pause/")
    assert _standing(clinic, "sending") is Standing.MISSING
    assert "Let texts go on" in owner.get("/setup/").content.decode()
    for _press in range(2):
        owner.post("/setup/resume/")

    clinic.refresh_from_db()
    assert not clinic.is_paused
    verbs = list(AuditEvent.objects.filter(clinic=clinic).order_by("id").values_list("verb", flat=True))
    assert verbs == ["clinic_paused", "clinic_resumed"]


def test_only_owners_set_up(staff: Staff, log_in: LogIn) -> None:
    for person in (staff.therapist, staff.front_desk, staff.viewer):
        client = log_in(person)
        assert client.post("/setup/clinic/", DETAILS).status_code == 403
        assert "Set-up" not in client.get("/more/").content.decode()


def test_the_list_costs_the_same_however_many_rows_there_are(owner: Client, clinic: Clinic, staff: Staff) -> None:
    owner.get("/setup/")
    with CaptureQueriesContext(connection) as few:
        owner.get("/setup/")
    factories.make_ladder(clinic=clinic, clinicians=[staff.owner] * 10)
    for _one in range(20):
        factories.make_clinician(clinic=clinic)
    with CaptureQueriesContext(connection) as many:
        owner.get("/setup/")
    assert len(many) == len(few)
