"""The brief of one case, taking it and closing it."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from reminders.clinic.models import Clinic, Patient
from reminders.escalations.models import Escalation
from tests import factories
from tests.console.conftest import LogIn
from tests.factories import Staff


@pytest.fixture
def case(patient: Patient, staff: Staff) -> Escalation:
    """A danger sign after needling near the chest."""
    session = factories.make_treatment_session(
        patient=patient, clinician=staff.therapist, regions=["upper_back"], soreness_before=6, soreness_after=4
    )
    factories.make_plan(treatment_session=session, states={"heat": "delivered"})
    reply = factories.make_inbound(
        patient=patient,
        body="a 2 but struggling to get air",
        intent="red_flag",
        score=2,
        flags=["breathing"],
        because=[("breathing:short_of_breath", "struggling to get air")],
    )
    return factories.make_escalation(
        patient=patient, severity="urgent", reason="red_flag", treatment_session=session, inbound=reply
    )


def _page(client: Client, case: Escalation) -> str:
    return client.get(f"/escalations/{case.pk}/").content.decode()


def test_the_brief_has_all_that_is_needed_for_the_call(therapist: Client, case: Escalation, patient: Patient) -> None:
    page = _page(therapist, case)

    for words in (
        patient.display_name,
        "Deep dry needling, upper back",
        "Theo Tran",
        "Soreness 6 before, 4 after",
        "<b>2 of 10</b> now",
        "<mark",
        "breathing, short of breath",
        "Nothing to report",
        "Heat advice",
        "Delivered",
        "call 911 now",
        "The needles were near the chest.",
    ):
        assert words in page, words
    assert f'href="tel:{factories.phone_of(patient)}"' in page


def test_the_answer_that_left_at_once_stands_among_the_texts(
    therapist: Client, case: Escalation, patient: Patient
) -> None:
    factories.make_message(
        patient=patient, kind="emergency", state="sent", body="Call 911 now.", in_reply_to=case.inbound
    )

    assert "Call 911 now." in _page(therapist, case)


def test_taking_a_case_makes_it_yours(therapist: Client, case: Escalation, staff: Staff) -> None:
    response = therapist.post(f"/escalations/{case.pk}/acknowledge/", follow=True)

    case.refresh_from_db()
    assert (case.state, case.owner, case.acknowledged_via) == ("acknowledged", staff.therapist, "page")
    assert "It is in your hands." in response.content.decode()
    assert "Theo Tran took it on the page." in response.content.decode()


def test_who_comes_second_is_told_who_was_faster(
    therapist: Client, case: Escalation, staff: Staff, log_in: LogIn
) -> None:
    log_in(staff.owner).post(f"/escalations/{case.pk}/acknowledge/")

    response = therapist.post(f"/escalations/{case.pk}/acknowledge/", follow=True)

    assert "Olivia Okafor was faster and has this case." in response.content.decode()


def test_closing_needs_an_outcome_and_says_so_beside_the_field(therapist: Client, case: Escalation) -> None:
    response = therapist.post(f"/escalations/{case.pk}/resolve/", {"note": "Called her."})

    page = response.content.decode()
    assert response.status_code == 422
    assert page.count("Choose how it ended.") == 2, "in the summary and at the field"
    assert 'href="#id_outcome' in page
    assert "Called her." in page, "what was typed is kept"
    case.refresh_from_db()
    assert case.state == "open"


def test_a_closed_case_shows_its_outcome_and_note(therapist: Client, case: Escalation, staff: Staff) -> None:
    answer = {"outcome": "emergency", "note": "Went to the ER.\nSister drives."}

    page = therapist.post(f"/escalations/{case.pk}/resolve/", answer, follow=True).content.decode()

    case.refresh_from_db()
    assert (case.state, case.outcome, case.resolved_by) == ("resolved", "emergency", staff.therapist)
    assert "Sent to emergency care" in page
    assert "Sister drives." in page
    assert "Close with this outcome" not in page


def test_a_silent_patients_case_has_its_own_script(therapist: Client, patient: Patient) -> None:
    plan = factories.make_plan(treatment_session=factories.make_treatment_session(patient=patient))
    check_in = factories.make_check_in(plan=plan, state="silent", outcome="silent", silent_cause="no_receipt")
    case = factories.make_escalation(
        patient=patient, severity="routine", reason="silence", check_in=check_in,
        treatment_session=plan.treatment_session,
    )  # fmt: skip

    page = _page(therapist, case)

    assert "No answer came." in page
    assert "Do our texts arrive?" in page


def test_earlier_answers_of_the_patient_stand_beside_the_number(
    therapist: Client, clinic: Clinic, patient: Patient, case: Escalation
) -> None:
    older = factories.make_plan(treatment_session=factories.make_treatment_session(patient=patient))
    check_in = factories.make_check_in(plan=older, state="answered", outcome="resolved", score=1)
    type(check_in).objects.filter(pk=check_in.pk).update(answered_at=case.created_at.replace(year=2025))

    assert "1 of 10 on" in _page(therapist, case)


def test_soreness_stands_against_the_curve_and_earlier_sessions(
    therapist: Client, patient: Patient, staff: Staff
) -> None:
    now = datetime.now(UTC)
    for days, hours, score in ((21, 24, 4), (2, 40, 7)):
        session = factories.make_treatment_session(patient=patient, ended_at=now - timedelta(days=days))
        plan = factories.make_plan(treatment_session=session)
        at = session.ended_at + timedelta(hours=hours)
        check_in = factories.make_check_in(
            plan=plan, state="answered", outcome="persists", score=score, now=at, answered_at=at
        )
    version = plan.protocol_version
    version.thresholds = {
        "persists_score": 4, "same_day_score": 7, "meaningful_change": 2, "silent_after_minutes": 600,
        "reply_window_minutes": 900, "clarify_limit": 1, "recheck_limit": 1,
        "expected": [{"from_hours": 36, "at_most": 5}, {"from_hours": 60, "at_most": 3}],
    }  # fmt: skip
    type(version).objects.filter(pk=version.pk).update(thresholds=version.thresholds)
    case = factories.make_escalation(patient=patient, check_in=check_in, treatment_session=session)

    page = _page(therapist, case)

    assert "7 of 10, 40 hours after the session; more than the 5 expected by then. At most 4 after the earlier" in page
    assert 'class="chart-expected"' in page
    table = page.split('class="chart-table"')[1].split("</table>")[0]
    assert "at most 5, so this is more" in table
    assert "<td>24 h</td><td>4</td>" in table
    assert "at most 5 from hour 36 on, at most 3 from hour 60 on." in page


def test_the_brief_says_why_today_and_what_to_think_of(therapist: Client, case: Escalation) -> None:
    details = {"grounds": ["above_expected"], "consider": "superficial_next_time"}
    Escalation.objects.filter(pk=case.pk).update(details=details)

    page = _page(therapist, case)

    assert "More than expected after this technique" in page
    assert "superficial technique next time?" in page


@pytest.mark.parametrize("rows", [1, 12])
def test_the_brief_costs_the_same_queries_whatever_happened_before(
    therapist: Client, patient: Patient, staff: Staff, rows: int, django_assert_max_num_queries: object
) -> None:
    now = datetime.now(UTC)
    for number in range(rows):
        session = factories.make_treatment_session(patient=patient, ended_at=now - timedelta(days=rows - number))
        at = session.ended_at + timedelta(hours=1)
        check_in = factories.make_check_in(
            plan=factories.make_plan(treatment_session=session),
            state="answered", outcome="persists", score=5, now=at, answered_at=at,
        )  # fmt: skip
    case = factories.make_escalation(
        patient=patient, check_in=check_in, treatment_session=session,
        inbound=factories.make_inbound(patient=patient, intent="persists", score=5),
    )  # fmt: skip
    therapist.post(f"/escalations/{case.pk}/acknowledge/")
    for number in range(rows):
        to = staff.owner if number % 2 == 0 else staff.therapist
        therapist.post(f"/escalations/{case.pk}/hand-over/", {"to": to.pk})

    with django_assert_max_num_queries(22):  # type: ignore[operator]
        therapist.get(f"/escalations/{case.pk}/")
