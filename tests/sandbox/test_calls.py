"""Calls that ring, are answered, speak, and listen for keys."""

from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.twiml.voice_response import Gather, VoiceResponse

from tests.sandbox.harness import ACCOUNT, CLINIC, TOKEN, Sandbox
from tests.sandbox.product import Arrived

CLINICIAN = "+13125550150"
ALL_EVENTS = ["initiated", "ringing", "answered", "completed"]


def prompt(_: Arrived) -> str:
    """One prompt for one key, said twice, then good-bye."""
    document = VoiceResponse()
    for _times in range(2):
        gather = Gather(num_digits=1, action="/voice/key/", timeout=5)
        gather.say("A patient needs you. Press 1 to take this.")
        document.append(gather)
    document.say("Nobody answered. Goodbye.")
    return str(document)


def confirm(one: Arrived) -> str:
    """Say which key was pressed."""
    document = VoiceResponse()
    document.say(f"You pressed {one.params['Digits']}.")
    return str(document)


@pytest.fixture
def ringing(carrier: Sandbox) -> tuple[Sandbox, Any]:
    """A carrier with one ringing call."""
    carrier.product.answers = {"/voice/": prompt, "/voice/key/": confirm}
    return carrier, ring(carrier)


def ring(carrier: Sandbox, **fields: Any) -> Any:
    """Place a call and wait until the phone rings."""
    base = carrier.product.base_url
    callback = {"status_callback": base + "/call-status/", "status_callback_event": ALL_EVENTS}
    call = carrier.client.calls.create(
        **{"to": CLINICIAN, "from_": CLINIC, "url": base + "/voice/", **callback, **fields}
    )
    carrier.events(until="call.status", sid=call.sid, changes={"status": "ringing"})
    return call


def do(carrier: Sandbox, call: Any, action: str, **wish: Any) -> dict[str, Any]:
    """Do something with the phone that rings."""
    record: dict[str, Any] = carrier.control("POST", f"calls/{call.sid}/{action}", wish)
    return record


def told(carrier: Sandbox) -> list[str]:
    """The call statuses that the product was told."""
    return [one.params["CallStatus"] for one in carrier.product.at("/call-status/")]


def test_a_call_is_answered_prompts_and_takes_a_key(ringing: tuple[Sandbox, Any]) -> None:
    carrier, call = ringing
    assert call.status == "queued"

    listening = do(carrier, call, "answer")
    assert (listening["status"], listening["gathering"]) == ("in-progress", True)
    ended = do(carrier, call, "press", digits="1")

    assert ended["status"] == "completed"
    assert [(line["kind"], line["text"]) for line in ended["said"]] == [
        ("said", "A patient needs you. Press 1 to take this."),
        ("pressed", "1"),
        ("said", "You pressed 1."),
    ]
    (answered,), (key,) = carrier.product.at("/voice/"), carrier.product.at("/voice/key/")
    assert answered.params["CallStatus"] == "in-progress"
    assert (answered.params["Direction"], answered.params["AccountSid"]) == ("outbound-api", ACCOUNT)
    assert (key.params["Digits"], key.params["CallSid"]) == ("1", call.sid)
    assert any(event.request["url"] == key.url for event in carrier.client.calls(call.sid).events.list())
    assert carrier.client.calls(call.sid).notifications.list() == []
    assert all(one.signed_with(TOKEN) for one in carrier.product.arrived)


def test_the_product_is_told_of_each_step_in_order(ringing: tuple[Sandbox, Any]) -> None:
    carrier, call = ringing
    do(carrier, call, "answer")
    do(carrier, call, "hangup")

    carrier.posted(count=4, webhook="call.status")

    arrived = carrier.product.at("/call-status/")
    assert told(carrier) == ["initiated", "ringing", "in-progress", "completed"]
    assert [one.params["SequenceNumber"] for one in arrived] == ["0", "1", "2", "3"]
    assert arrived[-1].params["CallDuration"] == "0"
    assert "Timestamp" in arrived[0].params
    assert call.fetch().status == "completed"


def test_by_default_only_the_end_is_told(carrier: Sandbox) -> None:
    call = ring(carrier, status_callback_event=[])

    do(carrier, call, "busy")
    carrier.posted(webhook="call.status")

    assert told(carrier) == ["busy"]


def test_silence_falls_through_to_the_next_verb_and_then_to_the_end(ringing: tuple[Sandbox, Any]) -> None:
    carrier, call = ringing
    do(carrier, call, "answer")

    assert do(carrier, call, "silence")["gathering"]
    ended = do(carrier, call, "silence")

    assert ended["status"] == "completed"
    assert ended["said"][-1]["text"] == "Nobody answered. Goodbye."
    assert carrier.product.at("/voice/key/") == []


def test_silence_also_comes_when_the_clock_passes_the_timeout(ringing: tuple[Sandbox, Any]) -> None:
    carrier, call = ringing
    do(carrier, call, "answer")

    carrier.control("POST", "clock", {"advance_seconds": 6})

    carrier.events(until="call.gathering", sid=call.sid, changes={"gathering": False})


@pytest.mark.parametrize("outcome", ["busy", "no-answer", "failed"])
def test_a_phone_can_stay_unanswered(ringing: tuple[Sandbox, Any], outcome: str) -> None:
    carrier, call = ringing

    assert do(carrier, call, outcome)["status"] == outcome
    assert call.fetch().duration is None
    assert carrier.product.at("/voice/") == []


