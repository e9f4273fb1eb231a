"""Whose conversation a text belongs to: by the two numbers, at its own clinic, and by which question is open."""

from datetime import timedelta

import pytest

from reminders import clock
from reminders.clinic.consent import grant_consent, newest_decision
from reminders.clinic.errors import ConflictError
from reminders.clinic.models import ConsentRecord
from reminders.conversations.models import CheckIn, InboundMessage
from reminders.messaging.models import Message, Sender
from tests.answering import Story, add_session, begin, post_text, send_due, work
from tests.factories import make_check_in, make_patient

pytestmark = pytest.mark.django_db
SECOND = "+13125550177"


@pytest.fixture
def story() -> Story:
    return begin()


def at_second_number(story: Story, body: str) -> InboundMessage:
    Sender.objects.get_or_create(clinic=story.clinic, number=SECOND)
    post_text(sender=story.phone, to=SECOND, body=body)
    work()
    return InboundMessage.objects.latest("id")


def test_an_answer_leaves_from_the_number_that_was_written_to(story: Story) -> None:
    story.asked()

    text = at_second_number(story, "7")

    assert CheckIn.objects.get().outcome == "persists"
    assert Message.objects.get(in_reply_to=text).sender.number == SECOND


def test_stop_to_one_number_covers_all_numbers_of_the_clinic(story: Story) -> None:
    at_second_number(story, "STOP")

    course = Message.objects.filter(patient=story.patient, kind__in=["advice", "check_in"])
    assert set(course.values_list("state", "reason")) == {("suppressed", "opted_out")}
    assert {one.from_number for one in send_due()} == {SECOND}


def test_one_patient_at_two_clinics_has_two_conversations_and_two_decisions() -> None:
    here, there = begin(), begin(name="Southside Physio")
    twin = make_patient(clinic=there.clinic, phone=here.phone, now=there.started_at)
    theirs = add_session(twin, there.staff.therapist, there.started_at)
    question = make_check_in(plan=theirs.plans.get(), now=there.started_at - timedelta(minutes=30))
    mine = here.asked()

    here.texts("chest pain")
    there.texts("2", sender=here.phone)
    here.texts("STOP")

    mine.refresh_from_db()
    question.refresh_from_db()
    assert (mine.outcome, question.outcome, question.score) == ("red_flag", "resolved", 2)
    assert [case.clinic for case in here.cases()] == [here.clinic]
    assert there.cases() == []
    decided = [newest_decision(clinic, here.phone) for clinic in (here.clinic, there.clinic)]
    assert [decision.decision for decision in decided if decision] == ["revoked", "granted"]
    assert Message.objects.filter(patient=twin, state="suppressed").count() == 0


def test_a_wrong_number_at_one_clinic_holds_nothing_at_the_other() -> None:
    here, there = begin(), begin(name="Southside Physio")
    twin = make_patient(clinic=there.clinic, phone=here.phone, now=there.started_at)

    here.texts("wrong number")

    assert here.patient.phones.get().state == "quarantined"
    assert twin.phones.get().state == "ok"


def test_an_answer_belongs_to_the_newest_open_question(story: Story) -> None:
    old = story.asked(ago=timedelta(hours=30))
    newer = add_session(story.patient, story.staff.therapist, story.started_at + timedelta(hours=23))
    new = make_check_in(plan=newer.plans.get(), now=story.started_at - timedelta(minutes=5))

    story.texts("3")

    old.refresh_from_db()
    new.refresh_from_db()
    assert (new.outcome, new.score, old.state) == ("resolved", 3, "open")


def test_the_same_post_twice_is_one_effect(story: Story) -> None:
    story.asked()

    for _ in range(2):
        post_text(sender=story.phone, to=story.sender, body="8", sid="SM" + "7" * 32)
        work()

    assert InboundMessage.objects.count() == 1
    assert (len(story.cases()), story.answers()) == (1, ["told_your_pt_follow_up"])


def test_the_same_danger_under_two_ids_is_one_case_that_rings_once(story: Story) -> None:
    story.texts("cannot breathe")
    story.texts("cannot breathe")

    assert (len(story.cases()), len(story.rings()), InboundMessage.objects.count()) == (1, 1, 2)


def test_staff_cannot_take_back_a_stop_and_start_is_recorded_with_its_time(story: Story) -> None:
    story.texts("STOP")

    with pytest.raises(ConflictError):
        grant_consent(
            clinic=story.clinic, number=story.phone, method="verbal", now=clock.now(), clinician=story.staff.owner
        )
    story.texts("START")

    newest = ConsentRecord.objects.filter(number=story.phone).latest("id")
    assert (newest.decision, newest.method, newest.recorded_by) == ("granted", "keyword_start", None)
    assert abs(newest.recorded_at - story.started_at) < timedelta(minutes=1)


@pytest.mark.parametrize(
    "words",
    [
        "stop hurting please lol",
        "cancel Tuesday's visit",
        "el dolor no para",
        "quiero cancelar la cita del martes",
        "should I stop taking ibuprofen?",
        "please don't stop the texts, still sore",
        "when does it end?",
    ],
)
def test_look_alikes_of_stop_end_nothing_and_a_person_sees_them(words: str) -> None:
    story = begin()
    story.asked()

    text = story.texts(words)

    newest = newest_decision(story.clinic, story.phone)
    assert newest is not None
    assert newest.decision == "granted"
    assert text.inbox == "open" or story.cases() or story.answers() == ["ask_number_again"]
