"""`/metrics`: who may read it, and that nothing of anybody stands in it."""

import re
from http import HTTPStatus
from typing import Any

import pytest
from django.db import DatabaseError
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from reminders.api import metrics as view
from reminders.config import BASE_DIR
from reminders.insights.heartbeats import SCHEDULER, Pulse
from tests.factories import make_clinic, make_escalation, make_inbound, make_message, make_patient, phone_of

pytestmark = pytest.mark.django_db
TOKEN = "a-token-for-prometheus"


@pytest.fixture(autouse=True)
def no_token(settings: Any) -> None:
    """No token is set, whatever the shell says."""
    settings.METRICS_TOKEN = ""


def read(**headers: str) -> Any:
    """Ask as a process on this machine would."""
    return Client().get("/metrics", headers={"Host": "127.0.0.1:8000", **headers})


def test_this_machine_reads_it_without_a_token() -> None:
    response = read()

    assert response.status_code == HTTPStatus.OK
    assert response["Content-Type"].startswith("text/plain; version=")


@pytest.mark.parametrize(
    ("headers", "environ"),
    [
        pytest.param({}, {"REMOTE_ADDR": "203.0.113.7"}, id="another machine"),
        pytest.param({"X-Forwarded-For": "203.0.113.7"}, {}, id="through a proxy on this machine"),
        pytest.param({"Host": "testserver"}, {}, id="under the public name"),
    ],
)
def test_nobody_else_reads_it_without_a_token(headers: dict[str, str], environ: dict[str, str]) -> None:
    response = Client(**environ).get("/metrics", headers={"Host": "127.0.0.1", **headers})  # type: ignore[arg-type]

    assert response.status_code == HTTPStatus.FORBIDDEN
    assert b"REMINDERS_METRICS_TOKEN" in response.content


def test_with_a_token_it_answers_from_anywhere_who_has_it(settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN
    elsewhere = Client(REMOTE_ADDR="203.0.113.7")

    assert elsewhere.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == HTTPStatus.OK


@pytest.mark.parametrize("authorization", ["", f"Bearer {TOKEN}x", f"bearer{TOKEN}", "Bearer ñ", TOKEN])
def test_with_a_token_this_machine_needs_it_too(settings: Any, authorization: str) -> None:
    settings.METRICS_TOKEN = TOKEN

    response = read(Authorization=authorization)

    assert response.status_code == HTTPStatus.UNAUTHORIZED
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_it_is_only_read() -> None:
    assert Client().post("/metrics").status_code == HTTPStatus.METHOD_NOT_ALLOWED


def test_a_database_that_is_away_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(**_when: object) -> None:
        raise DatabaseError("away")

    monkeypatch.setattr(view, "read_figures", away)

    assert read().status_code == HTTPStatus.SERVICE_UNAVAILABLE


@pytest.fixture
def page() -> str:
    """The metrics of a clinic where something of everything happened."""
    patient = make_patient(clinic=make_clinic(), given_name="Dana", family_name="Reyes")
    make_message(patient=patient, body="Hello Dana")
    make_message(patient=patient, state="delivered")
    make_escalation(patient=patient, severity="urgent")
    make_inbound(patient=patient, body="still 7")
    Pulse(kind=SCHEDULER, duties=["dispatch"], name="one:1").beat()
    text: str = read().content.decode()
    for secret in (phone_of(patient), patient.clinic.senders.get().number, "Dana", "Reyes", "still 7"):
        assert secret not in text
        assert secret.strip("+") not in text
    return text


def test_prometheus_can_read_it(page: str) -> None:
    samples = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }
    assert samples["reminders_messages_due",] == 1
    assert samples["reminders_escalations", "open", "urgent"] == 1
    assert samples["reminders_messages_lately", "delivered"] == 1
    assert samples["reminders_processes_alive", "dispatch", "scheduler"] == 1
    assert samples["reminders_processes_alive", "send", "worker"] == 0
    assert samples["reminders_second_carrier_ids",] == 0


def test_every_metric_is_explained_and_none_that_is_gone(page: str) -> None:
    shown = {family.name for family in text_string_to_metric_families(page)}
    docs = (BASE_DIR / "docs" / "monitoring.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(reminders_[a-z_]+)", docs, flags=re.MULTILINE)) == shown


def test_every_alert_asks_for_a_metric_that_there_is(page: str) -> None:
    shown = {family.name for family in text_string_to_metric_families(page)}
    docs = (BASE_DIR / "docs" / "monitoring.md").read_text(encoding="utf-8")
    alerts = re.findall(r"- alert: (\w+).*\n +expr: (.+)", docs)

    assert len(alerts) == docs.count("- alert:") > 10
    for name, expression in alerts:
        asked = set(re.findall(r"reminders_[a-z_]+", expression))
        assert asked, name
        assert asked <= shown | {"reminders_outbox"}, name
