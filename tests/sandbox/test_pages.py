"""The pages without a script: what they show, and what their plain forms do."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from reminders.sandbox.clock import PhoneEntry
from tests.sandbox.harness import CLINIC, PATIENT, Sandbox

CLINICIAN = "+13125550150"
ANA = {PATIENT: PhoneEntry("Ana <R.>", "patient", "America/Chicago"), CLINIC: PhoneEntry("Lakeview", "clinic")}
PROMPT = '<Response><Gather numDigits="1"><Say>Press 1.</Say></Gather><Say>Bye.</Say></Response>'


def text_of(carrier: Sandbox, path: str) -> str:
    """A page's source, white space joined."""
    response = carrier.page("GET", path)
    assert response.status_code == 200
    assert response.text.count("<h1") == 1
    return " ".join(response.text.split())


def submit(carrier: Sandbox, path: str, **form: str) -> str:
    """Send a form and return the page that the browser is led to."""
    response = carrier.page("POST", path, data=form)
    assert [r.status_code for r in response.history] == [303]
    assert response.status_code == 200
    return " ".join(response.text.split())


def test_an_empty_carrier_says_what_to_do_next(carrier: Sandbox) -> None:
    assert "No phone has got a text yet" in text_of(carrier, "/")


def test_the_list_names_phones_by_the_phonebook_and_counts_what_is_unread(carrier: Sandbox) -> None:
    carrier.clock.phones = ANA
    carrier.send("How is the shoulder?")

    page = text_of(carrier, "/")

    assert "Ana &lt;R.&gt;" in page
    assert "How is the shoulder?" in page
    assert re.search(r"Unread texts: </span>1", page)
    assert ">Lakeview<" not in page
    text_of(carrier, f"/phones/{PATIENT}")
    assert "Unread texts" not in text_of(carrier, "/")


def test_a_chat_shows_both_sides_with_local_times_and_states_in_words(carrier: Sandbox) -> None:
    carrier.clock.phones = ANA
    carrier.control("POST", "numbers", {"number": PATIENT, "outcome": "undelivered", "error_code": 30005})
    message = carrier.send("How is it?")
    carrier.events(until="message.status", sid=message.sid, status="undelivered")

    page = submit(carrier, "/reply", **{"from": PATIENT, "to": CLINIC, "body": "still 7 <b>"})

    assert "undelivered: unknown destination handset (30005)" in page
    assert "still 7 &lt;b&gt;" in page
    assert "taken by the product" in page
    assert re.search(r"\d\d:\d\d C[SD]T", page)
    assert carrier.product.at("/inbound/")[0].params["Body"] == "still 7 <b>"


def test_quick_replies_and_photos_are_sent(carrier: Sandbox) -> None:
    submit(carrier, "/reply", **{"from": PATIENT, "to": CLINIC, "body": "", "quick": "STOP"})
    submit(carrier, "/reply", **{"from": PATIENT, "to": CLINIC, "body": "", "photo": "1"})

    stop, photo = carrier.product.at("/inbound/")
    assert stop.params["Body"] == "STOP"
    assert photo.params["NumMedia"] == "1"


@pytest.mark.parametrize(
    ("form", "problem"),
    [
        ({"from": PATIENT, "to": CLINIC, "body": "  "}, "Type a text first"),
        ({"from": "nobody", "to": CLINIC, "body": "x"}, "Not sent"),
    ],
)
def test_a_reply_that_cannot_be_sent_says_why(carrier: Sandbox, form: dict[str, str], problem: str) -> None:
    assert problem in submit(carrier, "/reply", **form)
    assert carrier.product.arrived == []


def test_a_phone_rings_is_answered_and_takes_keys(carrier: Sandbox) -> None:
    call = carrier.client.calls.create(to=CLINICIAN, from_=CLINIC, twiml=PROMPT)
    carrier.events(until="call.status", sid=call.sid)
    assert "Ringing" in text_of(carrier, "/")

    page = submit(carrier, f"/calls/{call.sid}", action="answer")
    assert "Press 1." in page
    assert 'aria-label="Key hash"' in page

    submit(carrier, f"/calls/{call.sid}", action="press", digits="5")
    page = submit(carrier, f"/calls/{call.sid}", action="hangup")
    assert "You pressed <kbd>5</kbd>" in page or "keys pressed: 5" in page


