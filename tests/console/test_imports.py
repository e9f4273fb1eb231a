"""Bringing sessions in from a file: whatever a spreadsheet wrote, seen before it is stored, and nothing twice."""

import csv
import io
import logging
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from reminders.clinic.consent import newest_decision, revoke_consent
from reminders.clinic.models import AuditEvent, Clinic, Clinician, Patient, TreatmentSession
from reminders.config import BASE_DIR
from reminders.console.import_files import forget_old
from reminders.console.models import ImportFile, ImportLayout
from reminders.messaging.models import Message
from tests import factories
from tests.console.conftest import LogIn
from tests.factories import Staff

NOON = datetime(2026, 3, 12, 17, 0, tzinfo=UTC)  # 12:00 in Chicago
HEADER = "Appt ID,Date,End Time,Patient Name,Cell Phone,DOB,Texts OK,Type,Fee"
GOOD = [
    'A-1,3/12/2026,9:30 AM,"Reyes, Dana",(312) 555-0142,5/17/1980,yes,deep,80',
    "A-2,3/12/2026,10:15 AM,José Núñez,312 555 0143,,yes,superficial,80",
]
BAD = "A-3,3/12/2026,11:00 AM,Noah Kim,555,,yes,deep,80"
COLUMNS = [
    "external_id",
    "ended_on_day",
    "ended_at_time",
    "full_name",
    "phone",
    "birth_date",
    "consent",
    "technique",
    "",
]


@pytest.fixture(autouse=True)
def at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reminders.clock.now", lambda: NOON)


@pytest.fixture
def desk(staff: Staff, log_in: LogIn) -> Client:
    """The front desk's browser."""
    return log_in(staff.front_desk)


def _file(*rows: str, encoding: str = "utf-8") -> SimpleUploadedFile:
    return SimpleUploadedFile("week.csv", "\r\n".join([HEADER, *rows]).encode(encoding))


def _upload(client: Client, *rows: str, encoding: str = "utf-8") -> str:
    """Upload a file and return the address where its columns are asked for."""
    answer = client.post("/import/", {"table": _file(*rows, encoding=encoding)})
    assert answer.status_code == 302, re.findall(r'class="problem".*?</p>', answer.content.decode(), re.DOTALL)
    return answer["Location"]


def _said(**more: str) -> dict[str, str]:
    columns = {f"c{index}": field for index, field in enumerate(COLUMNS)}
    return {**columns, "kind": "sessions", "date_order": "month", "technique": "", "consent_method": "", **more}


def _check(client: Client, *rows: str, **more: str) -> str:
    """Upload, say which column is what, and return the address of the check."""
    answer = client.post(_upload(client, *rows), _said(**more))
    assert answer.status_code == 302, answer.content.decode()
    return answer["Location"]


def _run(client: Client, check: str) -> str:
    return client.post(check.replace("/check/", "/run/"), follow=True).content.decode()


def test_columns_are_guessed_and_shown_with_what_stands_in_them(desk: Client, clinic: Clinic) -> None:
    page = desk.get(_upload(desk, *GOOD)).content.decode()

    chosen = re.findall(r'<option value="([a-z_]+)" selected>', page)
    assert chosen == [field for field in COLUMNS if field] + ["month"]
    assert re.search(r'value="sessions"[^>]*checked', page)
    assert "Reyes, Dana · José Núñez" in page
    assert not TreatmentSession.objects.exists()


def test_what_would_happen_is_shown_and_nothing_is_stored(desk: Client, clinic: Clinic) -> None:
    check = _check(desk, *GOOD, BAD)

    page = desk.get(check).content.decode()

    assert "2 rows can be taken in, 1 cannot." in page
    assert "The phone has too many or too few digits" in page
    assert "column “Cell Phone”" in page
    assert "2026-03-12 09:30" in page
    assert not TreatmentSession.objects.exists()
    assert not Patient.objects.exists()


