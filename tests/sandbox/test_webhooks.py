"""Status callbacks and texts from phones: their fields, their signature, their retries."""

import pytest
from twilio.request_validator import (
    SIGNATURE_HEADER,
    SIGNATURE_SETTINGS_HEADER,
    RequestValidator,
    get_signature_algorithm,
)
from twilio.twiml.messaging_response import MessagingResponse

from tests.sandbox.harness import ACCOUNT, CLINIC, PATIENT, TOKEN, Sandbox
from tests.sandbox.product import Arrived


def statuses(carrier: Sandbox, path: str = "/status/") -> list[str]:
    """The statuses that arrived, in order."""
    return [one.params["MessageStatus"] for one in carrier.product.at(path)]


def test_callbacks_tell_sent_and_delivered_and_never_the_first_status(carrier: Sandbox) -> None:
    message = carrier.send(status_callback=carrier.product.base_url + "/status/?m=41#rc=3&rp=ct,rt,5xx")

    carrier.posted(count=2)

    assert statuses(carrier) == ["sent", "delivered"]
    last = carrier.product.arrived[-1]
    assert last.url == carrier.product.base_url + "/status/?m=41"
    assert last.params["MessageSid"] == last.params["SmsSid"] == message.sid
    assert last.params["AccountSid"] == ACCOUNT
    assert (last.params["From"], last.params["To"]) == (CLINIC, PATIENT)
    assert last.params["SmsStatus"] == "delivered"
    assert "ErrorCode" not in last.params
    assert all(one.signed_with(TOKEN) for one in carrier.product.arrived)
    assert not last.signed_with("another token")


@pytest.mark.parametrize(
    ("rule", "expected", "error"),
    [
        ({"outcome": "undelivered", "error_code": 30005}, ["sent", "undelivered"], "30005"),
        ({"outcome": "undelivered"}, ["sent", "undelivered"], "30003"),
        ({"outcome": "failed", "error_code": 30007}, ["failed"], "30007"),
    ],
)
def test_a_number_can_be_set_to_fail(
    carrier: Sandbox, rule: dict[str, object], expected: list[str], error: str
) -> None:
    carrier.control("POST", "numbers", {"number": PATIENT, **rule})
    message = carrier.send(status_callback=carrier.product.base_url + "/status/")

    carrier.posted(count=len(expected))

    assert statuses(carrier) == expected
    assert carrier.product.arrived[-1].params["ErrorCode"] == error
    assert str(message.fetch().error_code) == error


def test_all_numbers_can_be_set_to_get_no_receipt(carrier: Sandbox) -> None:
    carrier.control("POST", "numbers", {"number": "*", "outcome": "stays_sent"})
    message = carrier.send(status_callback=carrier.product.base_url + "/status/")

    carrier.posted()

    assert message.fetch().status == "sent"
    assert statuses(carrier) == ["sent"]


def test_a_rule_with_times_is_used_up(carrier: Sandbox) -> None:
    carrier.control("POST", "numbers", {"number": PATIENT, "outcome": "undelivered", "times": 1})
    first, second = carrier.send("first"), carrier.send("second")

    carrier.events(until="message.status", sid=second.sid, status="delivered")

    assert first.fetch().status == "undelivered"


def test_by_default_an_error_of_the_product_is_not_retried(carrier: Sandbox) -> None:
    carrier.product.answers["/status/"] = lambda _: 503
    carrier.control("POST", "numbers", {"number": "*", "outcome": "stays_sent"})
    carrier.send(status_callback=carrier.product.base_url + "/status/")

    (posted,) = carrier.posted()

    assert (posted["response"]["status"], posted["response"]["attempts"]) == (503, 1)


def test_an_error_of_the_product_is_retried_where_the_address_asks_for_it(carrier: Sandbox) -> None:
    answers = iter([503, 503, 204])
    carrier.product.answers["/status/"] = lambda _: next(answers)
    carrier.control("POST", "numbers", {"number": "*", "outcome": "stays_sent"})
    carrier.send(status_callback=carrier.product.base_url + "/status/#rc=3&rp=ct,rt,5xx")

    (posted,) = carrier.posted()

    assert (posted["response"]["status"], posted["response"]["attempts"]) == (204, 3)


def test_a_product_that_is_down_is_tried_once_more(carrier: Sandbox) -> None:
    carrier.control("POST", "numbers", {"number": "*", "outcome": "stays_sent"})
    carrier.send(status_callback="http://127.0.0.1:9/status/")

    (posted,) = carrier.posted()

    assert (posted["response"]["failure"], posted["response"]["attempts"]) == ("ct", 2)


