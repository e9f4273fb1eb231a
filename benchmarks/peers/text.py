"""What all peers send, and the plain Twilio client they send it with."""

import os
import threading
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client

ACCOUNT = "AC" + "0" * 32
TOKEN = "f" * 32
SENDER = "+13125550100"
BODY = "Northside Physio: use heat for 15 minutes this evening. Reply STOP to end."
CALLBACK = "https://bench.example/webhooks/sms/status/00000000-0000-4000-8000-000000000000/"
STUB_URL = os.environ.get("BENCH_STUB_URL", "")

_own = threading.local()


def number(index: int) -> str:
    """Return the phone of text `index`, another one for each."""
    return f"+1{2_000_000_000 + index}"


class _ToStub(TwilioHttpClient):  # type: ignore[misc]  # untyped library
    """The client's own transport, with the stub's address in the place of the carrier's."""

    def request(self, method: str, url: str, *words: Any, **more: Any) -> Response:
        parts, stub = urlsplit(url), urlsplit(STUB_URL)
        address = urlunsplit((stub.scheme, stub.netloc, parts.path, parts.query, ""))
        return super().request(method, address, *words, **more)


def send(index: int) -> str:
    """Create text `index` with the plain client, one per thread, and return its id."""
    if not hasattr(_own, "client"):
        _own.client = Client(ACCOUNT, TOKEN, http_client=_ToStub())
    created = _own.client.messages.create(
        to=number(index), from_=SENDER, body=BODY, status_callback=CALLBACK, validity_period=36_000
    )
    return str(created.sid)
