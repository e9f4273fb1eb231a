"""What leaves is what Twilio's own client would have sent, byte for byte; only the carrying is ours."""

import json
from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from reminders.delivery.port import OutgoingCall, OutgoingText
from reminders.delivery.twilio_carrier import TwilioCarrier
from reminders.delivery.twilio_http import encode_form
from tests.delivery.broken import broken_server, says
from tests.delivery.outgoing import ACCOUNT, TOKEN, call, text

# What the carrying itself says: how it is packed and whether the line stays open.
TRANSPORT = {"host", "accept-encoding", "connection"}
CREATED = says("201 Created", json.dumps({"sid": "SM" + "0" * 32}))


def sent_by(send: Callable[[str], object]) -> tuple[str, dict[str, str], str]:
    """Return the request line, the headers and the form that `send` sends to a server's address."""
    with broken_server(CREATED) as server:
        send(server.url)
    [request] = server.requests
    head, _, form = request.partition("\r\n\r\n")
    line, *lines = head.split("\r\n")
    headers = {name.lower(): value for name, _, value in (one.partition(": ") for one in lines)}
    return line, {name: value for name, value in headers.items() if name not in TRANSPORT}, form


def library(url: str, item: OutgoingText | OutgoingCall) -> None:
    """Ask with the library alone."""
    client = Client(ACCOUNT, TOKEN, http_client=TwilioHttpClient(pool_connections=False))
    client.api.base_url = url
    if isinstance(item, OutgoingText):
        client.messages.create(
            to=item.to_number,
            from_=item.from_number,
            body=item.body,
            status_callback=item.status_callback_url,
            validity_period=item.validity_seconds,
        )
    else:
        client.calls.create(
            to=item.to_number,
            from_=item.from_number,
            url=item.answer_url,
            timeout=item.ring_seconds,
            status_callback=item.status_callback_url,
            status_callback_event=["initiated", "ringing", "answered", "completed"],
        )


@pytest.mark.parametrize(
    "item",
    [text(), text(body="¿Cómo está? 100% & más = +1 ~ 👍\n\t«fin»"), text(body=""), call()],
    ids=["text", "signs", "empty", "call"],
)
def test_our_request_is_the_librarys(item: OutgoingText | OutgoingCall) -> None:
    ours = sent_by(lambda url: TwilioCarrier(account_sid=ACCOUNT, auth_token=TOKEN, base_url=url).create([item]))

    assert ours == sent_by(lambda url: library(url, item))


@given(
    st.dictionaries(
        st.text(min_size=1).filter(lambda name: name.isprintable()),
        st.one_of(st.text(st.characters(exclude_categories=["Cs"])), st.integers(), st.lists(st.text(max_size=5))),
    )
)
def test_a_form_is_written_as_the_standard_library_writes_it(fields: dict[str, object]) -> None:
    assert encode_form(fields).decode() == urlencode(fields, doseq=True)
