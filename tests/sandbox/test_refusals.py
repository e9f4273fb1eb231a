"""What Twilio refuses, with its codes, its envelope and its magic numbers."""

import pytest
import requests
from twilio.base.exceptions import TwilioRestException

from tests.sandbox.harness import ACCOUNT, CLINIC, PATIENT, TOKEN, Sandbox

TEXT = {"To": PATIENT, "From": CLINIC, "Body": "hi"}


def refusal(carrier: Sandbox, **changes: str | None) -> tuple[int, int | None]:
    """Status and code of a create that differs from a good one."""
    form = {k: v for k, v in (TEXT | changes).items() if v is not None}
    response = carrier.raw("POST", "/Messages.json", data=form)
    return response.status_code, response.json().get("code")


def test_the_error_envelope_has_code_message_link_and_status(carrier: Sandbox) -> None:
    response = carrier.raw("POST", "/Messages.json", data={"To": PATIENT, "From": CLINIC})

    assert response.status_code == 400
    assert response.headers["Content-Type"] == "application/json"
    assert response.json() == {
        "code": 21602,
        "message": "A message needs a body, media or a content template",
        "more_info": "https://www.twilio.com/docs/errors/21602",
        "status": 400,
    }


def test_twilios_client_sees_code_and_status(carrier: Sandbox) -> None:
    with pytest.raises(TwilioRestException) as refused:
        carrier.send(to="+15005550004")

    assert (refused.value.status, refused.value.code) == (400, 21610)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"To": None}, 21604),
        ({"To": "not a number"}, 21211),
        ({"To": "3125550101"}, 21211),
        ({"To": CLINIC}, 21211),
        ({"From": None}, 21603),
        ({"From": "+1"}, 21212),
        ({"Body": None}, 21602),
        ({"Body": ""}, 21602),
        ({"Body": "x" * 1601}, 21617),
        ({"StatusCallback": "ftp://example.org"}, 21609),
        ({"StatusCallback": "http://my_host.example.org/x"}, 21609),
        ({"StatusCallback": "https://example.org/" + "x" * 4000}, 21609),
        ({"ValidityPeriod": "0"}, 90007),
        ({"ValidityPeriod": "36001"}, 90007),
        ({"ScheduleType": "fixed"}, 35111),
        ({"ScheduleType": "fixed", "SendAt": "2030-01-01T00:00:00Z"}, 35118),
    ],
)
def test_a_bad_create_is_refused_with_its_code(carrier: Sandbox, changes: dict[str, str | None], code: int) -> None:
    assert refusal(carrier, **changes) == (400, code)
    assert carrier.control("GET", "tally")["creates"] == 0


@pytest.mark.parametrize("send_at", ["2001-01-01T00:00:00Z", "2099-01-01T00:00:00Z"])
def test_a_schedule_outside_the_window_is_refused(carrier: Sandbox, send_at: str) -> None:
    changes = {"MessagingServiceSid": "MG" + "0" * 32, "ScheduleType": "fixed", "SendAt": send_at}

    assert refusal(carrier, **changes) == (400, 35115)


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("+15005550001", 21211),
        ("+15005550002", 21612),
        ("+15005550003", 21408),
        ("+15005550004", 21610),
        ("+15005550009", 21614),
    ],
)
def test_magic_recipients_are_refused(carrier: Sandbox, number: str, code: int) -> None:
    assert refusal(carrier, To=number) == (400, code)


@pytest.mark.parametrize(
    ("number", "status", "code"),
    [
        ("+15005550001", 400, 21212),
        ("+15005550007", 400, 21606),
        ("+15005550010", 400, 21606),
        ("+15005550008", 429, 21611),
    ],
)
def test_magic_senders_are_refused(carrier: Sandbox, number: str, status: int, code: int) -> None:
    assert refusal(carrier, From=number) == (status, code)


def test_the_good_magic_sender_is_taken(carrier: Sandbox) -> None:
    assert refusal(carrier, From="+15005550006") == (201, None)


def test_1600_characters_and_a_short_code_are_fine(carrier: Sandbox) -> None:
    assert refusal(carrier, Body="x" * 1600, From="55512")[0] == 201


@pytest.mark.parametrize("auth", [None, (ACCOUNT, "wrong"), ("AC" + "f" * 32, TOKEN)])
def test_wrong_credentials_get_20003(carrier: Sandbox, auth: tuple[str, str] | None) -> None:
    response = carrier.raw("POST", "/Messages.json", data=TEXT, auth=auth)

    assert (response.status_code, response.json()["code"]) == (401, 20003)
    assert "Basic" in response.headers["WWW-Authenticate"]


def test_another_accounts_path_gets_20003(carrier: Sandbox) -> None:
    other = carrier.account_url.replace(ACCOUNT, "AC" + "f" * 32)

    response = requests.post(other + "/Messages.json", data=TEXT, auth=(ACCOUNT, TOKEN), timeout=10)

    assert (response.status_code, response.json()["code"]) == (401, 20003)


def test_unknown_resources_get_20404(carrier: Sandbox) -> None:
    for path in ("/Messages/SM" + "0" * 32 + ".json", "/Messages/SM" + "0" * 32 + "/Media.json", "/Nothing.json"):
        response = carrier.raw("GET", path)
        assert (response.status_code, response.json()["code"]) == (404, 20404)
