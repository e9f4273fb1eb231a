"""STOP, START and HELP: any reasonable wording, one confirmation, and nothing after it."""

from datetime import timedelta

import pytest

from reminders import clock
from reminders.clinic.consent import newest_decision, revoke_consent
from reminders.conversations.models import CheckIn
from reminders.core.segments import count_segments
from reminders.messaging.models import Message
from tests.answering import Story, begin, post_text, send_due, set_clock, work
from tests.factories import make_patient

pytestmark = pytest.mark.django_db


@pytest.fixture
def story() -> Story:
    return begin()


def decision(story: Story) -> str:
    newest = newest_decision(story.clinic, story.phone)
    return newest.decision if newest else "never"


STOPS = [
    "STOP", "stop", " Stop. ", "STOPALL", "UNSUBSCRIBE", "END", "QUIT", "CANCEL", "REVOKE", "OPTOUT", "opt out",
    "stop texting me", "no más mensajes", "ALTO", "PARAR", "BAJA",
]  # fmt: skip


@pytest.mark.parametrize("words", STOPS)
def test_whoever_wants_out_is_out_with_one_confirmation(words: str) -> None:
    story = begin()
    story.asked()

    story.texts(words)
    story.texts(words)

    assert decision(story) == "revoked"
    assert story.answers() == ["opt_out_confirmed"]
    assert CheckIn.objects.get().outcome == "opted_out"
    confirmation = Message.objects.get(kind="confirmation")
    assert confirmation.expires_at - confirmation.due_at <= timedelta(minutes=5)
    assert [one.to_number for one in send_due()] == [story.phone]


@pytest.mark.parametrize(
    "words", ["I can't stop limping", "the pain won't quit", "cancel Tuesday's visit", "STOP hurting"]
)
def test_words_that_only_look_like_it_end_nothing_and_are_not_swallowed(words: str) -> None:
    story = begin()
    story.asked()

    text = story.texts(words)

    assert decision(story) == "granted"
    assert text.inbox == "open" or story.cases()


def test_stop_suppresses_every_unsent_text_of_the_phone_and_start_restores_none(story: Story) -> None:
    story.texts("STOP")
    story.texts("START")

    course = Message.objects.filter(patient=story.patient, kind__in=["advice", "check_in"])
    assert set(course.values_list("state", "reason")) == {("suppressed", "opted_out")}
    assert decision(story) == "granted"
    assert story.answers() == ["opt_out_confirmed", "opt_in_confirmed"]


def test_stop_covers_everybody_on_the_phone(story: Story) -> None:
    partner = make_patient(clinic=story.clinic, given_name="Sam", phone=story.phone, now=story.started_at)

    story.texts("STOP")

    assert newest_decision(story.clinic, story.phone) is not None
    assert partner.phones.get().number == story.phone
    assert decision(story) == "revoked"


@pytest.mark.parametrize(("kind", "words"), [("STOP", "STOP"), ("START", "START"), ("HELP", "HELP")])
def test_what_the_carrier_answered_is_not_answered_twice(kind: str, words: str) -> None:
    story = begin()

    text = story.texts(words, OptOutType=kind)

    assert story.answers() == []
    assert text.handled_as == {"STOP": "opted_out", "START": "opted_in", "HELP": "helped"}[kind]
    assert decision(story) == ("revoked" if kind == "STOP" else "granted")


def test_the_carriers_word_counts_whatever_the_text_says(story: Story) -> None:
    story.texts("arret", OptOutType="STOP")

    assert decision(story) == "revoked"


def test_a_number_that_waited_while_stop_came_in_is_read_and_answered_by_nobody(story: Story) -> None:
    story.asked()
    post_text(sender=story.phone, to=story.sender, body="7")

    post_text(sender=story.phone, to=story.sender, body="STOP")
    work()

    assert story.case().severity == "same_day"
    assert [one.message_id for one in send_due() if one.to_number == story.phone] == [
        Message.objects.get(kind="confirmation").public_id
    ]
    assert Message.objects.get(kind="reply").state == "suppressed"


def test_an_answer_that_waits_to_leave_does_not_leave_after_stop(story: Story) -> None:
    story.asked()
    story.texts("7")

    story.texts("STOP")

    assert Message.objects.get(kind="reply").state == "suppressed"
    assert Message.objects.get(kind="recheck").state == "suppressed"


def test_help_has_all_it_needs_also_after_stop_and_for_strangers(story: Story) -> None:
    story.texts("STOP")
    story.texts("HELP")
    story.texts("help", sender="+13125550188")

    help_text = Message.objects.filter(dedupe_key__endswith=":help", to_number=story.phone).get()
    for needed in (story.clinic.name, "Msg & data rates may apply", "STOP", "about 6 per visit"):
        assert needed in help_text.body
    assert count_segments(help_text.body).segments == 1
    assert {one.to_number for one in send_due()} == {story.phone, "+13125550188"}
    assert decision(story) == "revoked"


def test_a_stranger_can_opt_out_and_gets_nothing_more(story: Story) -> None:
    stranger = "+13125550188"

    story.texts("STOP", sender=stranger)
    story.texts("hello?", sender=stranger)

    assert story.answers(stranger) == ["opt_out_confirmed", "unknown_number"]
    assert [one.to_number for one in send_due()].count(stranger) == 1


def test_start_of_a_stranger_opts_nobody_in(story: Story) -> None:
    text = story.texts("START", sender="+13125550188")

    assert text.handled_as == "unknown_number"
    assert newest_decision(story.clinic, "+13125550188") is None


def test_a_stop_after_staff_recorded_one_is_the_patients_own(story: Story) -> None:
    revoke_consent(
        clinic=story.clinic, number=story.phone, method="verbal", now=clock.now(), clinician=story.staff.front_desk
    )

    story.texts("STOP")

    newest = newest_decision(story.clinic, story.phone)
    assert newest is not None
    assert newest.recorded_by is None
    assert story.answers() == ["opt_out_confirmed"]


def test_an_opt_out_that_staff_recorded_closes_the_open_question(story: Story) -> None:
    story.asked()

    revoke_consent(
        clinic=story.clinic, number=story.phone, method="verbal", now=clock.now(), clinician=story.staff.front_desk
    )

    assert CheckIn.objects.get().outcome == "opted_out"


def test_the_confirmation_comes_in_the_language_of_the_stop(story: Story) -> None:
    story.texts("no me manden mas mensajes por favor")

    assert Message.objects.get(kind="confirmation").language == "es"


def test_a_confirmation_that_is_late_does_not_leave(story: Story) -> None:
    story.texts("STOP")
    set_clock(story.started_at + timedelta(minutes=6))

    assert send_due() == []
    assert Message.objects.get(kind="confirmation").state == "expired"
