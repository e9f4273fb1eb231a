"""What must stand in rows when the carrier's post returns, whatever becomes of queues and workers."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from reminders.clinic.models import ConsentRecord
from reminders.conversations.models import InboundMessage
from reminders.conversations.tasks import read_texts
from reminders.messaging.models import Message
from reminders.webhooks import signed, texts
from tests.answering import NIGHT, Story, begin, post_text, send_due, text_fields

pytestmark = pytest.mark.django_db


@pytest.fixture
def story() -> Story:
    return begin()


@pytest.mark.parametrize("at", [None, NIGHT], ids=["at noon", "at night"])
def test_a_danger_sign_leaves_its_emergency_answer_and_its_first_ring(at: object) -> None:
    story = begin(at=NIGHT) if at else begin()
    story.asked()

    post_text(sender=story.phone, to=story.sender, body="struggling to get air")

    assert story.answers() == ["emergency"]
    assert story.rings() == [("therapist", "sms")]
    assert (story.case().severity, story.case().reason) == ("urgent", "red_flag")
    assert InboundMessage.objects.get().handled_as == "red_flag"
    left = send_due()
    assert {one.to_number for one in left} == {story.phone, story.staff.therapist.phone}


def test_stop_is_in_force_when_the_post_returns(story: Story) -> None:
    post_text(sender=story.phone, to=story.sender, body="Stop.")

    newest = ConsentRecord.objects.filter(number=story.phone).latest("id")
    unsent = Message.objects.filter(patient=story.patient, state="scheduled")
    assert newest.decision == "revoked"
    assert [text.kind for text in unsent] == ["confirmation"]


@pytest.mark.parametrize(("body", "answer"), [("HELP", "help"), ("START", "opt_in_confirmed")])
def test_help_and_start_are_answered_when_the_post_returns(story: Story, body: str, answer: str) -> None:
    post_text(sender=story.phone, to=story.sender, body=body)

    assert story.answers() == [answer]


def test_what_can_wait_is_stored_and_read_later(story: Story) -> None:
    story.asked()

    post_text(sender=story.phone, to=story.sender, body="still 7")

    assert InboundMessage.objects.get().handled_at is None
    assert story.answers() == []


def test_a_text_to_a_number_that_is_nobodys_is_kept(story: Story) -> None:
    response = post_text(sender=story.phone, to="+13125550199", body="chest pain")

    kept = InboundMessage.objects.get()
    assert response.status_code == 200
    assert (kept.clinic, kept.handled_at) == (None, None)


def test_a_danger_sign_from_another_channel_is_answered_by_text(story: Story) -> None:
    post_text(sender=f"whatsapp:{story.phone}", to=f"whatsapp:{story.sender}", body="I cannot breathe")

    assert story.answers() == ["emergency"]
    assert story.case().patient == story.patient


def test_a_danger_sign_from_a_short_code_rings_people_and_texts_no_machine(story: Story) -> None:
    post_text(sender="24273", to=story.sender, body="I cannot breathe")

    assert story.answers("24273") == []
    assert story.case().severity == "urgent"


def test_the_ring_comes_three_minutes_before_the_call(story: Story) -> None:
    post_text(sender=story.phone, to=story.sender, body="struggling to get air")

    case = story.case()
    assert case.next_ring_at is not None
    assert case.next_ring_at - case.created_at == timedelta(minutes=3)


def test_a_text_that_can_wait_costs_four_round_trips_and_a_commit(
    story: Story, django_assert_num_queries: Callable[[int], AbstractContextManager[object]]
) -> None:
    """The clock, the number it came to, the phone's turn, and the row."""
    phone, number = story.phone, story.sender
    with django_assert_num_queries(4 + 2):  # with the two that begin and end the transaction
        post_text(sender=phone, to=number, body="still 7")


def test_the_broker_is_told_once_the_answer_has_left_and_may_be_away(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def broken(inbound_id: int) -> None:
        asked.append(inbound_id)
        raise ConnectionError

    monkeypatch.setattr(read_texts, "delay", broken)
    # Django's own part would close the connection that this test is on.
    monkeypatch.setattr(HttpResponse, "close", lambda _: None)
    monkeypatch.setattr(signed, "is_from_carrier", lambda **_: True)
    form = text_fields(sender=story.phone, to=story.sender, body="still 7")

    response = texts.inbound(RequestFactory().post("/", urlencode(form), "application/x-www-form-urlencoded"))
    assert InboundMessage.objects.get().handled_at is None
    assert asked == []

    response.close()
    assert asked == [InboundMessage.objects.get().pk]


def test_a_danger_sign_costs_no_more_round_trips_than_it_has_to(
    story: Story, django_assert_max_num_queries: Callable[[int], AbstractContextManager[object]]
) -> None:
    """The carrier waits, and so does the answer. Fifty as it stands; who needs more had better take something away."""
    story.asked()
    phone, number = story.phone, story.sender

    with django_assert_max_num_queries(55):
        post_text(sender=phone, to=number, body="struggling to get air")

    assert story.answers() == ["emergency"]
