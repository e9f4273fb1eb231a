"""The control API: looking into the carrier, waiting for events, moving the clock."""

import threading
from datetime import UTC, datetime, timedelta

from reminders.sandbox.clock import PhoneEntry
from tests.sandbox.harness import CLINIC, PATIENT, Sandbox


def test_health_needs_no_credentials(carrier: Sandbox) -> None:
    assert carrier.page("GET", "/healthz").json() == {"status": "ok"}


def test_the_state_shows_everything_the_carrier_knows(carrier: Sandbox) -> None:
    carrier.send("out", status_callback=carrier.product.base_url + "/status/")
    carrier.posted(count=2)
    carrier.control("POST", "inbound", {"from": PATIENT, "to": CLINIC, "body": "in"})

    state = carrier.control("GET", "state")

    assert [(m["body"], m["status"]) for m in state["messages"]] == [("out", "delivered")]
    assert [m["body"] for m in state["inbound"]] == ["in"]
    assert [c["webhook"] for c in state["callbacks"]] == ["message.status", "message.status", "message.inbound"]
    assert state["requests"]["messages.create"] == {"received": 1, "processed": 1}
    assert state["calls"] == state["faults"] == []


def test_messages_can_be_asked_for_by_phone_and_time(carrier: Sandbox) -> None:
    carrier.send("before")
    carrier.control("POST", "clock", {"advance_minutes": 60})
    since = (datetime.now(UTC) + timedelta(minutes=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
    carrier.send("after")
    carrier.send("someone else", to="+13125550102")

    found = carrier.control("GET", f"messages?to=%2B{PATIENT[1:]}&from=%2B{CLINIC[1:]}&since={since}")

    assert [m["body"] for m in found["messages"]] == ["after"]


def test_a_reader_waits_for_the_next_event_and_is_woken(carrier: Sandbox) -> None:
    last = carrier.control("GET", "state")["last_event"]
    answers: list[dict[str, object]] = []
    readers = [
        threading.Thread(target=lambda: answers.append(carrier.control("GET", f"events?after={last}&timeout=20")))
        for _ in range(2)
    ]
    for reader in readers:
        reader.start()

    message = carrier.send()
    for reader in readers:
        reader.join(10)

    firsts = [answer["events"][0] for answer in answers]  # type: ignore[index]
    assert [first["message"]["sid"] for first in firsts] == [message.sid, message.sid]


def test_a_reader_of_nothing_gets_an_empty_answer(carrier: Sandbox) -> None:
    last = carrier.control("GET", "state")["last_event"]

    assert carrier.control("GET", f"events?after={last}&timeout=0.05") == {"events": [], "last": last}


def test_events_can_be_filtered_by_kind_and_fields(carrier: Sandbox) -> None:
    carrier.send("one")
    message = carrier.send("two")

    wanted = f"kind=message.status&sid={message.sid}&status=delivered"
    (event,) = carrier.control("GET", f"events?after=0&timeout=10&{wanted}")["events"]

    assert (event["sid"], event["status"]) == (message.sid, "delivered")
    created = carrier.control("GET", "events?after=0&kind=message.created&body=two")["events"]
    assert [e["message"]["sid"] for e in created] == [message.sid]
    nothing = carrier.control("GET", "events?after=0&timeout=0.05&kind=no.such")
    assert nothing == {"events": [], "last": carrier.control("GET", "state")["last_event"]}


def test_phones_show_both_sides_with_their_owner(carrier: Sandbox) -> None:
    carrier.clock.phones = {PATIENT: PhoneEntry("Ana R. (patient)", "patient", "America/Chicago")}
    carrier.send("How is it?")
    carrier.control("POST", "inbound", {"from": PATIENT, "to": CLINIC, "body": "7"})

    (phone,) = carrier.control("GET", "phones")["phones"]

    assert (phone["number"], phone["label"]) == (PATIENT, "Ana R. (patient)")
    assert [m["body"] for m in phone["messages"]] == ["How is it?", "7"]


def test_the_clock_moves_by_minutes_to_a_time_and_to_the_next_message(carrier: Sandbox) -> None:
    start = datetime.fromisoformat(carrier.control("GET", "clock")["now"])

    moved = datetime.fromisoformat(carrier.control("POST", "clock", {"advance_minutes": 10})["now"])
    assert timedelta(minutes=10) <= moved - start < timedelta(minutes=10, seconds=5)

    carrier.clock.next_at = moved + timedelta(hours=3)
    there = datetime.fromisoformat(carrier.control("POST", "clock", {"to": "next"})["now"])
    assert timedelta() <= there - carrier.clock.next_at < timedelta(seconds=5)

    goal = there + timedelta(days=1)
    there = datetime.fromisoformat(carrier.control("POST", "clock", {"to": goal.isoformat()})["now"])
    assert timedelta() <= there - goal < timedelta(seconds=5)


def test_the_clock_never_moves_back_and_not_to_nowhere(carrier: Sandbox) -> None:
    assert carrier.control("POST", "clock", {"advance_minutes": -1}, status=400) == {
        "error": "the clock only moves forward"
    }
    assert carrier.control("POST", "clock", {"to": "next"}, status=400) == {"error": "no message is planned"}
    hour_ago = datetime.fromisoformat(carrier.control("GET", "clock")["now"]) - timedelta(hours=1)
    carrier.control("POST", "clock", {"to": hour_ago.isoformat()}, status=400)


def test_a_moment_that_passes_while_the_request_travels_is_reached(carrier: Sandbox) -> None:
    before = datetime.fromisoformat(carrier.control("GET", "clock")["now"])
    just_passed = before - timedelta(milliseconds=100)
    there = datetime.fromisoformat(carrier.control("POST", "clock", {"to": just_passed.isoformat()})["now"])
    assert timedelta() <= there - before < timedelta(seconds=5)


def test_settings_are_checked_before_any_is_changed(carrier: Sandbox) -> None:
    before = carrier.control("GET", "state")["settings"]

    carrier.control("POST", "settings", {"sent_after": 5, "delivered_after": "soon"}, status=400)
    carrier.control("POST", "settings", {"no_such_thing": 1}, status=400)

    assert carrier.control("GET", "state")["settings"] == before


def test_a_reset_forgets_conversations_and_faults_but_goes_on_counting(carrier: Sandbox) -> None:
    carrier.send()
    carrier.control("POST", "faults", {"effect": "delay"})
    last = carrier.control("GET", "state")["last_event"]

    carrier.control("POST", "reset")

    state = carrier.control("GET", "state")
    assert state["messages"] == state["faults"] == []
    assert state["last_event"] > last
    assert carrier.control("GET", "tally")["creates"] == 0


def test_another_site_may_not_steer_the_sandbox(carrier: Sandbox) -> None:
    response = carrier.page("POST", "/sandbox/api/reset", headers={"Sec-Fetch-Site": "cross-site"})

    assert response.status_code == 403


def test_bad_wishes_are_told_in_a_sentence(carrier: Sandbox) -> None:
    for path, wish in (
        ("inbound", {"from": "nobody", "to": CLINIC}),
        ("inbound", {"from": PATIENT, "to": CLINIC, "media": 11}),
        ("numbers", {"outcome": "failed"}),
        ("numbers", {"number": PATIENT, "outcome": "sneezed"}),
        ("clock", {"to": "yesterday"}),
        ("settings", ["not", "an", "object"]),
    ):
        assert carrier.control("POST", path, wish, status=400)["error"]
    assert carrier.control("POST", "calls/CA0/answer", status=404) == {"error": "no such call"}
