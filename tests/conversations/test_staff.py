"""Texts from staff phones: a code takes a case; a clinician may be a patient too."""

import pytest

from reminders.core.states import EscalationState
from reminders.escalations.services import resolve
from reminders.messaging.models import Message
from tests.answering import Story, begin, send_due
from tests.factories import make_clinician, make_patient

pytestmark = pytest.mark.django_db


@pytest.fixture
def story() -> Story:
    story = begin(patient={"given_name": "Xochitl", "family_name": "Zamora"})
    story.texts("struggling to get air")
    return story


@pytest.mark.parametrize("shape", ["{}", " {} ", "{}!", "ok, {} on it", "I take {}."])
@pytest.mark.parametrize("case", [str.upper, str.lower])
def test_the_code_takes_the_case_in_any_case_and_company(shape: str, case: object) -> None:
    story = begin()
    story.texts("struggling to get air")
    code = case(story.case().code)  # type: ignore[operator]

    story.texts(shape.format(code), sender=story.staff.owner.phone)

    taken = story.case()
    assert (taken.state, taken.owner, taken.acknowledged_via) == ("acknowledged", story.staff.owner, "sms")
    assert story.answers(story.staff.owner.phone) == ["staff_acknowledged"]


def test_a_colleague_who_is_slower_is_told_and_takes_nothing(story: Story) -> None:
    code = story.case().code
    story.texts(code, sender=story.staff.owner.phone)

    story.texts(code, sender=story.staff.therapist.phone)

    assert story.case().owner == story.staff.owner
    assert story.answers(story.staff.therapist.phone)[-1] == "staff_code_unknown"


def test_a_code_of_a_resolved_case_takes_nothing(story: Story) -> None:
    case = story.case()
    resolve(
        escalation_id=case.pk,
        clinic=story.clinic,
        clinician=story.staff.owner,
        outcome="advised",
        note="",
        now=story.started_at,
    )

    text = story.texts(case.code, sender=story.staff.therapist.phone)

    assert story.case().owner == story.staff.owner
    assert (text.handled_as, text.inbox_reason) == ("unknown_case_code", "staff_text")


def test_a_patient_who_sends_a_code_takes_nothing(story: Story) -> None:
    story.texts(story.case().code)

    assert story.case().state == EscalationState.OPEN


def test_a_code_of_another_clinic_takes_nothing(story: Story) -> None:
    other = begin(name="Southside Physio")

    other.texts(story.case().code, sender=other.staff.owner.phone)

    assert story.case().state == EscalationState.OPEN
    assert other.answers(other.staff.owner.phone) == ["staff_code_unknown"]


def test_a_former_colleague_takes_nothing(story: Story) -> None:
    gone = make_clinician(clinic=story.clinic, is_active=False)

    story.texts(story.case().code, sender=gone.phone)

    assert story.case().state == EscalationState.OPEN


def test_staff_words_without_a_code_are_for_the_inbox(story: Story) -> None:
    text = story.texts("ok thanks", sender=story.staff.owner.phone)

    assert (text.inbox, text.inbox_reason) == ("open", "staff_text")
    assert story.answers(story.staff.owner.phone) == ["staff_code_unknown"]


def test_vertebrae_are_no_code_and_do_not_hide_one(story: Story) -> None:
    story.texts(f"T4L5 you mean? {story.case().code}", sender=story.staff.owner.phone)

    assert story.case().owner == story.staff.owner


def test_a_clinician_who_is_a_patient_answers_as_one(story: Story) -> None:
    make_patient(clinic=story.clinic, given_name="Theo", phone=story.staff.therapist.phone, now=story.started_at)

    text = story.texts("pain at T4L5 is 8", sender=story.staff.therapist.phone)

    assert text.handled_as == "read_outside_check_in"
    assert [case.reason for case in story.cases()] == ["red_flag", "persists"]


def test_a_clinician_who_is_a_patient_can_take_a_case_and_be_in_danger_in_one_text(story: Story) -> None:
    theo = make_patient(clinic=story.clinic, given_name="Theo", phone=story.staff.therapist.phone, now=story.started_at)

    story.texts(f"{story.case().code} but I cannot breathe myself", sender=story.staff.therapist.phone)

    first, second = story.cases()
    assert first.owner == story.staff.therapist
    assert (second.patient, second.severity, second.state) == (theo, "urgent", "open")


def test_what_a_clinician_says_about_a_case_is_no_danger_sign_of_their_own(story: Story) -> None:
    story.texts(f"{story.case().code} calling her, chest pain", sender=story.staff.therapist.phone)

    assert story.case().owner == story.staff.therapist


def test_staff_texts_say_code_level_and_link_and_nothing_about_anybody(story: Story) -> None:
    story.texts(story.case().code, sender=story.staff.owner.phone)
    story.texts("who is it?", sender=story.staff.owner.phone)

    to_staff = Message.objects.filter(clinician__isnull=False)
    assert to_staff.count() >= 3
    for body in to_staff.values_list("body", flat=True):
        for secret in ("Xochitl", "Zamora", story.phone, story.phone[-4:], "air"):
            assert secret not in body
    notice = to_staff.get(kind="staff_notice").body
    assert story.case().code in notice
    assert "urgent" in notice
    assert f"http://testserver/escalations/{story.case().pk}/" in notice


def test_the_acknowledgement_reaches_the_sender_and_the_patient(story: Story) -> None:
    send_due()

    story.texts(story.case().code, sender=story.staff.owner.phone)

    assert {one.to_number for one in send_due()} == {story.staff.owner.phone, story.phone}
