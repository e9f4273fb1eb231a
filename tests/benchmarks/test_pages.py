"""The clinic that pages are measured in, small."""

import pytest
from django.test import Client

from benchmarks.pages.addresses import pages_of
from benchmarks.pages.crowd import fill
from reminders import clock
from reminders.console.rooms import ROOMS


@pytest.mark.django_db
def test_every_room_is_measured_and_has_something_in_it() -> None:
    crowd = fill(patients=200, messages=4_000, now=clock.now(), days=3)
    client = Client()
    client.force_login(crowd.owner)

    pages = list(pages_of(crowd.clinic))

    assert {room.name for room in ROOMS} <= {page.name for page in pages}
    assert crowd.messages == 4_000
    for page in pages:
        answered = client.post(page.path, page.posted) if page.posted else client.get(page.path)
        assert answered.status_code == 200, page.name
    assert "patients need you" in client.get("/").content.decode()
    assert "texts wait for a reader" in client.get("/inbox/").content.decode()
