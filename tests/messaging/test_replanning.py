"""Planning again: repeats, corrections, newer visits, what cannot be planned, and many at once."""

from collections.abc import Callable

import pytest
from django.db import transaction

from reminders.clinic.models import AuditEvent, Clinic, Patient
from reminders.clinic.services import void_treatment_session
from reminders.content.errors import MissingProtocolError, MissingTextError
from reminders.content.models import Protocol, Template
from reminders.messaging.cancelling import withhold_advice
from reminders.messaging.errors import NoSenderError
from reminders.messaging.models import AftercarePlan
from reminders.messaging.outbox import claim_due
from reminders.messaging.sweeps import PLAN_AFTER, unplanned
from tests.messaging.conftest import NOON
from tests.messaging.plans import HOUR, MINUTE, correct, finished, lines, plan, ready_clinic, waiting
from tests.messaging.threads import Background, run_at_once, wait_until_somebody_waits_for_a_lock

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic() -> Clinic:
    """A clinic with the starter texts and protocol."""
    return ready_clinic()


def test_planning_again_changes_nothing(patient: Patient) -> None:
    session = finished(patient)

    assert [plan(session) for _ in range(3)] == [4, 0, 0]
    assert session.messages.count() == 4
    assert AftercarePlan.objects.get().state == "active"


def test_a_correction_lays_out_anew_what_has_not_left(patient: Patient) -> None:
    session = finished(patient)
    plan(session)
    session.messages.filter(step_key="heat").update(state="sending", attempts=1)

    correct(session, ended_at=NOON - HOUR)
    assert plan(session) == 3

    assert lines(session) == [
        ("heat", "sending", ""),
        ("exercise", "cancelled", "replanned"),
        ("otc", "cancelled", "replanned"),
        ("check_in", "cancelled", "replanned"),
        ("exercise", "scheduled", ""),
        ("otc", "scheduled", ""),
        ("check_in", "scheduled", ""),
    ]
    assert waiting(session)["check_in"] == "14 11:00"
    assert session.messages.get(step_key="heat").withdrawn == "", "it may not have left: then it must still go"
    assert sorted(AftercarePlan.objects.values_list("revision", "state")) == [(1, "superseded"), (2, "active")]


@pytest.mark.parametrize(
    "way",
    [
        ["ambiguous"],
        ["ambiguous", "unresolved"],
        ["accepted"],
        ["accepted", "sent"],
        ["accepted", "sent", "delivered"],
        ["accepted", "sent", "undelivered"],
    ],
)
def test_a_step_that_may_have_left_is_not_repeated(patient: Patient, way: list[str]) -> None:
    session = finished(patient)
    plan(session)
    for state in ["sending", *way]:
        session.messages.filter(step_key="heat").update(state=state, attempts=1)

    correct(session, technique="superficial")
    plan(session)

    assert session.messages.get(step_key="heat").state == way[-1]


@pytest.mark.parametrize("way", [["rejected"], ["failed"]])
def test_a_step_that_certainly_did_not_arrive_is_laid_out_anew(patient: Patient, way: list[str]) -> None:
    session = finished(patient)
    plan(session)
    for state in ["sending", *way]:
        session.messages.filter(step_key="heat").update(state=state, attempts=1)

    correct(session, technique="superficial")
    plan(session)

    assert waiting(session)["heat"] == "13 13:00"


def test_a_correction_does_not_bring_back_advice_that_a_danger_sign_withheld(patient: Patient) -> None:
    session = finished(patient)
    plan(session)
    withhold_advice(treatment_session=session, now=NOON)

    correct(session, ended_at=NOON - HOUR)
    plan(session)

    assert set(waiting(session)) == {"check_in"}
    assert lines(session).count(("heat", "cancelled", "red_flag")) == 2
    assert AftercarePlan.objects.get(revision=2).state == "withheld"


def test_a_voided_session_gets_no_plan_and_owes_none(patient: Patient) -> None:
    session = finished(patient)
    void_treatment_session(treatment_session=session, actor=AuditEvent.Actor.SYSTEM, now=NOON)

    assert plan(session) == 0
    assert not AftercarePlan.objects.exists()
    assert unplanned(now=NOON + HOUR) == []


