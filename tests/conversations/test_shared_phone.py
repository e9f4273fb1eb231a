"""Two patients on one phone: nobody guesses whose answer it is, and danger waits for nobody."""

from datetime import timedelta

import pytest

from reminders import clock
from reminders.clinic.consent import newest_decision
from reminders.clinic.models import Patient
from reminders.conversations.models import CheckIn, InboundMessage, WhoseAnswer
from reminders.conversations.silence import close_silent
from reminders.conversations.whose_window import close_whose
from reminders.messaging.models import Message
from tests.answering import Story, add_session, begin, send_due, set_clock
from tests.factories import make_check_in, make_patient

pytestmark = pytest.mark.django_db
NAMES = {"Xochitl", "Zamora", "Balthazar", "Quill"}


class Couple(Story):
    """The story's patient and the one they share a phone with, both of whom were asked."""

    partner: Patient

    def check_in_of(self, patient: Patient) -> CheckIn:
        return CheckIn.objects.get(patient=patient, kind="check_in")

    def state_of(self, patient: Patient) -> tuple[str, str, int | None]:
        check_in = self.check_in_of(patient)
        return check_in.state, check_in.outcome, check_in.score


def couple(**partner: object) -> Couple:
    story = begin(patient={"given_name": "Xochitl", "family_name": "Zamora"})
    both = Couple(story.clinic, story.staff, story.patient, story.session, story.started_at)
    names = {"given_name": "Balthazar", "family_name": "Quill", **partner}
    both.partner = make_patient(clinic=story.clinic, phone=story.phone, now=story.started_at, **names)  # type: ignore[arg-type]
    theirs = add_session(both.partner, story.staff.therapist, story.started_at)
    both.asked()
    make_check_in(plan=theirs.plans.get(), now=story.started_at - timedelta(minutes=30))
    return both


@pytest.fixture
def both() -> Couple:
    return couple()


def test_the_phone_is_asked_once_whom_the_answer_is_about_by_number_and_initials(both: Couple) -> None:
    text = both.texts("7")

    assert (text.handled_as, text.inbox, text.patient) == ("asked_whose", "", None)
    asked = Message.objects.get(in_reply_to=text)
    assert "21 for X.Z. or 22 for B.Q." in asked.body
    assert not [name for name in NAMES if name in asked.body]
    assert both.cases() == []
    assert both.state_of(both.patient)[0] == both.state_of(both.partner)[0] == "open"


@pytest.mark.parametrize("number", ["22", " 22. ", "It is 22", "22 please"])
def test_the_number_brings_the_kept_answer_to_that_persons_check_in(number: str) -> None:
    both = couple()
    kept = both.texts("7")

    text = both.texts(number)

    kept.refresh_from_db()
    assert both.state_of(both.partner) == ("answered", "persists", 7)
    assert both.state_of(both.patient) == ("open", "", None)
    assert (both.case().patient, both.case().severity, both.case().inbound) == (both.partner, "same_day", kept)
    assert (kept.patient, kept.handled_as, text.handled_as) == (both.partner, "answered_check_in", "said_whose")
    assert both.answers() == ["which_person", "told_your_pt_follow_up"]


def test_the_other_persons_answer_needs_no_question_afterwards(both: Couple) -> None:
    both.texts("2")
    both.texts("21")

    both.texts("3")

    assert both.state_of(both.patient) == ("answered", "resolved", 2)
    assert both.state_of(both.partner) == ("answered", "resolved", 3)


@pytest.mark.parametrize("reply", ["3", "what?", "23", "20", "21 or 22", "21 7", "me", "his", "ok"])
def test_what_is_no_plain_answer_brings_both_texts_to_a_person_and_is_not_asked_again(reply: str) -> None:
    both = couple()
    kept = both.texts("7")

    text = both.texts(reply)

    kept.refresh_from_db()
    assert (kept.inbox, kept.inbox_reason) == ("open", "whose_answer")
    assert text.inbox == "open"
    assert both.answers().count("which_person") == 1
    assert both.state_of(both.patient)[0] == both.state_of(both.partner)[0] == "open"


def test_the_end_of_the_window_brings_it_to_a_person(both: Couple) -> None:
    kept = both.texts("7")

    assert close_whose(now=clock.now() + timedelta(minutes=59)) == 0
    assert close_whose(now=clock.now() + timedelta(minutes=61)) == 1
    assert close_whose(now=clock.now() + timedelta(minutes=61)) == 0

    kept.refresh_from_db()
    assert (kept.inbox, kept.inbox_reason) == ("open", "whose_answer")


