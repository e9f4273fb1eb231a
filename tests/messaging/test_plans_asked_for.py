"""Which task a recorded session leaves behind: one of its own, or one for the whole batch of an import."""

from datetime import timedelta
from typing import Any

import pytest
from pytest_django.fixtures import DjangoCaptureOnCommitCallbacks

from reminders import clock
from reminders.clinic.intake import parse_session
from reminders.clinic.models import AuditEvent, Clinic, TreatmentSession
from reminders.clinic.services import record_treatment_session
from reminders.content.models import Template
from reminders.content.services import load_starters
from reminders.messaging import gathering
from reminders.messaging.gathering import plan_together
from reminders.messaging.tasks import plan_aftercare, plan_sessions
from tests.clinic.intakes import raw_intake
from tests.factories import make_clinic, make_patient, make_treatment_session

pytestmark = pytest.mark.django_db


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What goes to the broker instead."""
    tasks: list[Any] = []
    monkeypatch.setattr(plan_aftercare, "delay", tasks.append)
    monkeypatch.setattr(plan_sessions, "apply_async", lambda args, queue: tasks.append((queue, *args)))
    return tasks


def record(clinic: Clinic, number: int) -> int:
    """Take in one new session of a new patient."""
    now = clock.now()
    raw = raw_intake(
        external_id=f"S-{number}",
        patient_external_id=f"P-{number}",
        phone=f"312 555 01{number:02d}",
        ended_at=(now - timedelta(hours=1)).isoformat(),
    )
    intake = parse_session(raw, clinic=clinic, now=now)
    session, _ = record_treatment_session(clinic=clinic, intake=intake, actor=AuditEvent.Actor.SYSTEM, now=now)
    return session.pk


def test_a_session_of_its_own_is_planned_at_once(
    clinic: Clinic, published: list[Any], django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        session_id = record(clinic, 1)

    assert published == [session_id]


def test_the_sessions_of_an_import_are_planned_by_the_batch(
    clinic: Clinic,
    published: list[Any],
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    monkeypatch.setattr(gathering, "BATCH", 2)
    ids = []
    with plan_together():
        for number in range(5):
            with django_capture_on_commit_callbacks(execute=True):
                ids.append(record(clinic, number))

    assert published == [("tidy", ids[:2]), ("tidy", ids[2:4]), ("tidy", ids[4:])]


def test_an_import_goes_on_without_its_broker(
    clinic: Clinic,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    def fails(args: object, queue: str) -> None:
        raise ConnectionError

    monkeypatch.setattr(plan_sessions, "apply_async", fails)
    with plan_together(), django_capture_on_commit_callbacks(execute=True):
        record(clinic, 1)

    assert TreatmentSession.objects.get().planned_revision == 0, "the sweep plans it"


def test_the_task_of_a_batch_plans_what_can_be_planned() -> None:
    fine, broken = make_clinic(), make_clinic()
    for clinic in (fine, broken):
        load_starters(clinic=clinic, now=clock.now())
    Template.objects.filter(clinic=broken, key="check_in").update(published=None)
    ids = [make_treatment_session(patient=make_patient(clinic=clinic), now=clock.now()).pk for clinic in (fine, broken)]

    assert plan_sessions(ids) == 4
