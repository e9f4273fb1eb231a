"""The Twilio adapter against servers that break: one request each, and never a guess about what became of it."""

import json
import socket
import time

import pytest

from reminders.core.carrier_errors import Fault
from reminders.delivery.port import Accepted, CreateResult, NotProcessed, Refused, Unknown
from reminders.delivery.twilio_carrier import TwilioCarrier
from tests.delivery.broken import Answer, broken_server, hangs_up, resets, says, stops_in_the_middle
from tests.delivery.outgoing import ACCOUNT, TOKEN, call, text

SID = "SM" + "0123456789abcdef" * 2


def create(url: str, *, timeout_seconds: float = 5) -> CreateResult:
    carrier = TwilioCarrier(account_sid=ACCOUNT, auth_token=TOKEN, base_url=url, timeout_seconds=timeout_seconds)
    [result] = carrier.create([text()])
    return result


def problem(**fields: object) -> str:
    return json.dumps({"message": "no", "more_info": "", **fields})


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        (says("201 Created", json.dumps({"sid": SID})), Accepted(SID)),
        (says("200 OK", json.dumps({"sid": SID})), Accepted(SID)),
        (says("201 Created", "{}"), Unknown("no_sid")),
        (says("201 Created", json.dumps({"sid": None})), Unknown("no_sid")),
        (says("201 Created", json.dumps({"sid": 7})), Unknown("no_sid")),
        (says("201 Created", json.dumps({"sid": "SM" + "0" * 90})), Unknown("no_sid")),
        (says("201 Created", "<html>welcome</html>"), Unknown("JSONDecodeError")),
        (says("201 Created", ""), Unknown("no_sid")),
        (stops_in_the_middle, Unknown("ClientPayloadError")),
        (hangs_up, Unknown("ServerDisconnectedError")),
        (resets, Unknown("ClientOSError")),
        (says("400 Bad Request", problem(code=21211, status=400)), Refused(Fault.NUMBER_INVALID, 21211)),
        (says("400 Bad Request", problem(code=29999, status=400)), Refused(Fault.UNKNOWN, 29999)),
        (says("403 Forbidden", "<html>no</html>"), Refused(Fault.ACCOUNT_STOPPED, None)),
        (says("404 Not Found", "no such page"), Refused(Fault.ACCOUNT_STOPPED, None)),
        (says("429 Too Many Requests", "", "Retry-After: 1.5"), NotProcessed("back_off", 1.5)),
        (says("429 Too Many Requests", "slow", "Retry-After: soon"), NotProcessed("back_off", None)),
        (says("429 Too Many Requests", "", "Retry-After: nan"), NotProcessed("back_off", None)),
        (says("429 Too Many Requests", "", "Retry-After: -5"), NotProcessed("back_off", None)),
        (says("502 Bad Gateway", problem(code=21211, status=400)), Unknown("http_502")),
        (says("307 Temporary Redirect", "", "Location: /elsewhere"), Unknown("http_307")),
    ],
)
def test_each_answer_is_read_for_what_it_proves_and_asked_for_once(answer: Answer, result: CreateResult) -> None:
    with broken_server(answer) as server:
        assert create(server.url) == result

    assert len(server.requests) == 1


@pytest.mark.parametrize("body", ["", "<html>bad request</html>", problem(), problem(code="21211"), "[]", "null"])
def test_a_4xx_without_the_carriers_code_proves_nothing(body: str) -> None:
    with broken_server(says("400 Bad Request", body)) as server:
        assert create(server.url) == Unknown("http_400")


def test_a_problem_document_counts_by_the_status_of_http_itself() -> None:
    document = problem(type="about:blank", title="no", status=400, code=21211)

    with broken_server(says("500 Internal Server Error", document)) as server:
        assert create(server.url) == Unknown("http_500")
    with broken_server(says("400 Bad Request", document)) as server:
        assert create(server.url) == Refused(Fault.NUMBER_INVALID, 21211)


def test_a_hang_is_bounded() -> None:
    with broken_server("hangs") as server:
        started = time.monotonic()
        assert create(server.url, timeout_seconds=0.8) == Unknown("timeout")
        assert time.monotonic() - started < 5

    assert len(server.requests) == 1


def test_a_refused_connection_proves_that_nothing_was_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]

    assert create(f"http://127.0.0.1:{port}") == NotProcessed("no_connection")


def test_a_connection_that_never_comes_about_proves_it_too() -> None:
    # A backlog that is full leaves a new connection without an answer, as a host behind a dead route does.
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        try:
            result = create(f"http://127.0.0.1:{listener.getsockname()[1]}", timeout_seconds=0.6)
        finally:
            for filler in fillers:
                filler.close()

    assert result == NotProcessed("no_connection")


def test_what_cannot_even_be_written_down_proves_it_too() -> None:
    with broken_server(hangs_up) as server:
        carrier = TwilioCarrier(account_sid=ACCOUNT, auth_token=TOKEN, base_url=server.url)
        assert carrier.create([text(body="half a sign: \ud83d")]) == [NotProcessed("UnicodeEncodeError")]

    assert server.requests == []


def test_a_name_that_leads_nowhere_proves_it_too() -> None:
    assert create("http://nobody.invalid") == NotProcessed("no_connection")


def test_the_request_carries_what_the_contract_asks_for_to_the_configured_address() -> None:
    with broken_server(says("201 Created", json.dumps({"sid": SID}))) as server:
        create(server.url + "/behind/a/prefix/")

    [request] = server.requests
    assert request.startswith(f"POST /behind/a/prefix/2010-04-01/Accounts/{ACCOUNT}/Messages.json HTTP/1.1")
    assert "Authorization: Basic " in request
    for part in (
        "To=%2B13125550101",
        "From=%2B13125550199",
        "ValidityPeriod=3600",
        "StatusCallback=https",
        "%23rc%3D3",
    ):
        assert part in request


def test_a_call_names_its_moments_once_each() -> None:
    with broken_server(says("201 Created", json.dumps({"sid": "CA" + "0" * 32}))) as server:
        carrier = TwilioCarrier(account_sid=ACCOUNT, auth_token=TOKEN, base_url=server.url)
        assert carrier.create([call()]) == [Accepted("CA" + "0" * 32)]

    [request] = server.requests
    assert request.count("StatusCallbackEvent=") == 4
    assert "Timeout=25" in request


@pytest.mark.parametrize("variable", ["TWILIO_EDGE", "TWILIO_REGION"])
def test_a_variable_left_in_the_shell_does_not_lead_requests_elsewhere(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "sydney")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")

    with broken_server(says("201 Created", json.dumps({"sid": SID}))) as server:
        assert create(server.url) == Accepted(SID)


@pytest.mark.parametrize(("account_sid", "auth_token"), [("", TOKEN), (ACCOUNT, "")])
def test_without_an_account_there_is_no_carrier(account_sid: str, auth_token: str) -> None:
    with pytest.raises(ValueError, match="TWILIO_ACCOUNT_SID"):
        TwilioCarrier(account_sid=account_sid, auth_token=auth_token)