def test_good_rows_are_taken_in_and_refused_ones_come_back_to_be_corrected(
    desk: Client, clinic: Clinic, staff: Staff
) -> None:
    check = _check(desk, *GOOD, BAD)

    assert "2 rows taken in, 1 refused." in _run(desk, check)

    first = TreatmentSession.objects.get(clinic=clinic, external_id="A-1")
    assert first.ended_at == datetime(2026, 3, 12, 14, 30, tzinfo=UTC)
    assert (first.patient.given_name, first.patient.family_name) == ("Dana", "Reyes")
    assert str(first.patient.birth_date) == "1980-05-17"
    assert AuditEvent.objects.filter(subject="treatmentsession", clinician=staff.front_desk).count() == 2
    answer = desk.get(check.replace("/check/", "/refused/"))
    assert "refused-rows.csv" in answer["Content-Disposition"]
    text = answer.content.decode("utf-8-sig")
    ((row),) = csv.DictReader(io.StringIO(text))
    assert (row["Appt ID"], row["Patient Name"], row["row"], row["field"]) == ("A-3", "Noah Kim", "4", "phone")

    corrected = SimpleUploadedFile("again.csv", text.replace(",555,", ",312 555 0144,").encode())
    columns = desk.post("/import/", {"table": corrected})["Location"]
    again = desk.post(columns, _said(c9="", c10="", c11=""))["Location"]
    assert "1 row taken in." in _run(desk, again)
    assert TreatmentSession.objects.filter(clinic=clinic).count() == 3


def test_the_same_file_twice_stores_nothing_twice(desk: Client, clinic: Clinic) -> None:
    first = _check(desk, *GOOD)
    for _press in range(2):
        _run(desk, first)
    second = _check(desk, *GOOD)

    assert "All 2 rows can be taken in." in desk.get(second).content.decode()
    _run(desk, second)

    assert TreatmentSession.objects.filter(clinic=clinic).count() == 2
    assert ImportFile.objects.get().result["outcomes"] == {"created": 0, "unchanged": 2, "corrected": 0, "voided": 0}


def test_what_staff_corrected_meanwhile_stays(desk: Client, clinic: Clinic) -> None:
    _run(desk, _check(desk, *GOOD))
    session = TreatmentSession.objects.get(external_id="A-2")
    form = {
        "technique": "electro", "ended_at": "2026-03-12T10:15", "language": "en", "timezone": "America/Chicago",
        "consent_method": "intake_form",
    }  # fmt: skip
    assert desk.post(f"/sessions/{session.pk}/", form).status_code == 302

    _run(desk, _check(desk, *GOOD))

    session.refresh_from_db()
    assert session.technique == "electro"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_names_with_accents_survive_every_encoding(desk: Client, clinic: Clinic, encoding: str) -> None:
    columns = _upload(desk, *GOOD, encoding=encoding)
    assert ("check names with accents" in desk.get(columns).content.decode()) is (encoding == "cp1252")

    _run(desk, desk.post(columns, _said())["Location"])

    assert Patient.objects.filter(given_name="José", family_name="Núñez").exists()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"c4": ""}, "Choose the column with the mobile phone."),
        ({"c3": "", "c8": ""}, "Choose the column with the given name."),
        ({"c7": ""}, "Choose the column with the technique, or one technique for all rows."),
        ({"c2": ""}, "Choose the column with the end of the session"),
        ({"c0": ""}, "it keeps a session from being stored twice"),
        ({"c8": "phone"}, "“Mobile phone” is chosen for two columns."),
        ({"c8": "shoe_size"}, "Select a valid choice"),
    ],
)
def test_columns_that_do_not_suffice_are_named_and_the_choices_stay(
    desk: Client, clinic: Clinic, said: dict[str, str], words: str
) -> None:
    refused = desk.post(_upload(desk, *GOOD), _said(**{"date_order": "day", **said}))

    assert refused.status_code == 422
    page = refused.content.decode()
    assert words in page
    assert '<option value="day" selected>' in page
    assert not TreatmentSession.objects.exists()