def test_a_phone_that_nobody_takes_rings_out_on_the_shared_clock(carrier: Sandbox) -> None:
    call = ring(carrier, timeout=20)

    carrier.control("POST", "clock", {"advance_seconds": 21})

    carrier.events(until="call.status", sid=call.sid)
    assert call.fetch().status == "no-answer"


@pytest.mark.parametrize(
    ("detection", "answered_by"), [("Enable", "machine_start"), ("DetectMessageEnd", "machine_end_beep")]
)
def test_a_voicemail_is_detected_and_presses_no_key(carrier: Sandbox, detection: str, answered_by: str) -> None:
    carrier.product.answers = {"/voice/": prompt}
    call = ring(carrier, machine_detection=detection)

    ended = do(carrier, call, "voicemail")

    assert ended["status"] == "completed"
    (fetched,) = carrier.product.at("/voice/")
    assert fetched.params["AnsweredBy"] == answered_by
    assert carrier.product.at("/voice/key/") == []


def test_a_voicemail_without_detection_looks_like_a_silent_person(ringing: tuple[Sandbox, Any]) -> None:
    carrier, call = ringing

    assert do(carrier, call, "voicemail")["status"] == "completed"
    assert "AnsweredBy" not in carrier.product.at("/voice/")[0].params


def test_twiml_can_come_with_the_call_and_several_keys_end_with_a_hash(carrier: Sandbox) -> None:
    carrier.product.answers = {"/key/": confirm}
    document = VoiceResponse()
    document.gather(action=carrier.product.base_url + "/key/").say("Type the code.")
    call = ring(carrier, url=None, twiml=str(document))

    do(carrier, call, "answer")
    ended = do(carrier, call, "press", digits="4711#")

    assert ended["said"][-1]["text"] == "You pressed 4711."


def test_a_redirect_to_itself_is_bounded(carrier: Sandbox) -> None:
    document = VoiceResponse()
    document.redirect("/voice/")
    carrier.product.answers = {"/voice/": lambda _: str(document)}
    call = ring(carrier)

    ended = do(carrier, call, "answer")

    assert ended["status"] == "completed"
    assert "application error" in ended["said"][-1]["text"]
    assert len(carrier.product.at("/voice/")) == 20


@pytest.mark.parametrize("broken", [500, "<Response><Say>", "<!DOCTYPE x><Response/>", "<Wrong/>"])
def test_a_broken_answer_apologises_and_ends(carrier: Sandbox, broken: str | int) -> None:
    carrier.product.answers = {"/voice/": lambda _: broken}
    call = ring(carrier)

    ended = do(carrier, call, "answer")

    assert ended["status"] == "completed"
    assert "application error" in ended["said"][-1]["text"]


def test_a_rule_answers_and_presses_by_itself(carrier: Sandbox) -> None:
    carrier.product.answers = {"/voice/": prompt, "/voice/key/": confirm}
    carrier.control("POST", "numbers", {"number": CLINICIAN, "call": "answer", "press": "1"})
    call = ring(carrier)

    carrier.events(until="call.status", sid=call.sid, count=2)

    assert call.fetch().status == "completed"
    assert [one.params["Digits"] for one in carrier.product.at("/voice/key/")] == ["1"]


def test_a_call_can_be_canceled_ended_redirected_listed_and_deleted(ringing: tuple[Sandbox, Any]) -> None:
    carrier, first = ringing
    assert first.update(status="canceled").status == "canceled"
    with pytest.raises(TwilioRestException) as refused:
        first.update(status="completed")
    assert refused.value.code == 21220

    second = ring(carrier)
    do(carrier, second, "answer")
    second.update(twiml="<Response><Say>Someone else took it.</Say><Hangup/></Response>")
    carrier.events(until="call.said", sid=second.sid, count=2)
    assert [c.sid for c in carrier.client.calls.list(to=CLINICIAN)] == [second.sid, first.sid]
    assert [c.sid for c in carrier.client.calls.list(status="canceled")] == [first.sid]
    assert first.delete()
    assert [c.sid for c in carrier.client.calls.list()] == [second.sid]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"To": ""}, 21201),
        ({"To": "nonsense"}, 21217),
        ({"To": "+15005550001"}, 21217),
        ({"To": "+15005550002"}, 21214),
        ({"To": "+15005550003"}, 21215),
        ({"To": "+15005550004"}, 21216),
        ({"From": ""}, 21213),
        ({"From": "+15005550001"}, 21212),
        ({"From": "+15005550002"}, 21210),
        ({"Url": ""}, 21205),
        ({"Url": "nowhere"}, 21205),
        ({"StatusCallback": "nowhere"}, 21609),
        ({"Timeout": "601"}, 20001),
        ({"StatusCallbackEvent": "sneezed"}, 20001),
    ],
)
def test_a_bad_call_is_refused_with_its_code(carrier: Sandbox, changes: dict[str, str], code: int) -> None:
    form = {"To": CLINICIAN, "From": CLINIC, "Url": "https://example.org/voice"} | changes

    response = carrier.raw("POST", "/Calls.json", data=form)

    assert (response.status_code, response.json()["code"]) == (400, code)


def test_a_key_that_nobody_listens_for_is_an_error(ringing: tuple[Sandbox, Any]) -> None:
    carrier, call = ringing
    do(carrier, call, "busy")

    answer = carrier.control("POST", f"calls/{call.sid}/press", {"digits": "1"}, status=400)

    assert answer == {"error": "the call is over"}
