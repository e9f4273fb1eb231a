import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, cast

import pytest
import time_machine
from django.test import Client

from reminders import clock
from reminders.api.bodies import MAX_BODY_BYTES
from reminders.clinic.consent import revoke_consent
from reminders.clinic.models import ApiKey, AuditEvent, Clinic, ConsentRecord, TreatmentSession
from reminders.clinic.services import create_api_key, revoke_api_key
from tests.clinic.intakes import less, raw_intake
from tests.factories import make_clinic, make_clinician, make_plan

pytestmark = pytest.mark.django_db

URL = "/api/v1/treatment-sessions"


def now() -> datetime:
    return clock.now()


class System:
    """An outside system with a clinic's key."""

    def __init__(self, clinic: Clinic) -> None:
        self.clinic = clinic
        self.api_key, self.key = create_api_key(clinic=clinic, label="EHR", now=datetime.now(UTC))
        self._client = Client(raise_request_exception=False)

    def post(self, document: object, **headers: str) -> Any:
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        return self._client.post(
            URL,
            body,
            content_type=headers.pop("content_type", "application/json"),
            headers={"Authorization": f"Bearer {self.key}", **headers},
        )

    def get(self, external_id: str) -> Any:
        return self._client.get(f"{URL}/{external_id}", headers={"Authorization": f"Bearer {self.key}"})


@pytest.fixture
def system() -> System:
    return System(make_clinic())


def fresh_intake(**changes: object) -> dict[str, object]:
    """A good intake that ended just now."""
    return raw_intake(**{"ended_at": now().isoformat(), **changes})


def problem_of(response: Any) -> tuple[int, str, list[tuple[str, str]]]:
    """Status, code and (field, code) pairs of a problem answer, once its form has been checked."""
    assert response.headers["Content-Type"] == "application/problem+json"
    document = cast(dict[str, Any], response.json())
    assert set(document) == {"type", "title", "status", "code", "detail", "errors"}
    assert document["status"] == response.status_code
    assert document["type"] == f"urn:reminders:problem:{document['code']}"
    assert document["detail"].endswith(".")
    pairs = [(error["field"], error["code"]) for error in document["errors"]]
    return response.status_code, document["code"], pairs


def test_a_session_is_created_once_and_a_repeat_says_so(system: System) -> None:
    intake = fresh_intake()

    first, second = system.post(intake), system.post(intake)

    assert (first.status_code, first.json()["outcome"]) == (201, "created")
    assert (second.status_code, second.json()["outcome"]) == (200, "unchanged")
    assert TreatmentSession.objects.count() == 1
    assert AuditEvent.objects.get(verb="treatment_session_recorded").actor == "api"


def test_a_correction_and_a_void_say_what_they_did(system: System) -> None:
    intake = fresh_intake()
    system.post(intake)

    corrected = system.post({**intake, "technique": "electro"})
    voided = system.post({"external_id": "S-1", "status": "voided"})

    assert (corrected.status_code, corrected.json()["outcome"], corrected.json()["revision"]) == (200, "corrected", 2)
    assert (voided.status_code, voided.json()["outcome"], voided.json()["status"]) == (200, "voided", "voided")
    assert problem_of(system.post(intake)) == (409, "invalid_input", [("status", "already_voided")])


def test_json_types_are_as_good_as_text(system: System) -> None:
    intake = fresh_intake(regions=["knee"], soreness_before=0, soreness_after=None, consent=True, ulcer=False)

    assert system.post(intake).status_code == 201
    assert (TreatmentSession.objects.get().regions, TreatmentSession.objects.get().soreness_before) == (["knee"], 0)


def test_the_answer_names_no_patient(system: System) -> None:
    answer = system.post(fresh_intake()).content.decode() + system.get("S-1").content.decode()

    assert not any(word in answer for word in ("Dana", "Reyes", "5550123", "1985"))


def test_an_opt_out_is_told_to_the_system(system: System) -> None:
    assert system.post(fresh_intake()).json()["consent"] == "granted"
    revoke_consent(clinic=system.clinic, number="+13125550123", method="keyword_stop", now=now())

    assert system.post(fresh_intake(external_id="S-2")).json()["consent"] == "revoked"


def test_the_words_of_the_systems_own_form_are_kept_with_the_consent(system: System) -> None:
    words = "I agree to texts.\nReply STOP to end them."

    assert system.post(fresh_intake(consent_disclosure=words)).status_code == 201

    assert ConsentRecord.objects.get().disclosure == words


@pytest.mark.parametrize(
    ("words", "code"), [("a" * 2001, "too_long"), ("a\n" * 1200, "too_long"), ("a\x00b", "not_text")]
)
def test_words_of_consent_that_cannot_be_kept_are_told(system: System, words: str, code: str) -> None:
    response = system.post(fresh_intake(consent_disclosure=words))

    assert problem_of(response) == (422, "invalid_input", [("consent_disclosure", code)])


