"""Texts in odd shapes: cut short, endless, empty, of pictures alone, from machines' numbers, and with code in them."""

from datetime import timedelta
from xml.etree import ElementTree

import pytest
from django.test import Client

from reminders.conversations.models import CheckIn, InboundMessage
from reminders.escalations.services import ring_due
from reminders.messaging.models import Message
from tests.answering import Story, begin, calls_of, post_as_carrier, post_text, work

pytestmark = pytest.mark.django_db


@pytest.fixture
def story() -> Story:
    return begin()


def test_a_text_that_lost_a_part_is_never_taken_for_fine(story: Story) -> None:
    check_in = story.asked()

    text = story.texts("2, all good until last", NumSegments="2", ErrorCode="30009")

    check_in.refresh_from_db()
    assert (text.inbox, text.inbox_reason) == ("open", "cut_short")
    assert (check_in.outcome, story.answers()) == ("human", ["person_will_look"])


def test_what_is_left_of_a_text_that_lost_a_part_still_counts_where_it_is_grave(story: Story) -> None:
    story.asked()

    story.texts("cannot breathe and my", ErrorCode="30009")

    assert story.case().severity == "urgent"


def test_soreness_in_a_text_that_lost_a_part_is_work(story: Story) -> None:
    story.asked()

    text = story.texts("still 8 and", ErrorCode="30009")

    assert (story.case().severity, text.inbox_reason) == ("same_day", "cut_short")


def test_a_danger_sign_in_the_tenth_part_is_found(story: Story) -> None:
    words = ("I did my stretches and walked the dog and then sat down for a while. " * 30)[:1570]

    story.texts(f"{words} I cannot breathe", NumSegments="10")

    assert story.case().severity == "urgent"


@pytest.mark.parametrize("body", ["👍", "🌵", "🩹", "🤷‍♀️", "", "   ", "\n", "...", "\u200b"])
def test_a_text_without_words_is_asked_once_for_a_number_and_then_a_person_looks(body: str) -> None:
    story = begin()
    story.asked()

    story.texts(body)
    text = story.texts(body)

    assert story.answers() == ["ask_number_again", "person_will_look"]
    assert text.inbox == "open"


def test_a_number_as_an_emoji_is_a_number(story: Story) -> None:
    story.asked()

    story.texts("7️⃣")

    assert CheckIn.objects.get().score == 7


@pytest.mark.parametrize("sender", ["72345", "AMAZON", "", "+1", "whatsapp:", "rcs:brand_agent", "+" + "9" * 60])
def test_a_sender_that_is_no_phone_is_kept_for_a_person_and_not_answered(sender: str) -> None:
    story = begin()

    response = post_text(sender=sender, to=story.sender, body="Your package is here")
    work()

    text = InboundMessage.objects.get()
    assert (response.status_code, text.inbox) == (200, "open")
    assert not Message.objects.filter(in_reply_to=text).exists()


def test_danger_from_a_short_code_still_rings(story: Story) -> None:
    post_text(sender="72345", to=story.sender, body="I cannot breathe")

    assert story.case().severity == "urgent"


def test_a_whatsapp_address_is_the_phone_behind_it(story: Story) -> None:
    story.asked()

    text = story.texts("2", sender=f"whatsapp:{story.phone}")

    assert (text.from_number, CheckIn.objects.get().outcome) == (story.phone, "resolved")


HOSTILE = [
    "{{ 98765*43210 }} {% for x in [1] %}{{ x }}{% endfor %}",
    '<script>alert("zebra")</script><img src=x onerror=alert(1)>',
    "</Response><Response><Message>zebra</Message></Response>",
    '=HYPERLINK("http://zebra.example","zebra")',
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "'; DROP TABLE reminders_patient; --",
    "%s %(now)s {0} ${jndi:ldap://zebra.example}",
    "hello\r\nBcc: zebra@example.com",
]


@pytest.mark.parametrize("body", HOSTILE)
def test_code_in_a_text_is_words_on_every_page_and_in_every_answer(body: str) -> None:
    story = begin()
    story.asked()
    text = story.texts(f"still 9, I cannot breathe {body}")
    story.texts(body)
    browser = Client()
    browser.force_login(story.staff.therapist)

    assert text.body == f"still 9, I cannot breathe {body}"
    for address in ("/", "/today/live/", f"/patients/{story.patient.pk}/", f"/escalations/{story.case().pk}/"):
        response = browser.get(address)
        page = response.content.decode()
        assert response.status_code == 200
        for forbidden in ("<script>alert", "<img src=x", "4267635650", "</Response><Response>"):
            assert forbidden not in page
    said = " ".join(Message.objects.values_list("body", flat=True))
    assert "zebra" not in said
    assert "4267635650" not in said


@pytest.mark.parametrize("body", HOSTILE)
def test_code_in_a_text_never_reaches_what_a_call_says(body: str) -> None:
    story = begin()
    answer = post_text(sender=story.phone, to=story.sender, body=f"I cannot breathe {body}")
    for minutes in (4, 8, 12):
        ring_due(now=story.started_at + timedelta(minutes=minutes))
    assert ElementTree.fromstring(answer.content).tag == "Response"  # noqa: S314  # our own document
    assert list(ElementTree.fromstring(answer.content)) == []  # noqa: S314
    calls = list(calls_of(story.case()))
    assert calls
    for public_id in calls:
        spoken = post_as_carrier(f"/webhooks/voice/answer/{public_id}/", {"CallSid": "CA" + "1" * 32})
        assert "zebra" not in spoken.content.decode()
        ElementTree.fromstring(spoken.content)  # noqa: S314


def test_a_danger_told_of_somebody_else_is_a_call_the_same_day_and_no_further_question(story: Story) -> None:
    check_in = story.asked()

    story.texts("my neighbor is talking all jumbled and slurry since this morning")

    check_in.refresh_from_db()
    case = story.case()
    assert (case.reason, case.severity) == ("anothers_danger", "same_day")
    assert (check_in.outcome, story.answers()) == ("human", ["person_will_look"])


def test_a_child_who_writes_about_the_parent_on_the_patients_phone_rings_at_once(story: Story) -> None:
    story.texts("Mum's talking all jumbled and slurry since this morning")

    case = story.case()
    assert (case.reason, case.severity) == ("red_flag", "urgent")
    assert "emergency" in story.answers()
