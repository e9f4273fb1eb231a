"""From a patient's words to the outcome of the check-in, the answer they get, and the work the clinic gets."""

from datetime import timedelta

import pytest

from reminders import clock
from reminders.conversations.check_ins import open_asked_check_ins
from reminders.conversations.models import CheckIn
from reminders.messaging.models import Message
from tests.answering import Story, begin, send_due, set_clock
from tests.factories import make_consent, make_inbound, make_patient, make_plan, make_treatment_session

pytestmark = pytest.mark.django_db


@pytest.fixture
def story() -> Story:
    return begin()


def state_of(check_in: CheckIn) -> tuple[str, str, int | None]:
    check_in.refresh_from_db()
    return check_in.state, check_in.outcome, check_in.score


SORE = [
    ("7", 7, "same_day"),
    ("still 7, hurts to lift my arm", 7, "same_day"),
    ("4", 4, "routine"),
    ("siete", 7, "same_day"),
    ("5 de 10", 5, "routine"),
    ("still sore", None, "routine"),
    ("mucho dolor", None, "routine"),
    ("igual que ayer", None, "routine"),
    ("it is getting worse", None, "same_day"),
    ("esta peor", None, "same_day"),
]


@pytest.mark.parametrize(("words", "score", "severity"), SORE)
def test_soreness_that_persists_becomes_work(words: str, score: int | None, severity: str) -> None:
    story = begin()
    check_in = story.asked()

    story.texts(words)

    assert state_of(check_in) == ("answered", "persists", score)
    assert (story.case().reason, story.case().severity) == ("persists", severity)
    assert (story.case().check_in, story.case().treatment_session) == (check_in, story.session)
    assert story.answers() == ["told_your_pt_follow_up"]


@pytest.mark.parametrize(
    ("words", "score"), [("0", 0), ("2", 2), ("all gone", None), ("tres", 3), ("ya casi nada", None)]
)
def test_a_patient_who_is_fine_is_thanked_and_left_alone(words: str, score: int | None) -> None:
    story = begin()
    check_in = story.asked()

    story.texts(words)

    assert state_of(check_in) == ("answered", "resolved", score)
    assert story.cases() == []
    assert story.answers() == ["thanks_resolved"]


def test_the_answer_comes_in_the_patients_language() -> None:
    story = begin(patient={"language": "es"})
    story.asked()

    story.texts("2")

    assert Message.objects.get(in_reply_to__isnull=False).language == "es"


def test_a_same_day_case_tells_the_treating_clinician_now_while_the_clinic_is_open(story: Story) -> None:
    story.asked()

    story.texts("8")

    assert story.rings() == [("therapist", "sms")]
    assert story.staff.therapist.phone in {one.to_number for one in send_due()}


def test_a_routine_case_rings_nobody(story: Story) -> None:
    story.asked()

    story.texts("5")

    assert story.rings() == []


def test_a_recheck_is_laid_out_a_day_after_the_answer_and_asks_for_the_same_phone(story: Story) -> None:
    story.asked()

    story.texts("6")

    recheck = Message.objects.get(kind="recheck")
    assert recheck.first_due_at - story.started_at == pytest.approx(timedelta(days=1), abs=timedelta(minutes=1))
    assert (recheck.to_number, recheck.state, recheck.plan) == (story.phone, "scheduled", story.session.plans.get())


def test_a_recheck_that_persists_makes_the_same_case_more_serious_and_asks_no_third_time(story: Story) -> None:
    story.asked()
    story.texts("5")
    set_clock(story.started_at + timedelta(days=1, hours=1))
    send_due()

    story.texts("5")

    assert [(case.severity, case.state) for case in story.cases()] == [("same_day", "open")]
    assert Message.objects.filter(kind="recheck").count() == 1
    assert CheckIn.objects.get(kind="recheck").outcome == "persists"


def test_a_patient_who_is_fine_before_the_recheck_is_not_asked_again(story: Story) -> None:
    story.asked()
    story.texts("6")

    story.texts("all good now, 0")

    assert Message.objects.get(kind="recheck").state == "cancelled"
    assert story.answers()[-1] == "check_in_closed_thanks"


