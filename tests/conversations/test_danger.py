"""A danger sign reaches a human, from whomever, whenever, and whatever else is in the text."""

from datetime import timedelta

import pytest

from reminders import clock
from reminders.clinic.models import ConsentRecord
from reminders.conversations.models import CheckIn, InboundMessage
from reminders.core.states import EscalationState
from reminders.escalations.services import acknowledge
from reminders.messaging.models import AftercarePlan, Message
from reminders.messaging.planning import plan_aftercare
from tests.answering import Story, add_session, begin, post_text, send_due, work
from tests.factories import make_consent, make_patient, make_treatment_session

pytestmark = pytest.mark.django_db
WORDS = "I'm struggling to get air"


@pytest.fixture
def story() -> Story:
    return begin()


@pytest.mark.parametrize(
    ("words", "flags", "answer"),
    [
        ("struggling to get air", ["breathing"], "emergency"),
        ("2 but my chest hurts when I breathe", ["breathing", "chest_pain"], "emergency"),
        ("no puedo respirar", ["breathing"], "emergency"),
        ("me desmaye anoche", ["fainting"], "emergency"),
        ("my hand has been numb since the session", ["neuro"], "urgent_call_you"),
        ("tengo fiebre", ["infection"], "urgent_call_you"),
        ("I don't want to live anymore", ["self_harm"], "emergency_self_harm"),
    ],
)
def test_each_sign_gets_its_answer_and_an_urgent_case(words: str, flags: list[str], answer: str) -> None:
    story = begin()
    check_in = story.asked()

    story.texts(words)

    check_in.refresh_from_db()
    case = story.case()
    assert story.answers() == [answer]
    assert (case.severity, case.reason, case.check_in) == ("urgent", "red_flag", check_in)
    assert case.details["flags"] == flags
    assert check_in.outcome == "red_flag"
    assert story.rings() == [("therapist", "sms")]


def test_the_emergency_answer_is_in_the_language_they_wrote(story: Story) -> None:
    story.texts("no puedo respirar")

    assert Message.objects.get(kind="emergency").language == "es"


def test_the_case_holds_flags_and_numbers_and_never_words(story: Story) -> None:
    story.texts("8 and struggling to get air")

    assert story.case().details == {"flags": ["breathing"], "score": 8}


def test_no_heat_exercise_or_pills_follow_a_danger_sign(story: Story) -> None:
    newer = add_session(story.patient, story.staff.therapist, story.started_at + timedelta(hours=23))
    story.asked()

    story.texts(WORDS)

    advice = Message.objects.filter(patient=story.patient, kind="advice")
    assert set(advice.values_list("state", "reason")) == {("cancelled", "red_flag")}
    assert advice.filter(treatment_session=newer).exists()
    assert set(AftercarePlan.objects.values_list("state", flat=True)) == {"withheld"}


def test_a_plan_that_is_laid_out_after_the_danger_sign_sends_no_advice_either(story: Story) -> None:
    fresh = make_treatment_session(
        patient=story.patient, ended_at=story.started_at - timedelta(minutes=5), now=story.started_at
    )

    story.texts(WORDS)
    plan_aftercare(treatment_session_id=fresh.pk, now=clock.now())

    planned = Message.objects.filter(treatment_session=fresh)
    assert set(planned.filter(kind="advice").values_list("state", "reason")) == {("cancelled", "red_flag")}
    assert planned.get(kind="check_in").state == "scheduled"


def test_a_danger_sign_outside_any_question_is_about_the_last_treatment(story: Story) -> None:
    story.texts(WORDS)

    assert (story.case().check_in, story.case().treatment_session) == (None, story.session)


def test_a_danger_sign_long_after_the_window_rings_all_the_same(story: Story) -> None:
    story.asked(ago=timedelta(days=6))

    story.texts(WORDS)

    assert story.case().severity == "urgent"


def test_more_danger_belongs_to_the_case_that_is_ringing_already(story: Story) -> None:
    story.texts("my hand has been numb since the session")
    story.texts(WORDS)

    assert story.case().details["flags"] == ["breathing", "neuro"]
    assert story.answers() == ["urgent_call_you", "emergency"]
    assert len(story.rings()) == 1


