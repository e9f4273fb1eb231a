"""No answer: one nudge, then the silent list with its cause, and after needling near the lungs a person looks."""

from datetime import timedelta

import pytest

from reminders import clock
from reminders.conversations.check_ins import open_asked_check_ins
from reminders.conversations.models import CheckIn
from reminders.conversations.silence import close_silent
from reminders.messaging.models import Message
from tests.answering import Story, begin, post_text, send_due, set_clock, work
from tests.factories import make_inbound, make_plan, make_treatment_session

pytestmark = pytest.mark.django_db


@pytest.fixture
def story() -> Story:
    return begin()


def question(story: Story, state: str) -> Message:
    """The plan's question, in a state the carrier brought it to."""
    asked = story.session.plans.get().messages.filter(step_key="check_in")
    asked.update(state=state, reason="for the test", accepted_at=story.started_at, carrier_sid="SM1")
    return asked.get()


def fall_silent(story: Story) -> CheckIn:
    """Open the question and let its day pass."""
    open_asked_check_ins(now=story.started_at)
    close_silent(now=story.started_at + timedelta(hours=24))
    return CheckIn.objects.get()


def test_a_question_that_left_is_opened_once_with_one_nudge(story: Story) -> None:
    question(story, "accepted")

    opened = [open_asked_check_ins(now=clock.now()) for _ in range(2)]

    assert opened == [1, 0]
    nudge = Message.objects.get(kind="nudge")
    assert nudge.first_due_at == story.started_at + timedelta(hours=4)
    assert nudge.state == "scheduled"


@pytest.mark.parametrize("state", ["scheduled", "sending", "ambiguous", "cancelled"])
def test_a_question_that_may_not_have_left_is_not_waited_for(state: str) -> None:
    story = begin()
    question(story, state)

    assert open_asked_check_ins(now=clock.now()) == 0


def test_the_question_of_a_voided_session_is_not_waited_for(story: Story) -> None:
    question(story, "delivered")
    story.session.status = "voided"
    story.session.save()

    assert open_asked_check_ins(now=clock.now()) == 0


@pytest.mark.parametrize(
    ("state", "cause"),
    [
        ("delivered", "delivered_but_quiet"),
        ("sent", "no_receipt"),
        ("undelivered", "not_delivered"),
        ("failed", "not_delivered"),
    ],
)
def test_silence_has_its_cause(state: str, cause: str) -> None:
    story = begin()
    question(story, state)

    check_in = fall_silent(story)

    assert (check_in.state, check_in.outcome, check_in.silent_cause) == ("silent", "silent", cause)


def test_a_phone_that_cannot_be_texted_is_the_cause(story: Story) -> None:
    question(story, "undelivered")
    story.patient.phones.update(state="landline")

    assert fall_silent(story).silent_cause == "phone_landline"
    assert Message.objects.get(kind="nudge").reason == "phone_landline"


def test_what_the_carrier_refused_is_silent_at_once_and_not_nudged(story: Story) -> None:
    question(story, "rejected")

    open_asked_check_ins(now=story.started_at)
    close_silent(now=story.started_at)

    assert CheckIn.objects.get().silent_cause == "not_delivered"
    assert not Message.objects.filter(kind="nudge").exists()


def test_nobody_is_silent_before_the_day_is_over(story: Story) -> None:
    question(story, "delivered")
    open_asked_check_ins(now=story.started_at)

    assert close_silent(now=story.started_at + timedelta(hours=23, minutes=59)) == 0


@pytest.mark.parametrize(
    ("technique", "regions", "looks"),
    [
        ("deep", ["shoulder"], True),
        ("deep", ["lower_back", "thorax"], True),
        ("deep", ["neck"], True),
        ("deep", ["upper_back"], True),
        ("deep", ["calf"], False),
        ("superficial", ["thorax"], False),
    ],
)
def test_silence_after_deep_needling_near_the_lungs_is_work(technique: str, regions: list[str], looks: bool) -> None:
    story = begin()
    story.session.technique, story.session.regions = technique, regions
    story.session.save()
    question(story, "delivered")

    check_in = fall_silent(story)

    assert [(case.reason, case.severity, case.check_in) for case in story.cases()] == (
        [("silence", "routine", check_in)] if looks else []
    )
    assert story.rings() == []


def test_silence_is_closed_once(story: Story) -> None:
    question(story, "delivered")
    fall_silent(story)

    assert close_silent(now=story.started_at + timedelta(days=2)) == 0
    assert len(story.cases()) == 1


def test_the_nudge_that_never_left_is_taken_back(story: Story) -> None:
    question(story, "delivered")

    fall_silent(story)

    assert (Message.objects.get(kind="nudge").state, Message.objects.get(kind="nudge").reason) == (
        "cancelled",
        "silent",
    )


def test_an_answer_that_nobody_has_read_yet_is_no_silence(story: Story) -> None:
    question(story, "delivered")
    open_asked_check_ins(now=story.started_at)
    set_clock(story.started_at + timedelta(hours=24))
    post_text(sender=story.phone, to=story.sender, body="2")

    assert close_silent(now=clock.now()) == 0
    work()

    assert CheckIn.objects.get().outcome == "resolved"


def test_a_text_that_waits_on_another_phone_keeps_nobody_open(story: Story) -> None:
    question(story, "delivered")
    make_inbound(clinic=story.clinic, body="2", now=story.started_at)

    assert fall_silent(story).state == "silent"


def test_a_clinic_without_the_nudges_text_still_waits_for_its_answers(story: Story) -> None:
    story.clinic.templates.filter(key="nudge").update(published=None)
    question(story, "delivered")

    assert open_asked_check_ins(now=clock.now()) == 1
    assert not Message.objects.filter(kind="nudge").exists()


def test_one_broken_protocol_does_not_keep_other_questions_from_being_opened(story: Story) -> None:
    broken = story.session.plans.get().protocol_version
    broken.thresholds = {"persists_score": "four"}
    broken.save()
    question(story, "delivered")
    other = begin(name="Southside Physio")
    whole = make_treatment_session(
        patient=other.patient, ended_at=other.started_at - timedelta(hours=30), now=other.started_at
    )
    make_plan(treatment_session=whole, now=other.started_at, states={"check_in": "delivered"})

    open_asked_check_ins(now=clock.now())

    assert [check_in.clinic for check_in in CheckIn.objects.all()] == [other.clinic]


def test_the_nudge_keeps_out_of_the_patients_night(story: Story) -> None:
    evening = story.started_at + timedelta(hours=5)  # 17:00 in Chicago: four hours later it is quiet
    story.session.plans.get().messages.filter(step_key="check_in").update(
        state="delivered", accepted_at=evening, carrier_sid="SM1"
    )

    open_asked_check_ins(now=evening)

    nudge = Message.objects.get(kind="nudge")
    assert nudge.due_at == story.started_at + timedelta(hours=21)  # 9:00 the next morning
    assert nudge.first_due_at == evening + timedelta(hours=4)


def test_a_nudge_that_left_is_no_second_question(story: Story) -> None:
    question(story, "delivered")
    open_asked_check_ins(now=story.started_at)
    set_clock(story.started_at + timedelta(hours=4, minutes=1))
    assert story.phone in {one.to_number for one in send_due()}

    story.texts("3")

    assert CheckIn.objects.get().outcome == "resolved"