def test_a_button_that_came_too_late_says_so(carrier: Sandbox) -> None:
    call = carrier.client.calls.create(to=CLINICIAN, from_=CLINIC, twiml=PROMPT)
    carrier.events(until="call.status", sid=call.sid)
    submit(carrier, f"/calls/{call.sid}", action="busy")

    assert "the phone is not ringing" in submit(carrier, f"/calls/{call.sid}", action="answer")


def test_the_clock_moves_from_any_page(carrier: Sandbox) -> None:
    start = datetime.now(UTC)
    submit(carrier, "/clock", step="1440", back="/faults")
    assert carrier.carrier.time.now() - start >= timedelta(days=1)

    assert "no message is planned" in submit(carrier, "/clock", step="next")
    carrier.clock.next_at = start + timedelta(days=3)
    submit(carrier, "/clock", step="next")
    assert carrier.carrier.time.now() >= carrier.clock.next_at


def test_a_form_leads_back_only_into_this_page(carrier: Sandbox) -> None:
    response = carrier.page("POST", "/clock", data={"step": "10", "back": "//example.org/"}, allow_redirects=False)

    assert response.headers["Location"] == "/"


def test_faults_are_switched_on_and_off(carrier: Sandbox) -> None:
    page = submit(carrier, "/faults", switch="error-processed")
    assert "1 fault is on" in page
    (rule,) = carrier.control("GET", "state")["faults"]
    assert (rule["effect"], rule["processed"]) == ("error", True)

    assert "No fault is on" in submit(carrier, "/faults", switch="error-processed")


def test_endings_and_the_keeper_of_stop_are_chosen(carrier: Sandbox) -> None:
    submit(carrier, "/behaviour", number="*", outcome="failed")
    submit(carrier, "/behaviour", opt_out="carrier")

    state = carrier.control("GET", "state")
    assert state["numbers"]["*"]["outcome"] == "failed"
    assert state["settings"]["carrier_handles_opt_out"] is True

    submit(carrier, "/behaviour", number="*", outcome="delivered")
    assert carrier.control("GET", "state")["numbers"] == {}


def test_a_search_finds_by_name_and_says_when_it_does_not(carrier: Sandbox) -> None:
    carrier.clock.phones = ANA

    assert "Ana &lt;R.&gt;" in text_of(carrier, "/?q=ana")
    assert "No phone matches" in text_of(carrier, "/?q=zoe")


def test_a_poll_is_answered_only_when_something_has_changed(carrier: Sandbox) -> None:
    page = text_of(carrier, f"/phones/{PATIENT}")
    found = re.search(r'hx-get="([^"]+)"', page)
    assert found is not None
    poll = found[1].replace("&amp;", "&")
    assert carrier.page("GET", poll).status_code == 204

    carrier.send("Something new")

    assert "Something new" in carrier.page("GET", poll).text


def test_style_and_script_come_from_this_server(carrier: Sandbox) -> None:
    assert carrier.page("GET", "/assets/sandbox.css").headers["Content-Type"] == "text/css"
    assert "htmx" in carrier.page("GET", "/assets/htmx.js").text


def test_another_site_cannot_send_forms(carrier: Sandbox) -> None:
    response = carrier.page("POST", "/clock", data={"step": "10"}, headers={"Sec-Fetch-Site": "cross-site"})

    assert response.status_code == 403


def test_a_double_is_one_row_that_was_created_twice_not_two_rows_with_the_same_words(carrier: Sandbox) -> None:
    def create(row: int) -> None:
        form = {"To": PATIENT, "From": CLINIC, "Body": "How sore?"}
        form["StatusCallback"] = f"{carrier.product.base_url}/status/{row}"
        assert carrier.raw("POST", "/Messages.json", data=form).ok

    create(1)
    create(2)
    assert "2 texts, none of them twice" in text_of(carrier, "/faults")

    create(1)
    assert "1 of them more than once" in text_of(carrier, "/faults")
