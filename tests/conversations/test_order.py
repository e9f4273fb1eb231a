"""Texts that arrive at the same moment: each counts once, and one phone's texts take turns."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from reminders import clock
from reminders.clinic.models import Clinician
from reminders.conversations.inbound import read_phone, take_conversation
from reminders.conversations.models import CheckIn, InboundMessage
from reminders.escalations.errors import AlreadyTakenError
from reminders.escalations.models import Escalation
from reminders.escalations.services import acknowledge
from reminders.messaging.models import Message
from tests.answering import Story, add_session, begin, new_sid, post_text
from tests.factories import make_check_in, make_inbound, make_patient
from tests.waiting import eventually

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def story() -> Story:
    return begin()


def at_once(*acts: Callable[[], object]) -> list[object]:
    """Do all acts at the same moment, each in a thread with a connection of its own; return what came of each."""
    gate = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> object:
        try:
            gate.wait(timeout=30)
            return act()
        except AlreadyTakenError as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return [future.result(timeout=60) for future in [pool.submit(run, act) for act in acts]]


def test_one_text_posted_many_times_at_once_counts_once(story: Story) -> None:
    story.asked()
    sid = new_sid()

    at_once(*[lambda: post_text(sender=story.phone, to=story.sender, body="chest pain", sid=sid) for _ in range(6)])

    assert InboundMessage.objects.count() == 1
    assert (story.answers(), len(story.cases()), len(story.rings())) == (["emergency"], 1, 1)


def test_one_stop_posted_many_times_at_once_is_confirmed_once(story: Story) -> None:
    at_once(*[lambda: post_text(sender=story.phone, to=story.sender, body="STOP") for _ in range(6)])

    assert InboundMessage.objects.count() == 6
    assert story.answers() == ["opt_out_confirmed"]


def test_many_danger_signs_at_once_are_one_case_that_rings_once(story: Story) -> None:
    at_once(*[lambda: post_text(sender=story.phone, to=story.sender, body="chest pain") for _ in range(5)])

    assert InboundMessage.objects.filter(handled_as="red_flag").count() == 5
    assert (len(story.cases()), len(story.rings())) == (1, 1)


def test_a_patient_who_writes_from_two_phones_at_once_is_one_case(story: Story) -> None:
    story.patient.phones.create(clinic=story.clinic, number="+13125550166", is_primary=False)

    at_once(
        *[
            lambda phone=phone: post_text(sender=phone, to=story.sender, body="chest pain")
            for phone in (story.phone, "+13125550166")
        ]
    )

    assert (len(story.cases()), len(story.rings())) == (1, 1)


def test_two_workers_on_one_phone_read_each_text_once(story: Story) -> None:
    check_in = story.asked()
    texts = [make_inbound(patient=story.patient, body=body, now=story.started_at) for body in ("6", "2")]
    now = clock.now()

    at_once(*[lambda text=text: read_phone(inbound_id=text.pk, now=now) for text in texts * 2])

    check_in.refresh_from_db()
    assert (check_in.score, check_in.answer) == (6, texts[0])
    assert story.answers() == ["told_your_pt_follow_up", "check_in_closed_thanks"]
    assert len(story.cases()) == 1


def test_two_workers_on_a_shared_phone_ask_once_whose_the_answer_is_and_take_it_once(story: Story) -> None:
    partner = make_patient(clinic=story.clinic, given_name="Sam", phone=story.phone, now=story.started_at)
    theirs = add_session(partner, story.staff.therapist, story.started_at)
    story.asked()
    make_check_in(plan=theirs.plans.get(), now=story.started_at)
    texts = [make_inbound(patient=story.patient, body=body, now=story.started_at) for body in ("6", "22")]
    now = clock.now()

    at_once(*[lambda text=text: read_phone(inbound_id=text.pk, now=now) for text in texts * 2])

    assert story.answers() == ["which_person", "told_your_pt_follow_up"]
    assert [(case.patient, case.inbound) for case in story.cases()] == [(partner, texts[0])]


def test_one_wrong_number_posted_many_times_at_once_is_one_case_and_one_answer(story: Story) -> None:
    at_once(*[lambda: story.texts("wrong number") for _ in range(4)])

    assert story.answers() == ["wrong_number"]
    assert [case.reason for case in story.cases()] == ["wrong_number"]


def test_a_text_waits_for_the_one_of_the_same_phone_that_is_being_stored(story: Story) -> None:
    def post_second() -> None:
        post_text(sender=story.phone, to=story.sender, body="2")
        connection.close()

    second = threading.Thread(target=post_second)
    with transaction.atomic():
        take_conversation(clinic=story.clinic, number=story.phone)
        second.start()
        eventually(_somebody_waits_for_a_turn, what="the second text waits for its turn")
        first = make_inbound(patient=story.patient, body="6", now=story.started_at)
    second.join(timeout=30)

    assert [text.body for text in InboundMessage.objects.order_by("id")] == [first.body, "2"]


def _somebody_waits_for_a_turn() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)")
        row = cursor.fetchone()
    return bool(row and row[0])


def test_of_a_page_a_text_and_a_key_at_the_same_moment_one_takes_the_case(story: Story) -> None:
    story.texts("struggling to get air")
    case, now = story.case(), clock.now()

    def take(clinician: Clinician, via: str) -> Callable[[], object]:
        return lambda: acknowledge(
            escalation_id=case.pk,
            clinic=story.clinic,
            clinician=clinician,
            via=via,
            now=now,
        )

    staff = story.staff
    outcomes = at_once(take(staff.owner, "page"), take(staff.therapist, "sms"), take(staff.front_desk, "call"))

    winners = [outcome for outcome in outcomes if isinstance(outcome, Escalation)]
    assert len(winners) == 1
    assert story.case().owner_id == winners[0].owner_id
    assert story.answers().count("clinician_acknowledged") == 1


def test_an_answer_and_a_stop_at_the_same_moment_leave_no_text_to_send(story: Story) -> None:
    story.asked()

    at_once(
        lambda: story.texts("7"),
        lambda: post_text(sender=story.phone, to=story.sender, body="STOP"),
    )

    unsent = Message.objects.filter(to_number=story.phone, state="scheduled").exclude(consent_rule="none")
    assert {text.consent_rule for text in unsent} <= {"not_revoked"}
    assert CheckIn.objects.get().outcome in {"persists", "opted_out"}
