"""Publishing a protocol while plans run under the version before: who is reached, and leaving or moving them."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from reminders import clock
from reminders.clinic.models import AuditEvent, Clinic, Clinician, TreatmentSession
from reminders.content.models import Protocol, ProtocolVersion, Template
from reminders.content.services import load_starters
from reminders.messaging.models import AftercarePlan, Message, OutboxRow
from reminders.messaging.planning import plan_aftercare
from tests import factories
from tests.console.conftest import LogIn
from tests.console.sent_forms import fields_of
from tests.factories import Staff

PAGE = "/protocols/dry-needling/"
DRAFT, PUBLISH = f"{PAGE}draft/", f"{PAGE}publish/"
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def starters(clinic: Clinic) -> None:
    load_starters(clinic=clinic, now=clock.now() - timedelta(days=9))


@pytest.fixture
def now() -> datetime:
    return clock.now()


def _course(clinic: Clinic, *, hours_ago: float, now: datetime, family: str = "Reyes") -> TreatmentSession:
    """A treatment whose plan was laid out by the version in force as soon as it ended."""
    patient = factories.make_patient(clinic=clinic, family_name=family, now=now - 30 * HOUR)
    ended_at = now - hours_ago * HOUR
    session = factories.make_treatment_session(patient=patient, ended_at=ended_at, now=ended_at)
    plan_aftercare(treatment_session_id=session.pk, now=ended_at)
    session.refresh_from_db()
    return session


def _keep(client: Client, **changed: Any) -> None:
    typed = fields_of(client.get(DRAFT), action=DRAFT)
    assert client.post(DRAFT, {**typed, **changed, "action": "keep"}).status_code == 302


def _due(session: TreatmentSession, step_key: str) -> datetime | None:
    waiting = session.messages.filter(step_key=step_key, state="scheduled").first()
    return waiting.due_at if waiting else None


def _in_force(clinic: Clinic) -> ProtocolVersion:
    found = Protocol.objects.select_related("published").get(clinic=clinic).published
    assert found is not None
    return found


def test_before_publishing_the_page_says_whose_texts_would_change_and_how(
    therapist: Client, clinic: Clinic, now: datetime
) -> None:
    session = _course(clinic, hours_ago=1, now=now)
    _keep(therapist, **{"step-3-offset": "50 h"})

    page = therapist.get(PUBLISH).content.decode()

    assert "Soreness check-in, due: 24 h becomes 50 h." in page
    assert "1 running plan follows an older version." in page
    assert session.patient.display_name in page
    assert page.count("<del>") >= 1
    assert _in_force(clinic).number == 1, "nothing is published by looking"
    assert session.messages.filter(reason="replanned").count() == 0


def test_left_plans_keep_their_version_and_their_hours(
    therapist: Client, staff: Staff, clinic: Clinic, now: datetime
) -> None:
    session = _course(clinic, hours_ago=1, now=now)
    before = _due(session, "check_in")
    _keep(therapist, **{"step-3-offset": "50 h"})

    form = fields_of(therapist.get(PUBLISH), action=PUBLISH)
    assert form["running"] == ["leave"], "the safe choice stands there already"
    assert therapist.post(PUBLISH, form).status_code == 302

    assert _in_force(clinic).number == 2
    assert _due(session, "check_in") == before
    assert AftercarePlan.objects.get().protocol_version.number == 1
    event = AuditEvent.objects.filter(verb="published", clinician=staff.therapist).get()
    assert event.details["number"] == 2


def test_moved_plans_are_laid_out_anew_and_nothing_that_left_goes_twice(
    therapist: Client, staff: Staff, clinic: Clinic, now: datetime
) -> None:
    session = _course(clinic, hours_ago=1, now=now)
    session.messages.filter(step_key="heat").update(state="delivered", carrier_sid="SM" + "1" * 32)
    _keep(therapist, **{"step-0-offset": "2 h", "step-3-offset": "50 h"})

    form = fields_of(therapist.get(PUBLISH), action=PUBLISH)
    therapist.post(PUBLISH, {**form, "running": "move"})

    assert session.messages.filter(step_key="heat").count() == 1
    assert _due(session, "heat") is None
    due_at = _due(session, "check_in")
    assert due_at is not None
    assert due_at >= session.ended_at + 50 * HOUR
    states = AftercarePlan.objects.order_by("id").values_list("protocol_version__number", "state")
    assert list(states) == [(1, "superseded"), (2, "active")]
    event = AuditEvent.objects.get(verb="moved_plans")
    assert (event.clinician, event.details["moved"], event.details["kept"]) == (staff.therapist, 1, 0)


def test_what_the_page_foretells_is_what_a_move_does(therapist: Client, clinic: Clinic, now: datetime) -> None:
    courses = (("Ash", 0.5), ("Birch", 3), ("Cedar", 9))
    sessions = [_course(clinic, hours_ago=hours, now=now, family=name) for name, hours in courses]
    typed = fields_of(therapist.get(DRAFT), action=DRAFT)
    more = fields_of(therapist.post(DRAFT, {**typed, "action": "add-step"}), action=DRAFT)
    therapist.post(DRAFT, {**more, "step-6-template_key": "advice_heat", "step-6-offset": "30 h", "action": "keep"})

    page = therapist.get(PUBLISH).content.decode()
    told = page.split('class="reached"')[1:]
    therapist.post(PUBLISH, {**fields_of(therapist.get(PUBLISH), action=PUBLISH), "running": "move"})

    for session in sessions:
        mine = next(part for part in told if session.patient.display_name in part)
        new = session.messages.get(step_key="heat_2", state="scheduled")
        assert "Heat advice: new, leaves" in mine
        local = new.due_at.astimezone(ZoneInfo(session.patient.timezone))
        assert f'datetime="{local.isoformat(timespec="seconds")}"' in mine


def test_a_plan_with_an_opt_out_or_a_danger_sign_stays_silent_when_moved(
    therapist: Client, clinic: Clinic, now: datetime
) -> None:
    stopped, danger = (_course(clinic, hours_ago=1, now=now) for _ in range(2))
    factories.make_consent(patient=stopped.patient, decision="revoked")
    stopped.messages.filter(state="scheduled").update(state="suppressed", reason="opted_out")
    factories.make_escalation(patient=danger.patient, treatment_session=danger, reason="red_flag", severity="urgent")
    danger.messages.filter(kind="advice").update(state="cancelled", reason="red_flag")
    _keep(therapist, **{"step-0-offset": "3 h", "step-3-offset": "50 h"})

    therapist.post(PUBLISH, {**fields_of(therapist.get(PUBLISH), action=PUBLISH), "running": "move"})

    assert not stopped.messages.filter(state="scheduled").exists()
    assert set(danger.messages.filter(state="scheduled").values_list("kind", flat=True)) == {"check_in"}


def test_a_text_in_a_workers_hands_is_taken_back_or_left_but_never_doubled(
    therapist: Client, clinic: Clinic, now: datetime
) -> None:
    session = _course(clinic, hours_ago=1, now=now)
    sending = session.messages.get(step_key="heat")
    Message.objects.filter(pk=sending.pk).update(state="sending")
    OutboxRow.objects.filter(pk=sending.pk).update(state="sending")
    _keep(therapist, **{"step-0-offset": "2 h"})

    therapist.post(PUBLISH, {**fields_of(therapist.get(PUBLISH), action=PUBLISH), "running": "move"})

    assert session.messages.filter(step_key="heat").count() == 1


def test_plans_that_were_left_can_be_moved_later_and_twice_changes_nothing(
    therapist: Client, clinic: Clinic, now: datetime
) -> None:
    session = _course(clinic, hours_ago=1, now=now)
    _keep(therapist, **{"step-3-offset": "50 h"})
    therapist.post(PUBLISH, fields_of(therapist.get(PUBLISH), action=PUBLISH))

    assert "See the plans that follow an older one" in therapist.get(PAGE).content.decode()
    page = therapist.get(PUBLISH)
    assert "1 running plan follows an older version" in page.content.decode()
    form = fields_of(page, action=PUBLISH)
    therapist.post(PUBLISH, form)
    texts = session.messages.count()
    therapist.post(PUBLISH, form)

    assert session.messages.count() == texts
    assert AftercarePlan.objects.filter(state="active").get().protocol_version.number == 2


def test_a_draft_that_changed_since_it_was_read_is_not_published(
    therapist: Client, staff: Staff, log_in: LogIn, clinic: Clinic
) -> None:
    _keep(therapist, **{"step-0-offset": "2 h"})
    form = fields_of(therapist.get(PUBLISH), action=PUBLISH)
    _keep(log_in(staff.owner), **{"step-0-offset": "5 h"})

    response = therapist.post(PUBLISH, form)

    assert response.status_code == 422
    assert "The draft was changed since this page was opened." in response.content.decode()
    assert _in_force(clinic).number == 1


def test_a_step_without_published_words_keeps_the_protocol_from_being_published(
    therapist: Client, clinic: Clinic
) -> None:
    _keep(therapist, **{"step-0-offset": "2 h"})
    form = fields_of(therapist.get(PUBLISH), action=PUBLISH)
    Template.objects.filter(clinic=clinic, key="advice_heat").update(published=None)

    response = therapist.post(PUBLISH, form)

    assert response.status_code == 422
    assert "Nothing is published" in response.content.decode()
    assert _in_force(clinic).number == 1


def test_a_long_finished_course_is_not_counted(therapist: Client, clinic: Clinic, now: datetime) -> None:
    _course(clinic, hours_ago=90, now=now)
    _keep(therapist, **{"step-0-offset": "2 h"})

    assert "no patient’s plan is under way" in therapist.get(PUBLISH).content.decode()


def test_another_clinics_plans_are_neither_shown_nor_moved(
    therapist: Client, clinic: Clinic, stranger: Clinician, now: datetime
) -> None:
    load_starters(clinic=stranger.clinic, now=now)
    theirs = _course(stranger.clinic, hours_ago=1, now=now)
    _keep(therapist, **{"step-3-offset": "50 h"})

    page = therapist.get(PUBLISH)
    therapist.post(PUBLISH, {**fields_of(page, action=PUBLISH), "running": "move"})

    assert theirs.patient.display_name not in page.content.decode()
    assert AftercarePlan.objects.get(treatment_session=theirs).state == "active"


def test_the_page_asks_as_often_for_many_plans_as_for_one(therapist: Client, clinic: Clinic, now: datetime) -> None:
    _course(clinic, hours_ago=1, now=now)
    _keep(therapist, **{"step-3-offset": "50 h"})
    therapist.get(PUBLISH)
    with CaptureQueriesContext(connection) as few:
        therapist.get(PUBLISH)
    for number in range(12):
        _course(clinic, hours_ago=1 + number / 10, now=now)

    with CaptureQueriesContext(connection) as many:
        page = therapist.get(PUBLISH).content.decode()

    assert "13 running plans follow an older version." in page
    assert len(many) == len(few)


def test_a_front_desk_does_not_publish(staff: Staff, log_in: LogIn) -> None:
    assert log_in(staff.front_desk).post(PUBLISH, {"running": "move"}).status_code == 403
