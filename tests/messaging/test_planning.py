"""From a finished session to dated texts, with the clinic's real words and protocol."""

from datetime import UTC, datetime

import pytest

from reminders.clinic.consent import revoke_consent
from reminders.clinic.models import AuditEvent, Clinic, Patient, PatientPhone
from reminders.content.models import Protocol, Template
from tests.factories import NOTHING_TO_REPORT, make_patient, phone_of
from tests.messaging.conftest import NOON
from tests.messaging.plans import HOUR, MINUTE, finished, lines, plan, ready_clinic, waiting

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic() -> Clinic:
    """A clinic with the starter texts and protocol."""
    return ready_clinic()


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