def test_danger_after_a_colleague_took_the_case_rings_again(story: Story) -> None:
    story.texts(WORDS)
    acknowledge(
        escalation_id=story.case().pk, clinic=story.clinic, clinician=story.staff.owner, via="page", now=clock.now()
    )

    story.texts("it is worse, I cannot breathe")

    assert [case.state for case in story.cases()] == ["acknowledged", "open"]
    assert len(story.rings()) == 2


def test_everybody_on_a_shared_phone_gets_a_case(story: Story) -> None:
    partner = make_patient(clinic=story.clinic, given_name="Sam", phone=story.phone, now=story.started_at)
    add_session(partner, story.staff.therapist, story.started_at)

    story.texts(WORDS)

    assert {case.patient for case in story.cases()} == {story.patient, partner}
    assert story.answers() == ["emergency"]
    assert not Message.objects.filter(kind="advice", state="scheduled").exists()


def test_stop_with_a_danger_sign_does_both_and_texts_only_the_confirmation(story: Story) -> None:
    story.asked()

    story.texts("STOP, chest pain")

    assert ConsentRecord.objects.filter(number=story.phone).latest("id").decision == "revoked"
    assert story.case().severity == "urgent"
    assert CheckIn.objects.get().outcome == "opted_out"
    left = [one.body for one in send_due() if one.to_number == story.phone]  # type: ignore[union-attr]
    assert len(left) == 1
    assert "ended your texts" in left[0]


def test_where_counsel_agreed_the_emergency_text_also_goes_to_who_opted_out() -> None:
    story = begin(emergency_text_after_opt_out=True)
    make_consent(patient=story.patient, decision="revoked", now=story.started_at)

    story.texts(WORDS)

    assert story.phone in {one.to_number for one in send_due()}


def test_a_stop_that_follows_does_not_take_back_an_emergency_text_that_counsel_agreed_to() -> None:
    story = begin(emergency_text_after_opt_out=True)

    story.texts(WORDS)
    story.texts("STOP")

    assert set(Message.objects.filter(to_number=story.phone, state="scheduled").values_list("kind", flat=True)) == {
        "emergency",
        "confirmation",
    }


def test_an_opted_out_patients_danger_reaches_the_clinic_and_opts_nobody_in(story: Story) -> None:
    make_consent(patient=story.patient, decision="revoked", now=story.started_at)

    story.texts(WORDS)

    assert story.case().severity == "urgent"
    assert {one.to_number for one in send_due()} == {story.staff.therapist.phone}
    assert ConsentRecord.objects.filter(number=story.phone).latest("id").decision == "revoked"
    assert Message.objects.get(kind="emergency").state == "suppressed"


def test_a_danger_sign_from_an_unknown_number_rings_once_while_its_case_is_open(story: Story) -> None:
    stranger = "+13125550188"

    first = story.texts(WORDS, sender=stranger)
    story.texts("chest pain", sender=stranger)

    case = story.case()
    assert (case.patient, case.severity, case.state) == (None, "urgent", EscalationState.OPEN)
    assert (first.inbox, first.inbox_reason) == ("open", "unknown_number")
    assert story.answers(stranger) == ["emergency", "emergency"]
    assert len(story.rings()) == 1


def test_two_unknown_numbers_are_two_cases(story: Story) -> None:
    story.texts(WORDS, sender="+13125550188")
    story.texts(WORDS, sender="+13125550189")

    assert len(story.cases()) == 2


def test_danger_is_answered_while_older_texts_wait_and_they_take_nothing_back(story: Story) -> None:
    check_in = story.asked()
    post_text(sender=story.phone, to=story.sender, body="2")

    post_text(sender=story.phone, to=story.sender, body=WORDS)
    work()

    check_in.refresh_from_db()
    assert check_in.outcome == "red_flag"
    assert story.answers() == ["emergency", "check_in_closed_thanks"]
    assert story.case().state == EscalationState.OPEN
    assert not InboundMessage.objects.filter(handled_at__isnull=True).exists()