def test_an_answer_takes_back_the_nudge(story: Story) -> None:
    story.session.plans.get().messages.filter(step_key="check_in").update(
        state="delivered", accepted_at=story.started_at, carrier_sid="SM1"
    )
    open_asked_check_ins(now=clock.now())
    assert Message.objects.get(kind="nudge").state == "scheduled"

    story.texts("1")

    assert (Message.objects.get(kind="nudge").state, Message.objects.get(kind="nudge").reason) == (
        "cancelled",
        "answered",
    )


def test_what_is_not_understood_is_asked_once_more_and_then_a_person_looks(story: Story) -> None:
    check_in = story.asked()

    first, second = story.texts("purple monkey"), story.texts("blorp")

    assert story.answers() == ["ask_number_again", "person_will_look"]
    assert (first.inbox, second.inbox, second.inbox_reason) == ("", "open", "unclear")
    assert state_of(check_in)[:2] == ("answered", "human")


def test_a_number_after_the_second_question_counts(story: Story) -> None:
    check_in = story.asked()
    story.texts("purple monkey")

    story.texts("2")

    assert state_of(check_in) == ("answered", "resolved", 2)


def test_a_question_goes_to_a_person_and_the_check_in_stays_open(story: Story) -> None:
    check_in = story.asked()

    text = story.texts("can I go running tomorrow?")

    assert story.answers() == ["question_received"]
    assert (text.inbox, text.inbox_reason) == ("open", "question")
    assert state_of(check_in)[0] == "open"


def test_a_photo_without_words_goes_to_a_person_and_is_not_judged(story: Story) -> None:
    check_in = story.asked()

    text = story.texts("", NumMedia="1", MediaUrl0="https://carrier.example/m/1", MediaContentType0="image/jpeg")

    assert (text.inbox, text.inbox_reason, text.handled_as) == ("open", "photo", "photo")
    assert text.media == [{"url": "https://carrier.example/m/1", "type": "image/jpeg"}]
    assert story.answers() == ["person_will_look"]
    assert state_of(check_in)[0] == "open"


def test_a_photo_with_a_number_counts_as_the_answer_and_is_looked_at_too(story: Story) -> None:
    check_in = story.asked()

    text = story.texts("2", NumMedia="1", MediaUrl0="https://carrier.example/m/1", MediaContentType0="image/jpeg")

    assert state_of(check_in) == ("answered", "resolved", 2)
    assert (text.inbox, text.inbox_reason) == ("open", "photo")


def test_the_same_words_under_two_ids_are_one_case(story: Story) -> None:
    story.asked()

    story.texts("8")
    story.texts("8")

    assert story.case().severity == "same_day"
    assert story.rings() == [("therapist", "sms")]


def test_an_answer_that_is_faster_than_the_sweep_finds_its_question(story: Story) -> None:
    plan = story.session.plans.get()
    plan.messages.filter(step_key="check_in").update(state="sent", accepted_at=story.started_at, carrier_sid="SM1")

    story.texts("2")

    assert CheckIn.objects.get().outcome == "resolved"


@pytest.mark.parametrize("state", ["sending", "ambiguous", "undelivered"])
def test_who_answers_has_been_asked_whatever_the_carrier_says(story: Story, state: str) -> None:
    story.session.plans.get().messages.filter(step_key="check_in").update(state=state)

    story.texts("6")

    assert CheckIn.objects.get().outcome == "persists"


def test_words_before_the_question_are_no_answer_to_it(story: Story) -> None:
    story.texts("2")

    assert story.answers() == ["thanks_resolved"]
    assert not CheckIn.objects.exists()


def test_an_answer_after_the_question_fell_silent_still_counts(story: Story) -> None:
    check_in = story.asked(ago=timedelta(hours=30))
    CheckIn.objects.update(state="silent", outcome="silent", silent_cause="delivered_but_quiet")

    story.texts("3")

    assert state_of(check_in) == ("answered", "resolved", 3)
    assert CheckIn.objects.get().silent_cause == ""


@pytest.mark.parametrize("state", ["open", "silent"])
def test_an_answer_after_the_window_is_thanked_and_told_that_the_check_in_is_closed(story: Story, state: str) -> None:
    check_in = story.asked(ago=timedelta(hours=49))
    CheckIn.objects.update(state=state, outcome="" if state == "open" else "silent")

    story.texts("2")

    assert story.answers() == ["check_in_closed_thanks"]
    assert state_of(check_in)[0] == state


