"""Machines that answer machines: few automatic answers, then silence and the inbox, and never away from danger."""

from datetime import timedelta

import pytest

from reminders.conversations.models import CheckIn
from reminders.conversations.replies import EMERGENCIES_PER_HOUR, PER_DAY, PER_HOUR
from reminders.messaging.models import Message
from tests.answering import Story, begin, set_clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def story() -> Story:
    return begin()


@pytest.mark.parametrize(
    "words",
    [
        "I'm driving with Do Not Disturb While Driving turned on. I'll see your message when I get where I'm going.",
        "(I'm not receiving notifications. If this is urgent, reply “urgent” to send a notification through.)",
        "I'm driving, talk later",
        "Auto-reply: I am out of the office until Monday.",
        "can't talk right now",
        "Estoy conduciendo. Te llamo más tarde.",
        "Respuesta automática: no puedo responder ahora",
    ],
)
def test_a_machine_that_answers_for_its_owner_is_not_answered_and_the_question_stays_open(words: str) -> None:
    story = begin()
    check_in = story.asked()

    texts = [story.texts(words) for _ in range(3)]

    check_in.refresh_from_db()
    assert {text.handled_as for text in texts} == {"from_machine"}
    assert story.answers() == []
    assert (check_in.state, check_in.clarifications) == ("open", 0)
    story.texts("2")
    assert CheckIn.objects.get().outcome == "resolved"


@pytest.mark.parametrize(
    ("words", "score"), [("I'm driving but it's a 6", 6), ("estoy manejando, me duele mucho", None)]
)
def test_an_answer_of_somebody_who_drives_is_an_answer(words: str, score: int | None) -> None:
    story = begin()
    story.asked()

    story.texts(words)

    assert (CheckIn.objects.get().outcome, CheckIn.objects.get().score) == ("persists", score)


def test_somebody_who_drives_and_cannot_breathe_is_in_danger(story: Story) -> None:
    story.texts("I'm driving with Do Not Disturb on. I can't breathe")

    assert story.case().severity == "urgent"


def test_two_machines_stop_within_the_hour_and_the_day_and_a_person_reads_the_rest(story: Story) -> None:
    texts = []
    for minute in range(60):
        set_clock(story.started_at + timedelta(seconds=50 * minute))
        texts.append(story.texts(f"Message {'abcdefghij'[minute % 10]} received, beep boop"))

    assert len(story.answers()) == PER_HOUR
    assert {(text.inbox, bool(text.inbox_reason)) for text in texts[PER_HOUR:]} == {("open", True)}

    for hour in range(2, 12):
        set_clock(story.started_at + timedelta(hours=hour))
        story.texts("Message received, beep boop")
        story.texts("Message received, beep boop")
    assert len(story.answers()) == PER_DAY


def test_a_machine_that_sends_back_what_we_send_is_not_talked_to_for_ever(story: Story) -> None:
    story.asked()
    said = "hello"
    for _ in range(40):
        story.texts(said)
        newest = Message.objects.filter(to_number=story.phone, in_reply_to__isnull=False).order_by("-id").first()
        assert newest is not None
        said = newest.body

    assert len(story.answers()) <= PER_HOUR + EMERGENCIES_PER_HOUR


def test_a_stranger_who_asks_for_help_again_and_again_is_answered_only_so_often(story: Story) -> None:
    for _ in range(20):
        story.texts("HELP", sender="+13125550188")

    assert story.answers("+13125550188") == ["help"] * PER_HOUR


def test_after_the_bound_danger_rings_and_is_answered_all_the_same(story: Story) -> None:
    for _ in range(PER_DAY):
        story.texts("beep boop")

    text = story.texts("chest pain")

    assert (text.handled_as, story.case().severity) == ("red_flag", "urgent")
    assert story.answers()[-1] == "emergency"


def test_emergency_answers_end_after_ten_an_hour_and_every_sign_still_reaches_the_clinic(story: Story) -> None:
    texts = [story.texts("chest pain") for _ in range(EMERGENCIES_PER_HOUR + 3)]

    assert story.answers() == ["emergency"] * EMERGENCIES_PER_HOUR
    assert {text.handled_as for text in texts} == {"red_flag"}
    assert (texts[-1].inbox, texts[-1].inbox_reason) == ("open", "many_texts")
    assert story.case().severity == "urgent"


def test_stop_is_confirmed_though_the_hour_is_used_up(story: Story) -> None:
    for _ in range(PER_HOUR):
        story.texts("beep boop")

    story.texts("STOP")

    assert story.answers()[-1] == "opt_out_confirmed"


def test_a_patient_who_only_answers_never_meets_the_bound(story: Story) -> None:
    story.asked()
    for words in ("purple", "6", "13", "can I swim?", "HELP", "thanks"):
        story.texts(words)

    assert len(story.answers()) == PER_HOUR