def test_one_technique_and_a_yes_for_all_are_taken_where_the_file_says_nothing(desk: Client, clinic: Clinic) -> None:
    check = _check(desk, *GOOD, c7="", c6="", technique="electro", consent_method="paper_form")
    _run(desk, check)

    assert set(TreatmentSession.objects.values_list("technique", flat=True)) == {"electro"}
    assert AuditEvent.objects.filter(verb="consent_granted").count() == 2


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "The file has no rows below its header"),
        (b"Appt ID,Phone\n", "The file has no rows below its header"),
        (b"PK\x03\x04rest", "This is a spreadsheet, not a CSV"),
        (b"a\x00b", "not text in UTF-8"),
        (b'a,b\n"x,y\n', "quotation marks near line 2"),
        (b"a\n" + b"1\n" * 1001, "The file has 1001 rows, and 1000 can be taken at once"),
        (b"a," * 90 + b"\n1\n", "more than 80 columns"),
        (b"a," + b"b" * 201 + b"\n1,2\n", "one of them is far too long"),
        (b"x" * (2 * 1024 * 1024 + 1), "larger than 2 MB"),
    ],
)
def test_a_file_that_cannot_be_read_says_what_to_do(desk: Client, clinic: Clinic, content: bytes, words: str) -> None:
    refused = desk.post("/import/", {"table": SimpleUploadedFile("week.csv", content)})

    assert refused.status_code == 422
    assert words in refused.content.decode()
    assert not ImportFile.objects.exists()


def test_no_file_is_said_too(desk: Client, clinic: Clinic) -> None:
    refused = desk.post("/import/")

    assert refused.status_code == 422
    assert "Choose a file." in refused.content.decode()


def test_the_file_is_kept_encrypted_and_only_as_long_as_it_is_needed(desk: Client, clinic: Clinic) -> None:
    check = _check(desk, *GOOD)
    kept = ImportFile.objects.get()
    assert b"Reyes" not in bytes(kept.content)
    assert not re.search("Reyes|555|Patient Name", str(kept.mapping) + str(kept.result))

    _run(desk, check)

    kept.refresh_from_db()
    assert bytes(kept.content) == b"", "all was taken in, so nothing of the file is left"
    assert forget_old(now=NOON + timedelta(minutes=59)) == 0
    assert forget_old(now=NOON + timedelta(minutes=60)) == 1


def test_a_file_is_forgotten_at_once_where_somebody_says_so(desk: Client, clinic: Clinic) -> None:
    columns = _upload(desk, *GOOD)

    assert desk.post(f"{columns}forget/")["Location"] == "/import/"

    assert not ImportFile.objects.exists()
    assert desk.get(columns).status_code == 404


def test_a_new_file_takes_the_place_of_the_last_one(desk: Client, clinic: Clinic) -> None:
    _upload(desk, *GOOD)
    _upload(desk, BAD)

    assert ImportFile.objects.count() == 1
    assert "A file of yours waits here" in desk.get("/import/").content.decode()


def test_nobody_else_sees_the_file(
    desk: Client, clinic: Clinic, staff: Staff, stranger: Clinician, log_in: LogIn
) -> None:
    check = _check(desk, *GOOD, BAD)
    _run(desk, check)
    for person in (staff.owner, staff.therapist, stranger):
        client = log_in(person)
        for address in (check, check.replace("/check/", "/refused/"), check.replace("/check/", "/")):
            assert client.get(address).status_code == 404
        assert client.post(check.replace("/check/", "/forget/")).status_code == 404
    assert log_in(staff.viewer).get("/import/").status_code == 403


