"""The ladder rings people, one after the other, round after round, until somebody takes the case."""

from datetime import datetime, timedelta

import pytest

from reminders import clock
from reminders.clinic.models import Clinician, LadderRung
from reminders.escalations import services
from reminders.escalations.ladder import ring_next
from reminders.escalations.models import Escalation
from reminders.escalations.selectors import history
from reminders.escalations.services import acknowledge, resolve, ring_due
from reminders.messaging.models import Message
from tests.answering import NIGHT, Story, begin, send_due, set_clock
from tests.factories import make_consent

pytestmark = pytest.mark.django_db
ROUND = [("therapist", "sms"), ("therapist", "voice"), ("owner", "sms"), ("owner", "voice")]


@pytest.fixture
def story() -> Story:
    story = begin(at=NIGHT)
    story.texts("struggling to get air")
    return story


def pass_time(story: Story) -> timedelta:
    """Let time pass until the next ring, and ring; return how long it was since the case was raised."""
    due_at = story.case().next_ring_at
    assert due_at is not None
    assert ring_due(now=due_at - timedelta(seconds=1)) == 0
    set_clock(due_at)
    assert ring_due(now=due_at) == 1
    return due_at - story.case().created_at


def test_a_text_then_a_call_then_the_next_person_also_at_night(story: Story) -> None:
    waits = [pass_time(story) for _ in range(3)]

    assert story.rings() == ROUND
    assert waits == [timedelta(minutes=minutes) for minutes in (3, 6, 9)]


def test_it_goes_on_for_ever(story: Story) -> None:
    for _ in range(4 * 25 - 1):
        pass_time(story)

    assert story.rings() == ROUND * 25
    assert story.case().rings == 100
    assert story.case().next_ring_at is not None


def test_it_ends_when_somebody_takes_the_case(story: Story) -> None:
    acknowledge(
        escalation_id=story.case().pk, clinic=story.clinic, clinician=story.staff.owner, via="page", now=clock.now()
    )

    assert ring_due(now=clock.now() + timedelta(days=2)) == 0
    assert story.rings() == ROUND[:1]


def test_it_ends_when_somebody_resolves_the_case(story: Story) -> None:
    resolve(
        escalation_id=story.case().pk,
        clinic=story.clinic,
        clinician=story.staff.owner,
        outcome="false_alarm",
        note="",
        now=clock.now(),
    )

    assert ring_due(now=clock.now() + timedelta(days=2)) == 0


def test_it_does_not_end_because_a_notice_was_delivered_or_a_call_completed(story: Story) -> None:
    pass_time(story)
    Message.objects.filter(clinician__isnull=False).update(state="delivered")

    pass_time(story)

    assert story.rings() == ROUND[:3]


def test_a_notice_that_waits_is_not_sent_once_the_case_is_taken(story: Story) -> None:
    acknowledge(
        escalation_id=story.case().pk, clinic=story.clinic, clinician=story.staff.owner, via="page", now=clock.now()
    )

    assert story.staff.therapist.phone not in {one.to_number for one in send_due()}


def test_after_a_round_without_anybody_the_patient_is_told_the_truth_once(story: Story) -> None:
    for _ in range(9):
        pass_time(story)

    told = Message.objects.filter(dedupe_key__endswith=":ladder_exhausted_patient")
    assert [(text.to_number, text.kind) for text in told] == [(story.phone, "emergency")]
    assert story.clinic.name in told[0].body
    assert "911" in told[0].body


def test_an_opted_out_patient_is_not_told_and_the_ladder_goes_on(story: Story) -> None:
    make_consent(patient=story.patient, decision="revoked", now=clock.now())
    for _ in range(5):
        pass_time(story)

    assert story.phone not in {one.to_number for one in send_due()}
    assert story.case().rings == 6


def test_people_without_a_phone_and_former_colleagues_are_passed_over(story: Story) -> None:
    Clinician.objects.filter(pk=story.staff.therapist.pk).update(phone="")

    pass_time(story)

    assert story.rings()[1:] == [("owner", "voice")]


@pytest.mark.parametrize("gone", [{"phone": ""}, {"is_active": False}], ids=["no phone", "not active"])
def test_a_ladder_of_nobody_falls_back_to_everybody_who_can_be_reached(gone: dict[str, object]) -> None:
    story = begin()
    Clinician.objects.filter(pk__in=[story.staff.therapist.pk, story.staff.owner.pk]).update(**gone)

    story.texts("struggling to get air")
    pass_time(story)

    assert story.rings() == [("front_desk", "sms"), ("viewer", "sms")]


def test_a_clinic_without_a_ladder_texts_everybody_with_a_phone_in_turn_and_then_calls_them() -> None:
    story = begin()
    LadderRung.objects.all().delete()

    story.texts("struggling to get air")
    for _ in range(8):
        pass_time(story)

    everybody = ["owner", "therapist", "front_desk", "viewer"]
    texts, calls = ([(who, channel) for who in everybody] for channel in ("sms", "voice"))
    assert story.rings() == [*texts, *calls, ("owner", "sms")]


def test_where_nobody_can_be_reached_the_patient_is_told_at_once_and_the_first_new_phone_is_rung() -> None:
    story = begin()
    Clinician.objects.update(phone="")
    story.texts("struggling to get air")
    assert story.answers() == ["emergency", "ladder_exhausted_patient"]
    assert story.rings() == []

    Clinician.objects.filter(pk=story.staff.owner.pk).update(phone="+13125550155")
    pass_time(story)

    assert story.rings() == [("owner", "sms")]


def test_a_ladder_that_shrinks_meanwhile_still_tells_the_patient(story: Story) -> None:
    pass_time(story)
    LadderRung.objects.filter(position__gt=2).delete()

    pass_time(story)
    pass_time(story)

    assert "ladder_exhausted_patient" in story.answers()


def test_one_case_that_cannot_ring_keeps_no_other_from_ringing(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = story.case()
    other = begin(at=NIGHT, name="Southside Physio")
    other.texts("struggling to get air")
    now = clock.now() + timedelta(minutes=10)

    def ring_or_break(*, escalation: Escalation, now: datetime) -> None:
        if escalation == broken:
            raise RuntimeError("broken")
        ring_next(escalation=escalation, now=now)

    monkeypatch.setattr(services, "ring_next", ring_or_break)

    assert ring_due(now=now) == 1
    assert other.case().rings == 2
    broken.refresh_from_db()
    assert (broken.rings, broken.next_ring_at) == (1, now + timedelta(minutes=1))


def test_every_ring_is_on_record(story: Story) -> None:
    for _ in range(4):
        pass_time(story)

    rang = [event for event in history(escalation=story.case()) if event.verb == "rang"]
    assert [(event.details["channel"], event.details["round"]) for event in rang] == [
        ("sms", 1),
        ("voice", 1),
        ("sms", 1),
        ("voice", 1),
        ("sms", 2),
    ]