def test_all_wrong_fields_come_at_once(system: System) -> None:
    wrong = fresh_intake(technique="cupping", phone="911", colour="red", ended_minutes_ago="5")

    assert problem_of(system.post(less(wrong, "ended_minutes_ago"))) == (
        422,
        "invalid_input",
        [("colour", "unknown_field"), ("technique", "unknown_technique"), ("phone", "impossible_phone")],
    )
    assert problem_of(system.post(wrong)) == (422, "invalid_input", [("ended_minutes_ago", "unknown_field")])
    assert not TreatmentSession.objects.exists()


def test_a_duplicate_patient_is_a_conflict(system: System) -> None:
    system.post(fresh_intake())

    answer = system.post(fresh_intake(external_id="S-2", given_name="Luis", family_name="Vega", phone="312 555 0177"))

    assert problem_of(answer) == (409, "invalid_input", [("patient_external_id", "duplicate_patient")])


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "invalid_json"),
        (b'{"external_id": NaN}', 400, "invalid_json"),
        (b'{"phone": "1", "phone": "2"}', 400, "invalid_json"),
        (b'{"external_id": "\xff"}', 400, "invalid_json"),
        (b"[" * 20_000, 400, "invalid_json"),
        (b"[1]", 422, "invalid_input"),
        (b'"text"', 422, "invalid_input"),
        (b"null", 422, "invalid_input"),
        (b"", 422, "invalid_input"),
        (b'"' + b"x" * MAX_BODY_BYTES + b'"', 413, "too_large"),
        (b"x" * 3_000_000, 413, "too_large"),
    ],
    ids=range(11),
)
def test_a_body_that_is_no_session_is_refused(system: System, body: bytes, status: int, code: str) -> None:
    assert problem_of(system.post(body))[:2] == (status, code)


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_only_json_is_taken(system: System, content_type: str) -> None:
    assert problem_of(system.post(b"a=b", content_type=content_type)) == (415, "unsupported_media_type", [])


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Bearer rk_wrong", "Basic cms6eA==", "Token x"])
def test_without_a_key_nobody_gets_in(header: str) -> None:
    response = Client().post(URL, b"{", content_type="application/json", headers={"Authorization": header})

    assert problem_of(response) == (401, "no_valid_key", [])
    assert response.headers["WWW-Authenticate"] == "Bearer"


def test_a_revoked_key_is_no_key(system: System) -> None:
    revoke_api_key(api_key=system.api_key, now=now())

    assert problem_of(system.get("S-1"))[0] == 401


def test_a_logged_in_clinician_is_no_system(system: System) -> None:
    browser = Client()
    browser.force_login(make_clinician(clinic=system.clinic))

    assert browser.get(f"{URL}/S-1").status_code == 401


def test_a_session_of_another_clinic_does_not_exist(system: System) -> None:
    stranger = System(make_clinic())
    intake = fresh_intake()
    system.post(intake)

    assert problem_of(stranger.get("S-1")) == (404, "not_found", [])
    void = {"external_id": "S-1", "status": "voided"}
    assert problem_of(stranger.post(void)) == (422, "invalid_input", [("external_id", "unknown_session")])
    assert stranger.post(intake).json()["outcome"] == "created"
    assert TreatmentSession.objects.get(clinic=system.clinic).status == "completed"


def test_a_session_is_looked_up_with_its_texts(system: System) -> None:
    system.post(fresh_intake(external_id="2025/03:S-1"))
    before = system.get("2025/03:S-1").json()
    assert (before["is_planned"], before["plan"]) == (False, None)

    make_plan(treatment_session=TreatmentSession.objects.get(), states={"heat": "delivered"})

    after = system.get("2025/03:S-1").json()
    assert (after["external_id"], after["is_planned"]) == ("2025/03:S-1", True)
    assert after["plan"] == {"state": "active", "revision": 1, "messages": {"delivered": 1, "scheduled": 3}}


def test_using_a_key_leaves_its_time(system: System) -> None:
    system.get("S-1")

    assert ApiKey.objects.get().last_used_at is not None


def test_what_breaks_on_this_side_is_told_without_details(
    system: System, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    phone = "+1312" + "5550123"

    def fail(**_arguments: object) -> None:
        raise RuntimeError(f"Key (number)=({phone}) already exists")

    monkeypatch.setattr("reminders.api.treatment_sessions.record_treatment_session", fail)

    response = system.post(fresh_intake())

    assert problem_of(response) == (500, "internal_error", [])
    assert "api_request_failed" in caplog.text
    assert phone not in response.content.decode() + caplog.text


@pytest.fixture
def wrong_host_clock() -> Iterator[None]:
    with time_machine.travel(datetime(2031, 1, 1, tzinfo=UTC)):
        yield


def test_the_hosts_clock_decides_nothing(system: System, wrong_host_clock: None) -> None:
    assert system.post(fresh_intake()).status_code == 201
    late = fresh_intake(external_id="S-2", ended_at=datetime.now(UTC).isoformat())
    assert problem_of(system.post(late))[2] == [("ended_at", "in_future")]
