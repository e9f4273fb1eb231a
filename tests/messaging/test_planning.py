"""From a finished session to dated texts, with the clinic's real words and protocol."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from reminders.clinic.consent import revoke_consent
from reminders.clinic.models import AuditEvent, Clinic, Patient, PatientPhone, TreatmentSession
from reminders.clinic.services import void_treatment_session
from reminders.content.errors import MissingProtocolError, MissingTextError
from reminders.content.models import Protocol, Template
from reminders.content.services import load_starters
from reminders.messaging.cancelling import withhold_advice
from reminders.messaging.errors import NoSenderError
from reminders.messaging.models import AftercarePlan
from reminders.messaging.outbox import claim_due
from reminders.messaging.planning import plan_aftercare
from reminders.messaging.sweeps import PLAN_AFTER, unplanned
from tests.factories import NOTHING_TO_REPORT, make_clinic, make_patient, make_treatment_session, phone_of
from tests.messaging.conftest import NOON
from tests.messaging.threads import Background, run_at_once, wait_until_somebody_waits_for_a_lock

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def clinic() -> Clinic:
    """A clinic with the starter texts and protocol."""
    clinic = make_clinic(name="Northside Physio")
    clinic.senders.update(parts_per_second=1000)
    load_starters(clinic=clinic, now=NOON - timedelta(days=30))
    return clinic


def finished(patient: Patient, *, ended_at: datetime = NOON, **fields: Any) -> TreatmentSession:
    """A session that ended just now."""
    return make_treatment_session(patient=patient, ended_at=ended_at, now=ended_at, **fields)


def plan(session: TreatmentSession, *, now: datetime = NOON) -> int:
    """Lay out its plan."""
    return plan_aftercare(treatment_session_id=session.pk, now=now)


def correct(session: TreatmentSession, **fields: Any) -> None:
    """Change the facts as a correction does: the revision rises."""
    TreatmentSession.objects.filter(pk=session.pk).update(revision=session.revision + 1, **fields)
    session.refresh_from_db()


def lines(session: TreatmentSession) -> list[tuple[str, str, str]]:
    """Step, state and reason of every text of a session, oldest row first."""
    return list(session.messages.order_by("id").values_list("step_key", "state", "reason"))


def waiting(session: TreatmentSession) -> dict[str, str]:
    """When each waiting text is due, in Chicago."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT step_key, to_char(due_at AT TIME ZONE 'America/Chicago', 'DD HH24:MI') FROM reminders_message "
            "WHERE treatment_session_id = %s AND state = 'scheduled' ORDER BY due_at",
            [session.pk],
        )
        return dict(cursor.fetchall())


def test_a_noon_session_becomes_three_texts_today_and_a_question_tomorrow(patient: Patient) -> None:
    session = finished(patient)

    assert plan(session) == 4

    assert waiting(session) == {"heat": "13 13:00", "exercise": "13 16:00", "otc": "13 18:00", "check_in": "14 12:00"}
    heat = session.messages.get(step_key="heat")
    assert (heat.kind, heat.priority, heat.consent_rule, heat.quiet_exempt) == ("advice", 3, "granted", False)
    assert (heat.to_number, heat.sender) == (phone_of(patient), patient.clinic.senders.get())
    assert (heat.first_due_at, heat.expires_at) == (NOON + HOUR, NOON + 13 * HOUR)
    assert session.messages.get(step_key="check_in").expires_at == NOON + 24 * HOUR + 900 * MINUTE
    assert AuditEvent.objects.get(verb="planned").details["messages"] == 4


def test_only_the_first_text_names_the_clinic_and_says_how_to_stop(patient: Patient) -> None:
    session = finished(patient)
    plan(session)

    first, *others = session.messages.order_by("due_at").values_list("body", flat=True)

    assert "Northside Physio" in first
    assert "STOP" in first
    assert not any("STOP" in body for body in others)


def test_an_evening_session_waits_for_the_morning_in_order_and_drops_what_that_makes_stale(patient: Patient) -> None:
    evening = datetime(2026, 5, 14, 0, 30, tzinfo=UTC)  # 19:30 in Chicago
    session = finished(patient, ended_at=evening)

    assert plan(session, now=evening) == 4

    assert waiting(session) == {"exercise": "14 09:00", "otc": "14 09:10", "check_in": "14 19:30"}
    assert ("heat", "expired", "expired") in lines(session)


