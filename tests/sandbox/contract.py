"""Checks every exchange of Twilio's client with the sandbox against Twilio's own OpenAPI document."""

from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from openapi_core import OpenAPI
from openapi_core.testing import MockRequest, MockResponse
from twilio.http.http_client import TwilioHttpClient
from werkzeug.datastructures import MultiDict

DOCUMENT = Path(__file__).parents[3] / "shared/contracts/twilio/twilio_messages_calls.openapi.json"
REAL_HOST = "https://api.twilio.com"

needs_document = pytest.mark.skipif(
    not DOCUMENT.exists(), reason="Twilio's OpenAPI document is not beside the repository (shared/contracts/twilio)"
)


@cache
def contract() -> OpenAPI | None:
    """The document, read once; None where it is absent."""
    return OpenAPI.from_file_path(str(DOCUMENT)) if DOCUMENT.exists() else None


def check(answer: requests.Response) -> None:
    """Fail where a request or its successful answer breaks the contract. Refusals are not in the document."""
    api, sent = contract(), answer.request
    if api is None or answer.status_code >= 300:
        return
    parts = urlsplit(sent.url or "")
    body = sent.body if isinstance(sent.body, bytes) else (sent.body or "").encode()
    request = MockRequest(
        REAL_HOST,
        sent.method or "",
        parts.path,
        args=MultiDict(parse_qsl(parts.query)),
        headers={"Authorization": sent.headers.get("Authorization")},
        data=body,
        content_type="application/x-www-form-urlencoded",
    )
    api.validate_request(request)
    content_type = answer.headers.get("Content-Type", "application/json")
    api.validate_response(request, MockResponse(answer.content, answer.status_code, content_type=content_type))


class CheckedHttpClient(TwilioHttpClient):  # type: ignore[misc]
    """Twilio's own HTTP client, led to the sandbox; every exchange is checked."""

    def __init__(self, url: str) -> None:
        super().__init__(timeout=10, request_hooks={"response": self._check})
        self._url = url
        self.checked = 0

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        """Send to the sandbox what was meant for Twilio."""
        return super().request(method, self._url + url.removeprefix(REAL_HOST), *args, **kwargs)

    def close(self) -> None:
        """Close the connections."""
        self.session.close()

    def _check(self, answer: requests.Response, *args: Any, **kwargs: Any) -> None:
        check(answer)
        self.checked += 1
