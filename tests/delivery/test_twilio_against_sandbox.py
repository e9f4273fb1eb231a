"""The Twilio adapter against a carrier that keeps Twilio's contract."""

import logging
import time
from collections.abc import Iterator

import pytest

from reminders.core.carrier_errors import Fault
from reminders.delivery.port import (
    Accepted,
    CarrierUnavailableError,
    CreateResult,
    NotProcessed,
    OutgoingCall,
    OutgoingText,
    Refused,
    Unknown,
)
from reminders.delivery.twilio_carrier import TwilioCarrier
from tests.delivery.outgoing import ACCOUNT, CLINIC, PATIENT, TOKEN, WORDS, call, text, texts
from tests.sandbox.harness import Sandbox, sandbox


@pytest.fixture
def server() -> Iterator[Sandbox]:
    with sandbox() as one:
        yield one


def adapter(server: Sandbox, *, timeout_seconds: float = 10, token: str = TOKEN) -> TwilioCarrier:
    return TwilioCarrier(account_sid=ACCOUNT, auth_token=token, base_url=server.url, timeout_seconds=timeout_seconds)


def create(server: Sandbox, item: OutgoingText | OutgoingCall, *, timeout_seconds: float = 10) -> CreateResult:
    [result] = adapter(server, timeout_seconds=timeout_seconds).create([item])
    return result


def processed(server: Sandbox) -> int:
    """How many creates the carrier really took."""
    count: int = server.control("GET", "tally")["creates"]
    return count


def test_an_accepted_text_has_the_carriers_id_and_what_we_asked_for(server: Sandbox) -> None:
    result = create(server, text())

    assert isinstance(result, Accepted)
    stored = server.client.messages(result.sid).fetch()
    assert (stored.to, stored.from_, stored.body) == (PATIENT, CLINIC, WORDS)
    assert processed(server) == 1


def test_an_accepted_call_has_the_carriers_id(server: Sandbox) -> None:
    result = create(server, call())

    assert isinstance(result, Accepted)
    assert result.sid.startswith("CA")


def test_results_stand_in_the_order_given_and_a_bad_one_spoils_no_other(server: Sandbox) -> None:
    items = texts(120)
    items[7] = text(to_number="+15005550001")

    results = adapter(server).create(items)

    assert results[7] == Refused(Fault.NUMBER_INVALID, 21211)
    accepted = {result.sid: number for number, result in enumerate(results) if isinstance(result, Accepted)}
    assert len(accepted) == 119
    for sid, number in list(accepted.items())[::40]:
        assert server.client.messages(sid).fetch().body == f"text {number}"


@pytest.mark.parametrize(
    ("to_number", "code", "fault"),
    [
        ("+15005550001", 21211, Fault.NUMBER_INVALID),
        ("+15005550002", 21612, Fault.NO_ROUTE),
        ("+15005550003", 21408, Fault.NO_ROUTE),
        ("+15005550004", 21610, Fault.OPTED_OUT),
        ("+15005550009", 21614, Fault.NUMBER_CANNOT_TEXT),
    ],
)
def test_a_refused_recipient_is_told_by_its_code(server: Sandbox, to_number: str, code: int, fault: Fault) -> None:
    assert create(server, text(to_number=to_number)) == Refused(fault, code)


@pytest.mark.parametrize(("from_number", "code"), [("+15005550001", 21212), ("+15005550007", 21606)])
def test_a_refused_sender_is_told_by_its_code(server: Sandbox, from_number: str, code: int) -> None:
    assert create(server, text(from_number=from_number)) == Refused(Fault.SENDER_FAULT, code)


def test_a_full_queue_at_the_carrier_waits(server: Sandbox) -> None:
    assert create(server, text(from_number="+15005550008")) == NotProcessed("back_off", code=21611)


def test_refused_credentials_stop_the_account(server: Sandbox) -> None:
    assert adapter(server, token="rotated").create([text()]) == [Refused(Fault.ACCOUNT_STOPPED, 20003)]
    assert processed(server) == 0


@pytest.mark.parametrize(("header", "seconds"), [(7, 7.0), (None, None)])
def test_too_many_requests_waits_as_long_as_the_carrier_asks(
    server: Sandbox, header: int | None, seconds: float | None
) -> None:
    server.control("POST", "faults", {"effect": "too_many", **({"retry_after": header} if header else {})})

    assert create(server, text()) == NotProcessed("back_off", seconds, 20429)


