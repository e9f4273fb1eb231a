"""Moving running plans to a version that was published since: once, beside senders and planners, or not at all."""

from dataclasses import replace

import pytest
from django.db import transaction

from reminders.clinic.models import AuditEvent, Clinic, Clinician, Patient
from reminders.content.models import ProtocolVersion
from reminders.content.protocol_services import publish_protocol
from reminders.content.selectors import definition_of, published_protocol
from reminders.messaging.models import AftercarePlan
from reminders.messaging.outbox import claim_due
from reminders.messaging.replanning import changes_for, move_courses, running_courses
from tests.factories import make_clinician, make_patient
from tests.messaging.conftest import NOON
from tests.messaging.plans import HOUR, correct, finished, lines, plan, ready_clinic, waiting
from tests.messaging.threads import Background, run_at_once, wait_until_somebody_waits_for_a_lock

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic() -> Clinic:
    """A clinic with the starter texts and protocol."""
    return ready_clinic()


@pytest.fixture
def therapist(clinic: Clinic) -> Clinician:
    return make_clinician(clinic=clinic, role="therapist")


def _publish_later_question(clinic: Clinic) -> ProtocolVersion:
    """Publish the protocol with the check-in two hours later."""
    definition = definition_of(published_protocol(clinic=clinic))
    steps = [replace(step, offset_minutes=26 * 60) if step.key == "check_in" else step for step in definition.steps]
    return publish_protocol(clinic=clinic, definition=replace(definition, steps=tuple(steps)), now=NOON)


def test_a_moved_plan_asks_by_the_new_hours(clinic: Clinic, patient: Patient, therapist: Clinician) -> None:
    session = finished(patient)
    plan(session)
    version = _publish_later_question(clinic)

    assert move_courses(version=version, clinician=therapist, now=NOON) == 1

    assert waiting(session)["check_in"] == "14 14:00"
    assert lines(session).count(("heat", "cancelled", "replanned")) == 1
    assert move_courses(version=version, clinician=therapist, now=NOON) == 0, "the second time there is nothing to move"


def test_what_is_foretold_for_a_running_plan_comes_true(clinic: Clinic, patient: Patient, therapist: Clinician) -> None:
    session = finished(patient)
    plan(session)
    version = _publish_later_question(clinic)

    (told,) = changes_for(version=version, plans=list(running_courses(version=version, now=NOON)), now=NOON)
    move_courses(version=version, clinician=therapist, now=NOON)

    (change,) = told.steps
    assert change.template_key == "check_in"
    assert session.messages.get(step_key="check_in", state="scheduled").due_at == change.after


def test_a_course_that_cannot_be_planned_keeps_its_plan(clinic: Clinic, therapist: Clinician) -> None:
    sessions = [finished(make_patient(clinic=clinic, now=NOON)) for _ in range(2)]
    for session in sessions:
        plan(session)
    sessions[0].patient.phones.all().update(is_primary=False)
    version = _publish_later_question(clinic)
    before = lines(sessions[0])

    assert move_courses(version=version, clinician=therapist, now=NOON) == 1

    assert lines(sessions[0]) == before
    sessions[0].refresh_from_db()
    assert sessions[0].revision == sessions[0].planned_revision == 1
    assert AftercarePlan.objects.get(treatment_session=sessions[0]).state == "active"
    details = AuditEvent.objects.get(verb="moved_plans").details
    assert (details["moved"], details["kept"]) == (1, 1)


def test_a_session_that_owes_a_plan_anyway_is_left_to_planning(
    clinic: Clinic, patient: Patient, therapist: Clinician
) -> None:
    session = finished(patient)
    plan(session)
    correct(session, technique="superficial")
    version = _publish_later_question(clinic)

    assert move_courses(version=version, clinician=therapist, now=NOON) == 0
    plan(session)

    assert waiting(session)["check_in"] == "14 14:00"
    assert sorted(AftercarePlan.objects.values_list("revision", "state")) == [(1, "superseded"), (2, "active")]


@pytest.mark.django_db(transaction=True)
def test_many_moves_at_once_lay_out_each_course_once(clinic: Clinic, therapist: Clinician) -> None:
    sessions = [finished(make_patient(clinic=clinic, now=NOON)) for _ in range(3)]
    for session in sessions:
        plan(session)
    version = _publish_later_question(clinic)

    moved = run_at_once([lambda: move_courses(version=version, clinician=therapist, now=NOON)] * 4)

    assert sum(moved) == 3
    for session in sessions:
        assert session.messages.filter(state="scheduled").count() == 4
        assert session.plans.filter(state="active").count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_move_waits_for_the_worker_that_passes_the_commit_point(
    clinic: Clinic, patient: Patient, therapist: Clinician
) -> None:
    session = finished(patient)
    plan(session)
    version = _publish_later_question(clinic)
    claim_due(now=NOON + HOUR)

    with transaction.atomic():
        session.messages.filter(step_key="heat").update(state="sending", attempts=1)
        move = Background(lambda: move_courses(version=version, clinician=therapist, now=NOON + HOUR))
        wait_until_somebody_waits_for_a_lock()

    assert move.finish() == 1
    assert session.messages.get(step_key="heat").state == "sending", "it may have left, so it is not laid out again"
    assert set(waiting(session)) == {"exercise", "otc", "check_in"}


@pytest.mark.django_db(transaction=True)
def test_a_move_and_planning_at_once_leave_one_plan(clinic: Clinic, patient: Patient, therapist: Clinician) -> None:
    session = finished(patient)
    plan(session)
    version = _publish_later_question(clinic)
    correct(session, technique="superficial")

    run_at_once(
        [
            lambda: move_courses(version=version, clinician=therapist, now=NOON),
            lambda: plan(session),
            lambda: move_courses(version=version, clinician=therapist, now=NOON),
            lambda: plan(session),
        ]
    )
    plan(session)

    assert session.plans.filter(state="active").count() == 1
    assert session.messages.filter(state="scheduled").count() == 4
