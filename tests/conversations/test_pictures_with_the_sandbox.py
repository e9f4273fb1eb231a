"""A phone of the sandbox sends a picture; what the product does with it is what it would do with Twilio's."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from reminders.conversations.models import Picture
from reminders.conversations.pictures import open_picture
from reminders.conversations.tasks import fetch_picture
from reminders.delivery import registry
from reminders.sandbox.photo import photo_bytes
from tests.answering import begin, post_text
from tests.sandbox.harness import ACCOUNT, TOKEN, Sandbox, sandbox


@pytest.fixture
def carrier(settings: Settings) -> Iterator[Sandbox]:
    with sandbox() as one:
        settings.TWILIO_API_BASE_URL = one.url
        settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN = ACCOUNT, TOKEN
        # The process keeps one carrier, made from the settings of its time.
        registry.carrier.cache_clear()
        yield one
        registry.carrier.cache_clear()


@pytest.mark.django_db
def test_a_picture_travels_from_a_phone_to_the_clinic_and_is_left_nowhere_on_the_way(carrier: Sandbox) -> None:
    story = begin()
    carrier.control("POST", "inbound", {"from": story.phone, "to": story.sender, "body": "", "media": 1})
    (arrived,) = carrier.product.at("/inbound/")
    fields = {name: arrived.params[name] for name in ("NumMedia", "MediaUrl0", "MediaContentType0")}
    post_text(sender=story.phone, to=story.sender, body="", sid=arrived.params["MessageSid"], **fields)

    fetch_picture(Picture.objects.get().pk)

    picture = Picture.objects.get()
    assert open_picture(picture) == photo_bytes()
    assert picture.removed_at is not None
    there = fields["MediaUrl0"].removeprefix(carrier.account_url)
    assert carrier.raw("GET", there).status_code == 404