@pytest.mark.parametrize("status", [500, 503])
@pytest.mark.parametrize("taken", [False, True])
def test_a_server_error_is_unknown_and_asked_for_once(server: Sandbox, status: int, taken: bool) -> None:
    server.control("POST", "faults", {"effect": "error", "status": status, "processed": taken})

    assert create(server, text()) == Unknown(f"http_{status}")
    assert processed(server) == int(taken)
    assert server.control("GET", "state")["faults"][0]["struck"] == 1


@pytest.mark.parametrize("taken", [False, True])
def test_a_hang_is_unknown_after_the_time_out(server: Sandbox, taken: bool) -> None:
    server.control("POST", "faults", {"effect": "hang", "processed": taken, "first": 1})
    started = time.monotonic()

    results = adapter(server, timeout_seconds=1).create([text(), text(body="another")])

    assert time.monotonic() - started < 6
    assert sorted(type(result).__name__ for result in results) == ["Accepted", "Unknown"]
    assert Unknown("timeout") in results
    assert processed(server) == 1 + int(taken)


@pytest.mark.parametrize(("effect", "taken"), [("reset", False), ("reset", True), ("truncate", True)])
def test_a_cut_connection_is_unknown_and_asked_for_once(server: Sandbox, effect: str, taken: bool) -> None:
    server.control("POST", "faults", {"effect": effect, **({"processed": taken} if effect == "reset" else {})})

    assert isinstance(create(server, text()), Unknown)
    assert processed(server) == int(taken)
    assert server.control("GET", "state")["faults"][0]["struck"] == 1


def test_the_list_shows_what_was_sent_between_two_numbers_newest_first(server: Sandbox) -> None:
    first, second = (create(server, text(body=body)) for body in ("one", "two"))
    create(server, text(to_number="+13125550102"))
    assert isinstance(first, Accepted)
    assert isinstance(second, Accepted)

    listed = adapter(server).texts_between(from_number=CLINIC, to_number=PATIENT)

    assert [(record.sid, record.body) for record in listed] == [(second.sid, "two"), (first.sid, "one")]
    assert all(record.created_at.tzinfo and record.error_code is None for record in listed)


def test_a_list_that_cannot_be_read_says_so_without_phones(server: Sandbox) -> None:
    server.control("POST", "faults", {"effect": "error", "operation": "messages.list"})

    with pytest.raises(CarrierUnavailableError) as told:
        adapter(server).texts_between(from_number=CLINIC, to_number=PATIENT)

    assert CLINIC not in str(told.value)
    assert told.value.__cause__ is None


def test_texts_are_looked_up_by_their_ids_and_unknown_ones_are_left_out(server: Sandbox) -> None:
    results = adapter(server).create([text(body=str(number)) for number in range(15)])
    sids = [result.sid for result in results if isinstance(result, Accepted)]

    found = adapter(server).texts_by_sid(sids=[*sids, "SM" + "0" * 32])

    assert {sid: record.body for sid, record in found.items()} == {sid: str(n) for n, sid in enumerate(sids)}
    assert adapter(server).texts_by_sid(sids=["SM" + "0" * 32]) == {}
    assert adapter(server).texts_by_sid(sids=[]) == {}


def test_a_text_that_is_not_answered_for_is_left_out_and_none_at_all_says_so(server: Sandbox) -> None:
    first, second = (create(server, text(body=body)) for body in ("one", "two"))
    assert isinstance(first, Accepted)
    assert isinstance(second, Accepted)
    server.control("POST", "faults", {"effect": "error", "operation": "messages.fetch", "first": 3})

    assert len(adapter(server).texts_by_sid(sids=[first.sid, second.sid, first.sid, second.sid])) == 1

    server.control("POST", "faults", {"effect": "error", "operation": "messages.fetch"})
    with pytest.raises(CarrierUnavailableError):
        adapter(server).texts_by_sid(sids=[first.sid, second.sid])


def test_logs_hold_neither_phones_nor_words(server: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    server.control("POST", "faults", {"effect": "error", "first": 1})

    adapter(server).create([text(), text(), text(to_number="+15005550001"), call()])
    adapter(server).texts_between(from_number=CLINIC, to_number=PATIENT)

    ours = [record for record in caplog.records if not record.name.startswith(("reminders.sandbox", "aiohttp.access"))]
    spoken = "\n".join(record.getMessage() for record in ours)
    assert PATIENT not in spoken
    assert PATIENT[1:] not in spoken
    assert "shoulder" not in spoken