def test_a_text_from_a_phone_arrives_signed_with_twilios_fields(carrier: Sandbox) -> None:
    answer = carrier.control("POST", "inbound", {"from": PATIENT, "to": CLINIC, "body": "still 7 + \n¿sí?"})

    (one,) = carrier.product.at("/inbound/")
    assert answer["webhook"]["status"] == 200
    assert one.signed_with(TOKEN)
    assert one.params["MessageSid"] == one.params["SmsSid"] == one.params["SmsMessageSid"] == answer["sid"]
    assert {k: one.params[k] for k in ("From", "To", "Body", "NumMedia", "NumSegments", "SmsStatus")} == {
        "From": PATIENT,
        "To": CLINIC,
        "Body": "still 7 + \n¿sí?",
        "NumMedia": "0",
        "NumSegments": "1",
        "SmsStatus": "received",
    }
    assert one.params["FromCity"] == ""
    assert "OptOutType" not in one.params


def test_the_same_text_can_be_posted_twice(carrier: Sandbox) -> None:
    text = {"from": PATIENT, "to": CLINIC, "body": "7"}
    sid = carrier.control("POST", "inbound", text)["sid"]

    carrier.control("POST", "inbound", text | {"message_sid": sid})

    assert [one.params["MessageSid"] for one in carrier.product.arrived] == [sid, sid]
    assert len(carrier.control("GET", "messages?direction=inbound")["messages"]) == 1


def test_webhooks_can_be_signed_with_a_shared_key(carrier: Sandbox) -> None:
    carrier.control("POST", "settings", {"shared_key_secret": "another secret"})
    carrier.control("POST", "inbound", {"from": PATIENT, "to": CLINIC, "body": "7"})

    (one,) = carrier.product.arrived
    algorithm = get_signature_algorithm(one.headers[SIGNATURE_SETTINGS_HEADER])
    signature = one.headers[SIGNATURE_HEADER]
    assert algorithm == "HMAC_SHA256"
    assert RequestValidator("another secret").validate(one.url, one.params, signature, algorithm)
    assert not one.signed_with(TOKEN)


@pytest.mark.parametrize(("signature", "there"), [("wrong", True), ("missing", False)])
def test_a_text_can_be_forged(carrier: Sandbox, signature: str, there: bool) -> None:
    carrier.control("POST", "inbound", {"from": PATIENT, "to": CLINIC, "body": "7", "signature": signature})

    (one,) = carrier.product.arrived
    assert not one.signed_with(TOKEN)
    assert ("X-Twilio-Signature" in one.headers) is there


def test_a_photo_needs_credentials_and_is_a_real_picture(carrier: Sandbox) -> None:
    carrier.control("POST", "inbound", {"from": PATIENT, "to": CLINIC, "body": "", "media": 1})

    (one,) = carrier.product.arrived
    path = one.params["MediaUrl0"].removeprefix(carrier.account_url)
    assert (one.params["NumMedia"], one.params["MediaContentType0"]) == ("1", "image/png")
    assert carrier.raw("GET", path, auth=None).status_code == 401
    picture = carrier.raw("GET", path)
    assert picture.headers["Content-Type"] == "image/png"
    assert picture.content.startswith(b"\x89PNG\r\n")
    assert carrier.raw("DELETE", path).status_code == 204
    assert carrier.raw("GET", path).status_code == 404


def test_a_twiml_answer_reaches_the_phone(carrier: Sandbox) -> None:
    def greet(_: Arrived) -> str:
        document = MessagingResponse()
        document.message("Thank you & bye")
        return str(document)

    carrier.product.answers["/inbound/"] = greet

    carrier.control("POST", "inbound", {"from": PATIENT, "to": CLINIC, "body": "hi"})

    (reply,) = carrier.control("GET", f"messages?to=%2B{PATIENT[1:]}")["messages"]
    assert (reply["direction"], reply["from"], reply["body"]) == ("outbound-reply", CLINIC, "Thank you & bye")
    assert carrier.control("GET", "tally")["creates"] == 0


def test_stop_is_left_to_the_product_unless_the_carrier_keeps_it(carrier: Sandbox) -> None:
    carrier.control("POST", "inbound", {"from": PATIENT, "to": CLINIC, "body": "STOP"})

    assert carrier.send().status == "queued"


def test_a_carrier_that_keeps_stop_refuses_until_start(carrier: Sandbox) -> None:
    carrier.control("POST", "settings", {"carrier_handles_opt_out": True})
    carrier.control("POST", "inbound", {"from": PATIENT, "to": CLINIC, "body": " Stop "})

    refused = carrier.raw("POST", "/Messages.json", data={"To": PATIENT, "From": CLINIC, "Body": "hi"})
    assert refused.json()["code"] == 21610
    assert carrier.send(to="+13125550102").status == "queued"

    carrier.control("POST", "inbound", {"from": PATIENT, "to": CLINIC, "body": "START"})
    assert carrier.send().status == "queued"
    assert [one.params.get("OptOutType") for one in carrier.product.arrived] == ["STOP", "START"]
    replies = [m for m in carrier.control("GET", "messages")["messages"] if m["direction"] == "outbound-reply"]
    assert len(replies) == 2