def test_a_question_outlasts_the_longest_night(patient: Patient) -> None:
    just_after_eight = datetime(2026, 10, 31, 1, 1, tzinfo=UTC)  # 20:01; the next night has 14 hours
    session = finished(patient, ended_at=just_after_eight)

    plan(session, now=just_after_eight)

    assert waiting(session)["check_in"] == "01 09:00"


def test_a_step_that_skips_quiet_hours_is_kept_with_its_reason(clinic: Clinic, patient: Patient) -> None:
    published = Protocol.objects.get(clinic=clinic).published
    assert published is not None
    published.steps.filter(key="heat").update(when_quiet="skip")
    session = finished(patient, ended_at=NOON + 8 * HOUR)

    plan(session, now=NOON + 8 * HOUR)

    assert ("heat", "suppressed", "quiet_hours") in lines(session)


def test_a_session_entered_late_catches_up_without_a_flood(patient: Patient) -> None:
    session = finished(patient, ended_at=NOON - 4 * HOUR)

    plan(session, now=NOON)

    assert waiting(session) == {"heat": "13 12:00", "exercise": "13 12:10", "otc": "13 14:00", "check_in": "14 09:00"}
    assert session.messages.get(step_key="heat").first_due_at == NOON - 3 * HOUR


def test_a_session_entered_two_days_late_is_all_stale(patient: Patient) -> None:
    session = finished(patient, ended_at=NOON - 48 * HOUR)

    assert plan(session) == 4
    assert {state for _, state, _ in lines(session)} == {"expired"}


def test_the_patients_language_decides_the_words(clinic: Clinic) -> None:
    patient = make_patient(clinic=clinic, language="es", now=NOON)
    session = finished(patient)
    plan(session)

    check_in = session.messages.get(step_key="check_in")
    assert check_in.language == "es"
    assert check_in.template_version is not None
    assert check_in.template_version.template.language == "es"
    assert "0" in check_in.body
    assert "10" in check_in.body


@pytest.mark.parametrize(
    ("answers", "named", "not_named"),
    [
        (NOTHING_TO_REPORT, "warm", ""),
        ({**NOTHING_TO_REPORT, "reduced_sensation": True}, "", "warm"),
        (None, "", "buprofen"),
        ({**NOTHING_TO_REPORT, "anticoagulant": True}, "", "buprofen"),
    ],
)
def test_the_screening_decides_what_is_advised(
    clinic: Clinic, answers: dict[str, bool | None] | None, named: str, not_named: str
) -> None:
    session = finished(make_patient(clinic=clinic, screening=answers, now=NOON))
    plan(session)

    words = " ".join(session.messages.values_list("body", flat=True)).lower()
    assert named in words
    assert not not_named or not_named not in words


def test_the_words_are_those_of_the_day_it_was_planned(clinic: Clinic, patient: Patient) -> None:
    session = finished(patient)
    plan(session)
    before = session.messages.get(step_key="heat").body

    Template.objects.get(clinic=clinic, key="advice_heat", language="en").versions.create(
        clinic=clinic, number=99, body="other words", created_at=NOON, published_at=NOON
    )

    assert session.messages.get(step_key="heat").body == before


def test_an_opted_out_patient_gets_a_plan_that_sends_nothing(patient: Patient) -> None:
    revoke_consent(clinic=patient.clinic, number=phone_of(patient), method="keyword_stop", now=NOON)
    session = finished(patient)

    assert plan(session) == 4
    assert {(state, reason) for _, state, reason in lines(session)} == {("suppressed", "opted_out")}


@pytest.mark.parametrize(
    ("phone_state", "state"), [("dead", "suppressed"), ("landline", "suppressed"), ("unreachable", "scheduled")]
)
def test_a_phone_that_cannot_be_texted_is_not_texted(patient: Patient, phone_state: str, state: str) -> None:
    PatientPhone.objects.filter(patient=patient).update(state=phone_state)
    session = finished(patient)
    plan(session)

    assert {(found, reason) for _, found, reason in lines(session)} == {
        (state, f"phone_{phone_state}" if state == "suppressed" else "")
    }


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