def test_soreness_after_the_window_is_work_all_the_same(story: Story) -> None:
    story.asked(ago=timedelta(hours=49))

    story.texts("8")

    assert (story.case().severity, story.case().check_in, story.case().treatment_session) == (
        "same_day",
        None,
        story.session,
    )


@pytest.mark.parametrize(("number", "trend"), [("11", "better"), ("12.", "same"), ("13", "worse")])
def test_the_follow_up_is_answered_by_number(number: str, trend: str) -> None:
    story = begin()
    check_in = story.asked()
    story.texts("5")

    story.texts(number)

    check_in.refresh_from_db()
    assert (check_in.trend, check_in.score) == (trend, 5)
    assert story.case().severity == ("same_day" if trend == "worse" else "routine")


def test_getting_worse_after_a_colleague_took_the_case_is_a_new_case(story: Story) -> None:
    story.asked()
    story.texts("5")
    from_before = story.case()
    from_before.state, from_before.owner, from_before.acknowledged_at = "acknowledged", story.staff.owner, clock.now()
    from_before.save()

    story.texts("13")

    assert [(case.state, case.severity) for case in story.cases()] == [
        ("acknowledged", "routine"),
        ("open", "same_day"),
    ]


def test_eleven_out_of_the_blue_is_no_answer_to_a_question_nobody_put(story: Story) -> None:
    text = story.texts("11")

    assert (text.inbox, text.inbox_reason) == ("open", "unclear")


def test_of_two_patients_on_one_phone_the_one_who_was_asked_answers(story: Story) -> None:
    make_patient(clinic=story.clinic, given_name="Sam", phone=story.phone, now=story.started_at)
    check_in = story.asked()

    text = story.texts("2")

    assert state_of(check_in) == ("answered", "resolved", 2)
    assert text.patient == story.patient


def test_the_same_phone_at_another_clinic_is_another_conversation(story: Story) -> None:
    other = begin(name="Southside Physio")
    stranger = make_patient(clinic=other.clinic, phone=story.phone, now=story.started_at)
    session = make_treatment_session(patient=stranger, now=story.started_at)
    make_plan(treatment_session=session, now=story.started_at)
    check_in = story.asked()

    story.texts("8")

    assert state_of(check_in)[1] == "persists"
    assert other.cases() == []
    assert other.answers(story.phone) == []


def test_an_unknown_number_is_answered_once_a_day_with_nothing_about_anybody(story: Story) -> None:
    stranger = "+13125550188"

    first = story.texts("hello, is anybody there", sender=stranger)
    story.texts("7", sender=stranger)
    set_clock(story.started_at + timedelta(days=1, minutes=5))
    story.texts("hello?", sender=stranger)

    assert (first.inbox, first.inbox_reason, first.patient) == ("open", "unknown_number", None)
    assert story.answers(stranger) == ["unknown_number", "unknown_number"]
    body = Message.objects.filter(to_number=stranger).first().body  # type: ignore[union-attr]
    assert not {story.patient.given_name, story.patient.family_name, story.phone} & set(body.split())


def test_words_that_look_like_code_stay_words(story: Story) -> None:
    story.asked()

    for body in ("{{ 98765*43210 }}", "=HYPERLINK(1)", "<Response><Hangup/></Response>"):
        assert story.texts(body).body == body

    assert "4267635650" not in "".join(Message.objects.values_list("body", flat=True))


def test_ten_parts_are_read_as_one_text(story: Story) -> None:
    check_in = story.asked()
    words = "I did my stretches and walked the dog and then sat down for a while. " * 21 + "My soreness is 6"

    story.texts(words, NumSegments="10")

    assert state_of(check_in) == ("answered", "persists", 6)


def test_an_unread_text_of_yesterday_is_read_before_todays(story: Story) -> None:
    check_in = story.asked()
    make_inbound(patient=story.patient, body="6", now=story.started_at)

    story.texts("2")

    assert state_of(check_in) == ("answered", "persists", 6)
    assert story.answers() == ["told_your_pt_follow_up", "check_in_closed_thanks"]


def test_consent_that_staff_took_back_closes_the_question_and_lets_no_answer_leave(story: Story) -> None:
    story.asked()
    make_consent(patient=story.patient, decision="revoked", now=clock.now())

    story.texts("8")

    assert story.phone not in {one.to_number for one in send_due()}
    assert story.case().severity == "same_day"
