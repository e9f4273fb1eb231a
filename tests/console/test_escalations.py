"""The brief of one case, taking it and closing it."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from reminders.clinic.models import AuditEvent, Clinic, Clinician, Patient
from reminders.clinic.phones import format_phone
from reminders.core.states import Severity
from reminders.escalations.models import Escalation
from reminders.escalations.services import raise_escalation
from reminders.messaging.models import Message
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


@pytest.fixture
def sore(patient: Patient) -> Escalation:
    """A routine case: still sore."""
    return factories.make_escalation(patient=patient, severity="routine")


def _told(case: Escalation) -> list[str]:
    """What the patient of a case was told by text, in the order it was written."""
    return list(Message.objects.filter(escalation=case, clinician=None).order_by("id").values_list("body", flat=True))


def test_an_urgent_case_cannot_be_put_aside_and_the_page_says_why(therapist: Client, case: Escalation) -> None:
    assert "An urgent case cannot be put aside: somebody has to look at it now." in _page(therapist, case)

    response = therapist.post(f"/escalations/{case.pk}/aside/", {"when": "hour"}, follow=True)

    case.refresh_from_db()
    assert case.snoozed_until is None
    assert "An urgent case cannot be put aside" in response.content.decode()


def test_a_same_day_case_is_put_aside_only_by_who_took_it(therapist: Client, patient: Patient) -> None:
    case = factories.make_escalation(patient=patient, severity="same_day")
    assert "Take this case before you put it aside" in _page(therapist, case)
    therapist.post(f"/escalations/{case.pk}/aside/", {"when": "hour"})
    assert not AuditEvent.objects.filter(verb="put_aside").exists()

    therapist.post(f"/escalations/{case.pk}/acknowledge/")
    page = therapist.post(f"/escalations/{case.pk}/aside/", {"when": "hour"}, follow=True).content.decode()

    case.refresh_from_db()
    assert case.snoozed_until is not None
    assert "Theo Tran put it aside until" in page
    assert AuditEvent.objects.get(verb="put_aside").subject_id == case.pk


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ({}, "Choose until when."),
        ({"when": "chosen"}, "Give the day and the hour."),
        ({"when": "chosen", "until": "2020-01-01T09:00"}, "Choose a time to come, within the next 14 days."),
        ({"when": "chosen", "until": "2999-01-01T09:00"}, "Choose a time to come, within the next 14 days."),
    ],
)
def test_a_time_that_is_none_is_asked_for_again_beside_its_field(
    therapist: Client, sore: Escalation, answer: dict[str, str], sentence: str
) -> None:
    response = therapist.post(f"/escalations/{sore.pk}/aside/", answer)

    assert response.status_code == 422
    assert response.content.decode().count(sentence) == 2
    sore.refresh_from_db()
    assert sore.snoozed_until is None


def test_a_chosen_hour_is_the_clinics_own(therapist: Client, sore: Escalation, clinic: Clinic) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date()

    therapist.post(f"/escalations/{sore.pk}/aside/", {"when": "chosen", "until": f"{tomorrow}T15:30"})

    sore.refresh_from_db()
    assert sore.snoozed_until is not None
    assert f"{tomorrow}T15:30" in _page(therapist, sore), f"as read in {clinic.timezone}"


def test_news_from_the_patient_brings_a_case_back_at_once(
    therapist: Client, sore: Escalation, patient: Patient
) -> None:
    therapist.post(f"/escalations/{sore.pk}/aside/", {"when": "three_hours"})
    news = factories.make_inbound(patient=patient, body="now an 8", intent="persists", score=8)

    raise_escalation(
        clinic=patient.clinic, patient=patient, reason="persists", severity=Severity.URGENT,
        inbound_id=news.pk, now=datetime.now(UTC),
    )  # fmt: skip

    sore.refresh_from_db()
    assert (sore.snoozed_until, sore.severity) == (None, "urgent")
    assert "It came back, because there is news." in _page(therapist, sore)


def test_a_case_goes_to_a_colleague_who_hears_of_it(
    therapist: Client, case: Escalation, staff: Staff, log_in: LogIn
) -> None:
    therapist.post(f"/escalations/{case.pk}/acknowledge/")

    page = therapist.post(f"/escalations/{case.pk}/hand-over/", {"to": staff.front_desk.pk}, follow=True)

    case.refresh_from_db()
    assert (case.owner, case.handed_over_by) == (staff.front_desk, staff.therapist)
    assert "Theo Tran handed it to Fran Fields." in page.content.decode()
    assert Message.objects.get(escalation=case, clinician=staff.front_desk).kind == "staff_notice"
    assert "In your hands" in _page(log_in(staff.front_desk), case)


def test_a_case_that_nobody_took_is_not_handed_over(therapist: Client, case: Escalation, staff: Staff) -> None:
    therapist.post(f"/escalations/{case.pk}/hand-over/", {"to": staff.owner.pk})

    case.refresh_from_db()
    assert (case.state, case.owner) == ("open", None)


def test_a_case_goes_to_nobody_who_may_not_handle_it(
    therapist: Client, case: Escalation, staff: Staff, stranger: Clinician
) -> None:
    therapist.post(f"/escalations/{case.pk}/acknowledge/")

    for somebody in (staff.viewer, stranger):
        response = therapist.post(f"/escalations/{case.pk}/hand-over/", {"to": somebody.pk})
        assert response.status_code == 422
    case.refresh_from_db()
    assert case.owner == staff.therapist


def test_the_patient_is_told_who_will_call_and_by_when(therapist: Client, sore: Escalation, staff: Staff) -> None:
    therapist.post(f"/escalations/{sore.pk}/acknowledge/", {"tell": "on", "caller": staff.owner.pk, "within": "60"})

    (body,) = _told(sore)
    assert "Olivia Okafor will call you by " in body
    assert "Emergency? Call 911." in body
    page = _page(therapist, sore)
    assert body in page.replace("&amp;", "&")
    assert "Theo Tran told the patient that Olivia Okafor calls by" in page


def test_without_the_tick_only_an_urgent_patient_is_told_and_nothing_is_promised(
    therapist: Client, sore: Escalation, case: Escalation
) -> None:
    for one in (sore, case):
        therapist.post(f"/escalations/{one.pk}/acknowledge/")

    assert _told(sore) == []
    (body,) = _told(case)
    assert "will be in touch" in body


def test_who_took_a_case_by_text_tells_the_patient_later(therapist: Client, sore: Escalation, staff: Staff) -> None:
    assert therapist.post(f"/escalations/{sore.pk}/tell/").status_code == 302
    assert _told(sore) == [], "nobody has it yet"
    therapist.post(f"/escalations/{sore.pk}/acknowledge/")

    therapist.post(f"/escalations/{sore.pk}/tell/", {"caller": staff.therapist.pk, "within": "15"})

    (body,) = _told(sore)
    assert "Theo Tran will call you by " in body


def test_who_opted_out_is_called_and_not_texted(therapist: Client, sore: Escalation, patient: Patient) -> None:
    factories.make_consent(patient=patient, decision="revoked", method="keyword_stop")
    assert "The patient opted out of texts" in _page(therapist, sore)

    therapist.post(f"/escalations/{sore.pk}/acknowledge/", {"tell": "on"})
    response = therapist.post(f"/escalations/{sore.pk}/tell/", follow=True)

    assert _told(sore) == []
    assert "no text may go to this phone" in response.content.decode()


def test_the_number_is_hidden_until_somebody_asks_which_is_on_record(
    therapist: Client, case: Escalation, staff: Staff, patient: Patient, log_in: LogIn
) -> None:
    whole = format_phone(factories.phone_of(patient))
    assert whole not in _page(therapist, case)
    assert "tel:" not in _page(log_in(staff.viewer), case)

    assert whole in therapist.post(f"/escalations/{case.pk}/number/").content.decode()

    assert AuditEvent.objects.get(verb="number_opened").clinician == staff.therapist


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


def test_the_brief_says_why_today_and_what_to_think_of(therapist: Client, sore: Escalation) -> None:
    details = {"grounds": ["above_expected"], "consider": "superficial_next_time"}
    Escalation.objects.filter(pk=sore.pk).update(details=details)

    page = _page(therapist, sore)

    assert "More than expected after this technique" in page
    assert "superficial technique next time?" in page
