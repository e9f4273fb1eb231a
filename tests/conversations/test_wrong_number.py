"""Somebody else has the phone: nothing more goes there, nothing is disclosed, and the clinic checks the number."""

import pytest
from django.test import Client

from reminders import clock
from reminders.clinic.consent import newest_decision
from reminders.clinic.models import AuditEvent, PatientPhone
from reminders.clinic.numbers import number_is_fine
from reminders.conversations.models import CheckIn, InboundMessage
from reminders.messaging.models import Message
from reminders.messaging.planning import plan_aftercare
from tests.answering import Story, begin, send_due
from tests.factories import make_patient, make_treatment_session

pytestmark = pytest.mark.django_db


@pytest.fixture
def story() -> Story:
    return named()


def named() -> Story:
    return begin(patient={"given_name": "Maria", "family_name": "Zamora"})


def phone_state(story: Story) -> str:
    return PatientPhone.objects.get(patient=story.patient).state


WRONG = [
    "You have the wrong number",
    "wrong number",
    "WRONG NUMBER!!",
    "I think u got the wrong person",
    "who is this? I'm not Maria",
    "who is this? im not maria",
    "This isn't Maria",
    "This is not Maria's phone, she changed numbers. Maria no longer has this number",
    "No Maria here",
    "I dont know any Maria Zamora",
    "not me",
    "I'm not your patient",
    "número equivocado",
    "Se equivocó de número",
    "tiene el telefono equivocado",
    "No soy María",
    "aquí no vive Maria",
    "no soy yo",
]


@pytest.mark.parametrize("words", WRONG)
def test_whoever_says_it_is_not_them_gets_nothing_more(words: str) -> None:
    story = named()
    story.asked()

    text = story.texts(words)

    assert phone_state(story) == "quarantined"
    assert (text.handled_as, text.patient) == ("wrong_number", None)
    course = Message.objects.filter(patient=story.patient, kind__in=["advice", "nudge", "recheck"])
    assert set(course.values_list("state", "reason")) == {("suppressed", "phone_quarantined")}
    assert (CheckIn.objects.get().state, CheckIn.objects.get().outcome) == ("closed", "wrong_number")
    assert story.answers() == ["wrong_number"]


@pytest.mark.parametrize(
    "words",
    [
        "I'm not sure, 4",
        "I'm not Better",
        "oops wrong number, I meant 3",
        "sorry I typed the wrong number. 5 not 6",
        "do I have the wrong number for scheduling?",
        "I gave you the wrong number for my pharmacy",
        "who is this?",
        "I'm not sore",
        "not me doing 20 squats lol. 2",
        "quise decir 3, numero equivocado",
    ],
)
def test_words_that_only_look_like_it_take_nobodys_texts_away(words: str) -> None:
    story = named()
    story.asked()

    story.texts(words)

    assert phone_state(story) == "ok"
    assert "wrong_number" not in {case.reason for case in story.cases()}


def test_the_clinic_gets_work_with_its_cause_and_is_not_told_to_call_the_stranger(story: Story) -> None:
    story.asked()
    story.texts("You have the wrong number")
    browser = Client()
    browser.force_login(story.staff.therapist)

    page = browser.get(f"/escalations/{story.case().pk}/").content.decode()

    case = story.case()
    assert (case.reason, case.severity, case.patient) == ("wrong_number", "routine", story.patient)
    assert "Somebody else has the phone" in page
    assert "lift the hold under Delivery" in page
    assert f"tel:{story.phone}" not in page
    assert AuditEvent.objects.filter(verb="number_quarantined", patient=story.patient).count() == 1


def test_nothing_is_disclosed_to_the_stranger_not_even_which_clinic(story: Story) -> None:
    story.asked()
    story.texts("who is this? I'm not Maria")

    (sent,) = [one for one in send_due() if one.to_number == story.phone]
    for secret in ("Maria", "Zamora", story.clinic.name, "visit", "PT"):
        assert secret not in sent.body  # type: ignore[union-attr]


def test_what_comes_from_the_phone_afterwards_is_for_a_person_and_gets_no_answer(story: Story) -> None:
    story.asked()
    story.texts("wrong number")

    later = [story.texts(words) for words in ("7", "wrong number I said", "who are you people?", "START")]

    assert [text.patient for text in later] == [None] * 4
    assert {text.inbox for text in later if text.handled_as == "wrong_number"} == {"open"}
    assert story.answers().count("wrong_number") == 1
    assert set(story.answers()) <= {"wrong_number", "help"}
    assert [case.reason for case in story.cases()] == ["wrong_number"]


def test_a_session_that_is_recorded_later_sends_nothing_there(story: Story) -> None:
    story.texts("wrong number")
    later = make_treatment_session(patient=story.patient, now=story.started_at)

    plan_aftercare(treatment_session_id=later.pk, now=clock.now())

    texts = Message.objects.filter(treatment_session=later)
    assert set(texts.values_list("state", "reason")) == {("suppressed", "phone_quarantined")}


def test_staff_lift_it_when_they_have_checked(story: Story) -> None:
    story.asked()
    story.texts("wrong number")
    phone = PatientPhone.objects.get(patient=story.patient)

    number_is_fine(phone_id=phone.pk, clinic=story.clinic, clinician=story.staff.front_desk, now=clock.now())
    text = story.texts("it was my son with my phone. soreness is 6")

    assert phone_state(story) == "ok"
    assert text.patient == story.patient
    assert "persists" in {case.reason for case in story.cases()}


def test_a_wrong_number_with_a_danger_sign_rings_and_gets_the_emergency_answer(story: Story) -> None:
    story.asked()

    story.texts("wrong number, but I have chest pain and cannot breathe")

    assert phone_state(story) == "quarantined"
    assert story.answers() == ["emergency"]
    assert {(case.reason, case.severity) for case in story.cases()} == {
        ("red_flag", "urgent"),
        ("wrong_number", "routine"),
    }
    assert story.phone in {one.to_number for one in send_due()}


def test_danger_from_a_quarantined_phone_still_rings(story: Story) -> None:
    story.texts("wrong number")

    story.texts("I cannot breathe")

    assert story.cases()[-1].severity == "urgent"
    assert story.answers() == ["wrong_number", "emergency"]


def test_a_wrong_number_that_wants_out_is_out_and_gets_the_one_confirmation(story: Story) -> None:
    story.asked()

    story.texts("Wrong number. Stop texting me")

    newest = newest_decision(story.clinic, story.phone)
    assert newest is not None
    assert (newest.decision, phone_state(story)) == ("revoked", "quarantined")
    assert story.answers() == ["opt_out_confirmed"]


def test_everybody_on_the_phone_is_held(story: Story) -> None:
    partner = make_patient(clinic=story.clinic, given_name="Sam", phone=story.phone, now=story.started_at)

    story.texts("wrong number")

    assert set(PatientPhone.objects.filter(number=story.phone).values_list("state", flat=True)) == {"quarantined"}
    assert {case.patient for case in story.cases()} == {story.patient, partner}


def test_an_unknown_phone_that_says_so_is_a_stranger_as_before(story: Story) -> None:
    text = story.texts("wrong number", sender="+13125550188")

    assert (text.handled_as, text.inbox_reason) == ("unknown_number", "unknown_number")
    assert InboundMessage.objects.count() == 1