def test_a_void_cancels_the_whole_course(patient: Patient) -> None:
    session = finished(patient)
    plan(session)

    void_treatment_session(treatment_session=session, actor=AuditEvent.Actor.SYSTEM, now=NOON)

    assert {(state, reason) for _, state, reason in lines(session)} == {("cancelled", "voided")}
    assert AftercarePlan.objects.get().state == "cancelled"


def test_a_newer_session_cancels_the_older_ones_advice_but_not_its_question(patient: Patient) -> None:
    older = finished(patient, ended_at=NOON - HOUR)
    plan(older)
    newer = finished(patient)
    plan(newer)

    assert set(waiting(older)) == {"check_in"}
    assert ("otc", "cancelled", "newer_session") in lines(older)
    assert len(waiting(newer)) == 4


def test_an_older_session_that_is_planned_later_brings_no_advice(patient: Patient) -> None:
    older, newer = finished(patient, ended_at=NOON - HOUR), finished(patient)
    plan(newer)
    plan(older)

    assert set(waiting(older)) == {"check_in"}
    assert len(waiting(newer)) == 4


@pytest.mark.parametrize("first", ["one", "other"])
def test_two_techniques_in_one_visit_bring_one_set_of_advice(patient: Patient, first: str) -> None:
    one = finished(patient, technique="deep")
    other = finished(patient, technique="electro")
    for session in (one, other) if first == "one" else (other, one):
        plan(session)

    assert set(waiting(one)) == {"check_in"}
    assert len(waiting(other)) == 4


def without_protocol(clinic: Clinic) -> None:
    Protocol.objects.filter(clinic=clinic).update(published=None)


def without_a_text(clinic: Clinic) -> None:
    Template.objects.filter(clinic=clinic, key="check_in").update(published=None)


def without_sender(clinic: Clinic) -> None:
    clinic.senders.all().delete()


@pytest.mark.parametrize(
    ("breaks", "error"),
    [(without_protocol, MissingProtocolError), (without_a_text, MissingTextError), (without_sender, NoSenderError)],
)
def test_what_cannot_be_planned_stores_nothing_and_stays_owed(
    clinic: Clinic, patient: Patient, breaks: Callable[[Clinic], None], error: type[Exception]
) -> None:
    session = finished(patient)
    breaks(clinic)

    with pytest.raises(error):
        plan(session)

    assert not AftercarePlan.objects.exists()
    assert unplanned(now=NOON + HOUR) == [session.pk]


def test_the_sweep_finds_what_a_lost_task_left_after_giving_it_its_chance(patient: Patient) -> None:
    session = finished(patient)

    assert unplanned(now=NOON) == []
    assert unplanned(now=NOON + PLAN_AFTER) == [session.pk]
    plan(session)
    assert unplanned(now=NOON + PLAN_AFTER) == []
    correct(session)
    assert unplanned(now=NOON + PLAN_AFTER) == [session.pk]


@pytest.mark.django_db(transaction=True)
def test_many_calls_at_once_leave_one_plan(patient: Patient) -> None:
    session = finished(patient)

    written = run_at_once([lambda: plan(session)] * 6)

    assert sorted(written) == [0, 0, 0, 0, 0, 4]
    assert AftercarePlan.objects.count() == 1
    assert session.messages.count() == 4


@pytest.mark.django_db(transaction=True)
def test_two_sessions_planned_at_once_leave_the_advice_of_one(patient: Patient) -> None:
    older, newer = finished(patient, ended_at=NOON - HOUR), finished(patient)

    run_at_once([lambda: plan(newer), lambda: plan(older)] * 3)

    assert set(waiting(older)) == {"check_in"}
    assert len(waiting(newer)) == 4


@pytest.mark.django_db(transaction=True)
def test_a_correction_waits_for_the_worker_that_holds_a_text(patient: Patient) -> None:
    session = finished(patient)
    plan(session)
    claim_due(now=NOON + HOUR)
    correct(session, ended_at=NOON - MINUTE)

    with transaction.atomic():
        session.messages.filter(step_key="heat").update(state="sending", attempts=1)
        planning = Background(lambda: plan(session))
        wait_until_somebody_waits_for_a_lock()

    assert planning.finish() == 3
    assert session.messages.get(step_key="heat").state == "sending"