def test_a_number_after_the_window_is_read_by_a_person(both: Couple) -> None:
    both.texts("7")
    close_whose(now=clock.now() + timedelta(minutes=61))

    text = both.texts("22")

    assert (text.inbox, text.inbox_reason) == ("open", "whose_answer")
    assert both.state_of(both.partner)[0] == "open"


def test_a_check_in_whose_answer_nobody_could_place_does_not_say_that_no_answer_came(both: Couple) -> None:
    both.texts("7")
    close_whose(now=clock.now() + timedelta(minutes=61))

    close_silent(now=clock.now() + timedelta(hours=24))

    assert set(CheckIn.objects.values_list("silent_cause", flat=True)) == {"whose_answer"}


def test_a_danger_sign_is_never_held_back_and_rings_for_both(both: Couple) -> None:
    text = both.texts("2 but I cannot breathe")

    assert both.answers() == ["emergency"]
    assert {case.patient for case in both.cases()} == {both.patient, both.partner}
    assert {case.severity for case in both.cases()} == {"urgent"}
    assert text.handled_as == "red_flag"
    assert not WhoseAnswer.objects.exists()


def test_a_danger_sign_while_the_question_is_open_rings_for_both_and_the_kept_text_is_read_by_a_person(
    both: Couple,
) -> None:
    kept = both.texts("7")

    both.texts("struggling to get air")

    kept.refresh_from_db()
    assert {case.patient for case in both.cases() if case.severity == "urgent"} == {both.patient, both.partner}
    assert (kept.inbox, kept.inbox_reason) == ("open", "whose_answer")
    assert both.answers() == ["which_person", "emergency"]


def test_stop_covers_the_phone_for_both(both: Couple) -> None:
    kept = both.texts("7")

    both.texts("STOP")

    kept.refresh_from_db()
    newest = newest_decision(both.clinic, both.phone)
    assert newest is not None
    assert newest.decision == "revoked"
    assert both.state_of(both.patient)[1] == both.state_of(both.partner)[1] == "opted_out"
    assert kept.inbox == "open"
    course = Message.objects.filter(kind__in=["advice", "nudge"])
    assert set(course.values_list("state", "reason")) == {("suppressed", "opted_out")}
    assert len([one for one in send_due() if one.to_number == both.phone]) == 1


def test_help_is_given_and_the_question_stays_open(both: Couple) -> None:
    both.texts("7")
    both.texts("HELP")

    both.texts("21")

    assert both.state_of(both.patient) == ("answered", "persists", 7)


def test_a_question_goes_to_a_person_whosever_it_is(both: Couple) -> None:
    text = both.texts("can I go running tomorrow?")

    assert (text.inbox, text.inbox_reason) == ("open", "question")
    assert both.answers() == ["question_received"]


def test_where_initials_do_not_tell_them_apart_a_person_looks() -> None:
    both = couple(given_name="Xavier", family_name="Zito")

    text = both.texts("7")

    assert (text.inbox, text.inbox_reason) == ("open", "whose_answer")
    assert both.answers() == ["person_will_look"]


def test_the_follow_up_of_two_is_told_apart_too(both: Couple) -> None:
    both.texts("5")
    both.texts("21")
    both.texts("6")

    both.texts("13")
    both.texts("22")

    assert (both.check_in_of(both.patient).trend, both.check_in_of(both.partner).trend) == ("asked", "worse")


def test_soreness_outside_any_question_is_told_apart_where_both_were_treated_lately() -> None:
    both = couple()
    CheckIn.objects.all().delete()
    set_clock(both.started_at + timedelta(days=4))

    both.texts("5")
    both.texts("21")

    assert both.case().patient == both.patient


def test_it_is_asked_in_the_language_they_write() -> None:
    both = couple()

    both.texts("mucho dolor")

    assert "21 para X.Z. o 22 para B.Q." in Message.objects.get(in_reply_to__isnull=False).body


def test_the_same_answer_posted_twice_counts_once(both: Couple) -> None:
    both.texts("7")
    both.texts("22", sid="SM" + "5" * 32)

    both.texts("22", sid="SM" + "5" * 32)

    assert InboundMessage.objects.count() == 2
    assert both.answers() == ["which_person", "told_your_pt_follow_up"]
