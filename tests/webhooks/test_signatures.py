"""Only the carrier is listened to."""

from typing import Any

import pytest
from django.test import Client
from twilio.request_validator import RequestValidator

from reminders.clinic.models import ConsentRecord
from reminders.conversations.models import InboundMessage
from reminders.messaging.models import CarrierEvent, Message
from tests.answering import Story, begin, new_sid, post_as_carrier, text_fields
from tests.factories import make_message

pytestmark = pytest.mark.django_db
INBOUND = "/webhooks/sms/inbound/"


@pytest.fixture
def story() -> Story:
    return begin()


@pytest.mark.parametrize(
    "forgery",
    [{"signature": ""}, {"signature": "AAAAAAAAAAAAAAAAAAAAAAAAAAA="}, {"token": "somebody-elses-token"}],
    ids=["missing", "wrong", "another token"],
)
def test_a_text_that_the_carrier_did_not_sign_has_no_effect(story: Story, forgery: dict[str, Any]) -> None:
    before = ConsentRecord.objects.count()
    fields = text_fields(sender=story.phone, to=story.sender, body="STOP, chest pain")

    response = post_as_carrier(INBOUND, fields, **forgery)

    assert (response.status_code, response.content) == (403, b"")
    assert not InboundMessage.objects.exists()
    assert ConsentRecord.objects.count() == before
    assert story.cases() == []


def test_another_account_with_a_right_signature_is_refused(story: Story) -> None:
    fields = text_fields(sender=story.phone, to=story.sender, body="STOP") | {"AccountSid": "AC" + "9" * 32}

    assert post_as_carrier(INBOUND, fields).status_code == 403
    assert not InboundMessage.objects.exists()


def test_words_changed_on_the_way_are_refused(story: Story) -> None:
    fields = text_fields(sender=story.phone, to=story.sender, body="3")
    honest = post_as_carrier(INBOUND, fields)
    signature = RequestValidator("0" * 32).compute_signature(
        "http://testserver" + INBOUND, {"AccountSid": "AC" + "0" * 32, "ApiVersion": "2010-04-01", **fields}
    )

    changed = post_as_carrier(INBOUND, fields | {"Body": "9", "MessageSid": new_sid()}, signature=signature)

    assert (honest.status_code, changed.status_code) == (200, 403)
    assert [text.body for text in InboundMessage.objects.all()] == ["3"]


@pytest.mark.parametrize("body", ["", "a+b & c=d %20", "¿Cómo está? 👍", "two\r\nlines", "=1+1", "{{ 7*7 }} <b>"])
def test_words_of_any_shape_are_stored_as_they_came(story: Story, body: str) -> None:
    response = post_as_carrier(INBOUND, text_fields(sender=story.phone, to=story.sender, body=body))

    assert response.status_code == 200
    assert InboundMessage.objects.get().body == body


def test_a_replayed_post_has_no_second_effect(story: Story) -> None:
    story.asked()
    fields = text_fields(sender=story.phone, to=story.sender, body="STOP")

    statuses = [post_as_carrier(INBOUND, fields).status_code for _ in range(3)]

    assert statuses == [200, 200, 200]
    assert InboundMessage.objects.count() == 1
    assert story.answers() == ["opt_out_confirmed"]


def test_the_answer_to_the_carrier_is_an_empty_document(story: Story) -> None:
    response = post_as_carrier(INBOUND, text_fields(sender=story.phone, to=story.sender, body="I cannot breathe"))

    assert response.headers["Content-Type"].startswith("text/xml")
    assert response.content.endswith(b"<Response></Response>")


def test_a_get_is_not_a_webhook(story: Story) -> None:
    assert Client().get(INBOUND).status_code == 405


def test_a_text_without_an_id_is_refused_because_its_repeat_could_not_be_told(story: Story) -> None:
    fields = text_fields(sender=story.phone, to=story.sender, body="4") | {"MessageSid": "", "SmsSid": ""}

    assert post_as_carrier(INBOUND, fields).status_code == 400
    assert not InboundMessage.objects.exists()


def test_a_status_that_the_carrier_did_not_sign_moves_nothing(story: Story) -> None:
    text = make_message(patient=story.patient, state="accepted", now=story.started_at)
    path = f"/webhooks/sms/status/{text.public_id}/"

    response = post_as_carrier(path, {"MessageSid": text.carrier_sid, "MessageStatus": "delivered"}, signature="no")

    assert response.status_code == 403
    assert Message.objects.get(pk=text.pk).state == "accepted"
    assert not CarrierEvent.objects.exists()


def test_a_status_of_a_text_we_do_not_know_is_kept_and_never_an_error(story: Story) -> None:
    path = "/webhooks/sms/status/00000000-0000-4000-8000-000000000000/"

    odd = {"MessageSid": new_sid(), "MessageStatus": "a_status_of_tomorrow\x00", "ErrorCode": "\u00b2"}
    response = post_as_carrier(path, odd)

    assert response.status_code == 204
    assert CarrierEvent.objects.get().status == "a_status_of_tomorrow"
