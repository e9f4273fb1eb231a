import re
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from openapi_core import OpenAPI

from reminders.clinic.intake import FIELDS

pytestmark = pytest.mark.django_db


@pytest.fixture
def document(client: Client) -> dict[str, Any]:
    response = client.get("/api/v1/openapi.json")
    assert response.status_code == 200
    contents: dict[str, Any] = response.json()
    return contents


def test_the_openapi_document_is_valid(document: dict[str, Any]) -> None:
    OpenAPI.from_dict(document)

    assert set(document["paths"]) == {
        "/api/v1/treatment-sessions",
        "/api/v1/treatment-sessions/{external_id}",
    }


def test_every_field_and_every_problem_is_described(document: dict[str, Any]) -> None:
    post = document["paths"]["/api/v1/treatment-sessions"]["post"]

    body = post["requestBody"]["content"]["application/json"]["schema"]
    assert set(body["properties"]) == set(FIELDS) - {"ended_minutes_ago"}
    assert all(field["description"] for field in body["properties"].values())
    assert set(post["responses"]) == {"200", "201", "400", "401", "409", "413", "415", "422"}
    assert "application/problem+json" in post["responses"]["422"]["content"]


def test_the_page_to_try_it_needs_nothing_from_outside(client: Client) -> None:
    page = client.get("/api/v1/docs").content.decode()

    linked = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert linked
    assert all(address.startswith("/static/") for address in linked)
    assert all(finders.find(address.removeprefix("/static/")) for address in linked)
    assert re.search(r"<script>\s*\S", page) is None, "an inline script would be stopped by the page's own policy"


@pytest.mark.parametrize("path", ["nothing", "treatment-sessions/", "treatment-session", "docs/more"])
def test_an_address_that_is_not_there_is_a_problem_answer(client: Client, path: str) -> None:
    response = client.get(f"/api/v1/{path}")

    assert response.status_code in (401, 404)
    assert response.headers["Content-Type"] == "application/problem+json"


def test_a_wrong_method_is_refused(client: Client) -> None:
    response = client.delete("/api/v1/treatment-sessions")

    assert response.status_code == 405
    assert "POST" in response.headers["Allow"]