def test_a_database_that_is_lost_on_the_way_loses_nothing(
    desk: Client, clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = _check(desk, *GOOD)

    def lost(**_values: object) -> None:
        raise OperationalError

    with monkeypatch.context() as away:
        away.setattr("reminders.messaging.session_import.record_treatment_session", lost)
        page = _run(desk, check)
    assert "The database does not answer any more" in page

    assert "2 rows taken in." in _run(desk, check)


def test_two_presses_at_once_take_it_in_once_and_a_press_that_died_holds_nobody_up(
    desk: Client, clinic: Clinic
) -> None:
    check = _check(desk, *GOOD)
    ImportFile.objects.update(state="running", changed_at=NOON - timedelta(minutes=1))
    assert "being taken in already" in _run(desk, check)
    assert not TreatmentSession.objects.exists()

    ImportFile.objects.update(changed_at=NOON - timedelta(minutes=6))
    assert "2 rows taken in." in _run(desk, check)


def test_addresses_logs_and_records_hold_nothing_of_the_file(
    desk: Client, clinic: Clinic, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    check = _check(desk, *GOOD, BAD)
    _run(desk, check)

    assert re.fullmatch(r"/import/[0-9a-f-]{36}/check/", check)
    said = caplog.text + str(list(AuditEvent.objects.values_list("details", flat=True)))
    assert not re.search("Reyes|Núñez|5550142|555-0142|Noah", said)


def test_more_rows_ask_the_database_no_more_to_be_shown(desk: Client, clinic: Clinic) -> None:
    counts = []
    for rows in (1, 50):
        bad = [BAD.replace("A-3", f"B-{number}") for number in range(rows)]
        check = _check(desk, *bad)
        with CaptureQueriesContext(connection) as queries:
            desk.get(check)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_file_of_sessions_taken_back_needs_their_numbers_alone(desk: Client, clinic: Clinic) -> None:
    patient = factories.make_patient(clinic=clinic)
    session = factories.make_treatment_session(patient=patient, external_id="A-9")
    table = SimpleUploadedFile("back.csv", b"Appt ID,Status\nA-9,voided\n")
    columns = desk.post("/import/", {"table": table})["Location"]

    check = desk.post(columns, {"kind": "sessions", "c0": "external_id", "c1": "status", "date_order": "year"})[
        "Location"
    ]
    _run(desk, check)

    session.refresh_from_db()
    assert session.status == "voided"


def test_the_example_file_is_read_without_a_change(desk: Client, clinic: Clinic) -> None:
    content = (BASE_DIR / "examples" / "treatment-sessions.csv").read_bytes().splitlines(keepends=True)[:31]
    columns = desk.post("/import/", {"table": SimpleUploadedFile("example.csv", b"".join(content))})["Location"]
    said = {f"c{index}": field for index, field in enumerate(content[0].decode().strip().split(","))}

    check = desk.post(columns, said | {"kind": "sessions", "date_order": "year"})["Location"]

    assert "can be taken in" in desk.get(check).content.decode()


PATIENTS = "ID,Nombre,Apellidos,Teléfono móvil,Fecha de nacimiento,Idioma,Acepta SMS\n"
LUCIA = "P-1,Lucía,Fernández,312 555 0151,17/5/1980,es,sí\n"
PEDRO = "P-2,Pedro,Vega,312 555 0152,1/2/1975,es,\n"


def _patients(client: Client, *rows: str) -> str:
    """Upload a list of patients, take the guesses as they are, and return the address of the check."""
    table = SimpleUploadedFile("pacientes.csv", (PATIENTS + "".join(rows)).encode())
    columns = client.post("/import/", {"table": table})["Location"]
    page = client.get(columns).content.decode()
    assert re.search(r'value="patients"[^>]*checked', page), "nothing in it ended, so they are patients alone"
    guesses = ["patient_external_id", "given_name", "family_name", "phone", "birth_date", "language", "consent"]
    said = {f"c{index}": field for index, field in enumerate(guesses)}
    assert re.findall(r'<option value="([a-z_]+)" selected>', page) == [*guesses, "day"]
    answer = client.post(columns, said | {"kind": "patients", "date_order": "day"})
    assert answer.status_code == 302, answer.content.decode()
    return answer["Location"]


def test_patients_come_in_without_a_session_and_nobody_is_texted(desk: Client, clinic: Clinic) -> None:
    check = _patients(desk, LUCIA, PEDRO, "P-3,Ana,Ruiz,12,,,\n")
    assert "2 rows can be taken in, 1 cannot." in desk.get(check).content.decode()
    assert not Patient.objects.exists()

    assert "Nobody is texted before a session is entered." in _run(desk, check)

    lucia, pedro = Patient.objects.order_by("external_id")
    assert (lucia.given_name, lucia.language, str(lucia.birth_date)) == ("Lucía", "es", "1980-05-17")
    assert (pedro.external_id, str(pedro.birth_date), pedro.timezone) == ("P-2", "1975-02-01", "America/Chicago")
    assert newest_decision(clinic, "+13125550151") is not None
    assert newest_decision(clinic, "+13125550152") is None, "nobody agreed for him"
    assert not Message.objects.exists()


def test_the_same_list_twice_changes_nothing_and_another_one_corrects(desk: Client, clinic: Clinic) -> None:
    _run(desk, _patients(desk, LUCIA, PEDRO))
    Patient.objects.filter(external_id="P-2").update(given_name="Piotr")

    _run(desk, _patients(desk, LUCIA, PEDRO))
    assert ImportFile.objects.get().result["outcomes"]["unchanged"] == 2
    assert Patient.objects.get(external_id="P-2").given_name == "Piotr", "corrected by hand meanwhile"

    _run(desk, _patients(desk, LUCIA.replace("0151", "0159"), PEDRO))
    assert ImportFile.objects.get().result["outcomes"]["corrected"] == 1
    lucia = Patient.objects.get(external_id="P-1")
    assert lucia.phones.get(is_primary=True).number == "+13125550159"
    assert Patient.objects.count() == 2


def test_a_list_takes_back_no_opt_out_and_another_name_with_another_phone_is_a_mix_up(
    desk: Client, clinic: Clinic
) -> None:
    revoke_consent(clinic=clinic, number="+13125550151", method="keyword_stop", now=NOON)
    _run(desk, _patients(desk, LUCIA))
    newest = newest_decision(clinic, "+13125550151")
    assert newest is not None
    assert newest.decision == "revoked"

    check = _patients(desk, "P-1,Noah,Kim,312 555 0160,20/5/1990,,sí\n")

    page = desk.get(check).content.decode()
    assert "No row can be taken in." in page
    assert "on file with another name and another phone" in page


def test_a_changed_phone_has_running_texts_planned_anew(desk: Client, clinic: Clinic) -> None:
    patient = factories.make_patient(clinic=clinic, external_id="P-1", given_name="Lucía", family_name="Fernández")
    session = factories.make_treatment_session(patient=patient, ended_at=NOON - timedelta(hours=2), now=NOON)

    _run(desk, _patients(desk, LUCIA))

    session.refresh_from_db()
    assert session.revision == 2


def test_a_file_with_the_same_columns_is_read_as_the_last_one_was(desk: Client, clinic: Clinic, staff: Staff) -> None:
    _run(desk, _check(desk, *GOOD, c8="patient_external_id", date_order="day", consent_method="paper_form"))

    page = desk.get(_upload(desk, BAD)).content.decode()

    assert "As you chose it the last time" in page
    assert re.findall(r'<option value="([a-z_]+)" selected>', page)[-2:] == ["patient_external_id", "day"]
    assert "Reyes" not in str(list(ImportLayout.objects.values()))
    other = SimpleUploadedFile("other.csv", b"id,name,phone\n1,Dana,2\n")
    page = desk.get(desk.post("/import/", {"table": other})["Location"]).content.decode()
    assert "We guessed from the names." in page


def test_an_import_is_on_record_with_its_numbers(desk: Client, clinic: Clinic, staff: Staff) -> None:
    _run(desk, _check(desk, *GOOD, BAD))

    event = AuditEvent.objects.get(verb="file_taken_in")
    assert event.clinician_id == staff.front_desk.pk
    assert event.details == {"rows": 3, "refused": 1, "created": 2, "unchanged": 0, "corrected": 0, "voided": 0}


def test_one_file_at_a_time_is_read(desk: Client, clinic: Clinic) -> None:
    answer = desk.post("/import/", {"table": _file(*GOOD), "more": _file(*GOOD)})

    assert answer.status_code == 400
