"""Texts through Twilio's own client; each exchange is also checked against Twilio's OpenAPI document."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from twilio.base.exceptions import TwilioRestException

from reminders.sandbox.settings import Behaviour
from tests.sandbox.contract import needs_document
from tests.sandbox.harness import CLINIC, PATIENT, Sandbox, sandbox

SERVICE = "MG" + "0" * 32


def test_a_created_text_is_queued_and_carries_the_fields_and_types_of_twilio(carrier: Sandbox) -> None:
    message = carrier.send("Hola 👍 + & =")

    assert re.fullmatch(r"SM[0-9a-f]{32}", message.sid)
    assert (message.to, message.from_, message.body) == (PATIENT, CLINIC, "Hola 👍 + & =")
    assert (message.status, message.direction, message.error_code) == ("queued", "outbound-api", None)
    assert (message.num_segments, message.num_media) == ("1", "0")
    assert abs(message.date_created - datetime.now(UTC)) < timedelta(seconds=5)


@needs_document
def test_every_exchange_of_these_tests_is_checked_against_the_contract(carrier: Sandbox) -> None:
    carrier.send()
    carrier.client.messages.list(to=PATIENT, date_sent_after=datetime(2020, 1, 1, tzinfo=UTC), page_size=20)

    assert carrier.http_client.checked == 2


def test_a_text_is_sent_and_then_delivered(carrier: Sandbox) -> None:
    message = carrier.send()

    carrier.events(until="message.status", sid=message.sid, status="delivered")

    fetched = carrier.client.messages(message.sid).fetch()
    assert fetched.status == "delivered"
    assert fetched.date_sent is not None


def test_the_same_create_twice_makes_two_texts_even_with_an_idempotency_token(carrier: Sandbox) -> None:
    form = {"To": PATIENT, "From": CLINIC, "Body": "once?", "StatusCallback": carrier.product.base_url + "/status/7"}
    for _ in range(2):
        assert carrier.raw("POST", "/Messages.json", data=form, headers={"I-Twilio-Idempotency-Token": "x"}).ok

    tally = carrier.control("GET", "tally")
    assert tally["doubles"] == [{"to": PATIENT, "body": "once?", "count": 2}]
    assert tally["callback_doubles"] == {carrier.product.base_url + "/status/7": 2}
    assert tally["creates"] == 2


def test_unknown_form_fields_are_accepted(carrier: Sandbox) -> None:
    form = {"To": PATIENT, "From": CLINIC, "Body": "hi", "MessageIntent": "notification", "SomethingNew": "1"}

    assert carrier.raw("POST", "/Messages.json", data=form).status_code == 201


def test_a_list_holds_both_directions_newest_first_and_filters(carrier: Sandbox) -> None:
    first, second = carrier.send("one"), carrier.send("two")
    carrier.send("other", to="+13125550102")
    carrier.control("POST", "inbound", {"from": PATIENT, "to": CLINIC, "body": "7"})

    to_patient = carrier.client.messages.list(to=PATIENT, from_=CLINIC)
    assert [m.sid for m in to_patient] == [second.sid, first.sid]
    (received,) = carrier.client.messages.list(from_=PATIENT)
    assert (received.direction, received.status, received.body) == ("inbound", "received", "7")
    assert len(carrier.client.messages.list()) == 4


def test_date_filters_include_the_day_they_name(carrier: Sandbox) -> None:
    carrier.events(until="message.status", sid=carrier.send().sid, status="delivered")
    today = carrier.carrier.time.now()

    assert len(carrier.client.messages.list(date_sent=today.date())) == 1
    assert carrier.client.messages.list(date_sent_before=today - timedelta(days=1)) == []
    assert len(carrier.client.messages.list(date_sent_after=today - timedelta(days=1))) == 1


def test_pages_follow_each_other_without_gap_while_new_texts_arrive(carrier: Sandbox) -> None:
    sent = [carrier.send(f"text {n}").sid for n in range(7)]
    page = carrier.client.messages.page(to=PATIENT, page_size=3)
    seen = [m.sid for m in page]

    carrier.send("a newcomer")
    while (page := page.next_page()) is not None:
        seen += [m.sid for m in page]

    assert seen == sent[::-1]


def test_media_of_an_outgoing_text_keep_their_order_and_can_be_deleted(carrier: Sandbox) -> None:
    urls = ["https://example.org/a.jpg", "https://example.org/b.gif"]
    message = carrier.send(media_url=urls)

    media = carrier.client.messages(message.sid).media.list()
    assert message.sid.startswith("MM")
    assert [m.content_type for m in media] == ["image/jpeg", "image/gif"]
    assert carrier.client.messages(message.sid).media(media[0].sid).fetch().parent_sid == message.sid
    assert carrier.client.messages(message.sid).media(media[0].sid).delete()
    assert [m.sid for m in carrier.client.messages(message.sid).media.list()] == [media[1].sid]


def test_a_finished_text_can_be_redacted_and_deleted(carrier: Sandbox) -> None:
    message = carrier.send("private words")
    carrier.events(until="message.status", sid=message.sid, status="delivered")

    assert carrier.client.messages(message.sid).update(body="").body == ""
    assert carrier.client.messages(message.sid).delete()
    with pytest.raises(TwilioRestException) as refused:
        carrier.client.messages(message.sid).fetch()
    assert (refused.value.status, refused.value.code) == (404, 20404)


def test_a_text_on_its_way_can_be_neither_redacted_nor_deleted() -> None:
    with sandbox(behaviour=Behaviour(sent_after=60)) as carrier:
        message = carrier.send()

        with pytest.raises(TwilioRestException) as not_deleted:
            message.delete()
        with pytest.raises(TwilioRestException) as not_redacted:
            message.update(body="")

        assert [(e.value.status, e.value.code) for e in (not_deleted, not_redacted)] == [(409, 20009)] * 2


def test_feedback_is_taken(carrier: Sandbox) -> None:
    message = carrier.send(provide_feedback=True)

    feedback = carrier.client.messages(message.sid).feedback.create(outcome="confirmed")

    assert (feedback.message_sid, feedback.outcome) == (message.sid, "confirmed")


def test_a_service_picks_a_sender_only_after_the_create(carrier: Sandbox) -> None:
    message = carrier.client.messages.create(to=PATIENT, messaging_service_sid=SERVICE, body="hi")

    assert (message.status, message.from_, message.num_segments) == ("accepted", None, "0")
    carrier.events(until="message.status", sid=message.sid, status="delivered")
    assert carrier.client.messages(message.sid).fetch().from_ == "+15005550006"


def test_a_scheduled_text_leaves_when_the_clock_reaches_it_and_can_be_canceled_before(carrier: Sandbox) -> None:
    send_at = datetime.now(UTC) + timedelta(hours=2)
    fields = {"messaging_service_sid": SERVICE, "schedule_type": "fixed", "send_at": send_at, "from_": None}
    kept, canceled = carrier.send("kept", **fields), carrier.send("canceled", **fields)

    assert kept.status == canceled.status == "scheduled"
    assert canceled.update(status="canceled").status == "canceled"
    carrier.control("POST", "clock", {"advance_minutes": 121})
    carrier.events(until="message.status", sid=kept.sid, status="delivered")
    assert canceled.fetch().status == "canceled"
    with pytest.raises(TwilioRestException) as refused:
        kept.update(status="canceled")
    assert refused.value.code == 30409


def test_a_text_waiting_longer_than_its_validity_fails() -> None:
    with sandbox(behaviour=Behaviour(sent_after=3600)) as carrier:
        message = carrier.send(validity_period=1)

        (event,) = carrier.events(until="message.status", sid=message.sid)

        assert (event["status"], event["error_code"]) == ("failed", 30036)


def test_dates_follow_the_moved_clock(carrier: Sandbox) -> None:
    carrier.control("POST", "clock", {"advance_minutes": 2880})

    assert carrier.send().date_created - datetime.now(UTC) > timedelta(days=1, hours=23)


def test_content_that_shall_not_be_retained_is_gone_after_delivery(carrier: Sandbox) -> None:
    message = carrier.send("private words", content_retention="discard")

    carrier.events(until="message.redacted", sid=message.sid)

    assert carrier.client.messages(message.sid).fetch().body == ""
