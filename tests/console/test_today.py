"""Today: one true sentence, the worklist in its order, and parts that refresh cheaply."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from reminders import clock
from reminders.clinic.models import Clinic, Clinician, Patient
from tests import factories
from tests.console.conftest import LogIn
from tests.factories import Staff

MINUTE = timedelta(minutes=1)


def _page(client: Client) -> str:
    return client.get("/").content.decode()


def _case(clinic: Clinic, name: str, severity: str, minutes: int) -> None:
    patient = factories.make_patient(clinic=clinic, given_name=name, family_name="")
    factories.make_escalation(patient=patient, severity=severity, now=datetime.now(UTC) - minutes * MINUTE)


def test_a_quiet_day_says_so(therapist: Client) -> None:
    assert "Nobody needs you right now." in _page(therapist)


def test_the_sentence_counts_people_and_the_longest_wait(therapist: Client, clinic: Clinic, patient: Patient) -> None:
    _case(clinic, "Ada", "routine", 42)
    _case(clinic, "Ben", "urgent", 3)
    factories.make_escalation(patient=patient, reason="persists")
    factories.make_escalation(patient=patient, reason="red_flag")

    assert "3 patients need you; the oldest has waited 42 min." in _page(therapist)


def test_urgent_comes_first_then_the_oldest(therapist: Client, clinic: Clinic) -> None:
    _case(clinic, "Routine-Old", "routine", 300)
    _case(clinic, "Same-Day", "same_day", 100)
    _case(clinic, "Urgent-New", "urgent", 2)
    _case(clinic, "Urgent-Old", "urgent", 9)

    page = _page(therapist)

    order = sorted(("Urgent-Old", "Urgent-New", "Same-Day", "Routine-Old"), key=page.index)
    assert order == ["Urgent-Old", "Urgent-New", "Same-Day", "Routine-Old"]


def test_a_case_shows_the_words_with_the_deciding_ones_marked(therapist: Client, patient: Patient) -> None:
    reply = factories.make_inbound(
        patient=patient, body="7 <b>& hurts", intent="persists", score=7, because=[("persists:hurts", "hurts")]
    )
    factories.make_escalation(patient=patient, inbound=reply)

    page = _page(therapist)

    assert '7 &lt;b&gt;&amp; <mark title="persists, hurts">hurts</mark>' in page
    assert "Same day" in page


def test_a_taken_case_moves_to_the_hands_that_took_it(
    therapist: Client, staff: Staff, patient: Patient, log_in: LogIn
) -> None:
    case = factories.make_escalation(patient=patient)

    therapist.post(f"/escalations/{case.pk}/acknowledge/")

    assert "Nobody needs you right now." in _page(therapist)
    assert "you took it" in _page(therapist)
    assert "Theo Tran took it" in _page(log_in(staff.owner))


def test_a_case_put_aside_waits_in_its_own_group_and_comes_back_by_itself(
    therapist: Client, staff: Staff, patient: Patient, log_in: LogIn
) -> None:
    case = factories.make_escalation(patient=patient, severity="routine")
    therapist.post(f"/escalations/{case.pk}/aside/", {"when": "hour"})

    assert "Nobody needs you right now." in _page(therapist)
    assert f'id="aside-{case.pk}"' in _page(therapist)

    clock.advance(by=timedelta(minutes=61))

    page = _page(log_in(staff.therapist))
    assert "1 patient needs you" in page
    assert "Time to look again" in page
    assert f'id="aside-{case.pk}"' not in page


def test_a_taken_case_that_comes_back_is_taken_up_again_with_one_press(
    therapist: Client, staff: Staff, patient: Patient, log_in: LogIn
) -> None:
    case = factories.make_escalation(patient=patient, severity="same_day")
    therapist.post(f"/escalations/{case.pk}/acknowledge/")
    therapist.post(f"/escalations/{case.pk}/aside/", {"when": "three_hours"})
    clock.advance(by=timedelta(hours=3, minutes=2))
    therapist = log_in(staff.therapist)
    assert "1 patient needs you; waiting for 2 min." in _page(therapist)

    therapist.post(f"/escalations/{case.pk}/back/")

    assert "Nobody needs you right now." in _page(therapist)
    assert "you took it" in _page(therapist)


def test_a_case_handed_over_is_seen_by_the_colleague(
    therapist: Client, staff: Staff, patient: Patient, log_in: LogIn
) -> None:
    case = factories.make_escalation(patient=patient)
    therapist.post(f"/escalations/{case.pk}/acknowledge/")

    therapist.post(f"/escalations/{case.pk}/hand-over/", {"to": staff.owner.pk})

    assert "Theo Tran handed it to you" in _page(log_in(staff.owner))
    assert "you handed it to Olivia Okafor" in _page(therapist)


def test_a_danger_sign_from_an_unknown_number_is_shown(therapist: Client, clinic: Clinic) -> None:
    text = factories.make_inbound(clinic=clinic, body="cant breathe", intent="red_flag", flags=["breathing"])
    case = factories.make_escalation(patient=factories.make_patient(clinic=clinic), inbound=text, severity="urgent")
    type(case).objects.filter(pk=case.pk).update(patient=None)

    assert "Unknown number" in _page(therapist)
    assert therapist.get(f"/escalations/{case.pk}/").status_code == 200


def test_check_ins_are_counted_by_where_they_stand(therapist: Client, clinic: Clinic) -> None:
    plans = [
        factories.make_plan(
            treatment_session=factories.make_treatment_session(patient=factories.make_patient(clinic=clinic))
        )
        for _ in range(2)
    ]
    factories.make_check_in(plan=plans[0])
    factories.make_check_in(plan=plans[1], state="silent", outcome="silent", silent_cause="not_delivered")

    page = _page(therapist)

    assert "<dt>waiting</dt><dd>1</dd>" in page
    assert "<dt>silent</dt><dd>1</dd>" in page
    assert "The text did not arrive." in page


def test_silence_is_counted_by_its_cause(therapist: Client, clinic: Clinic) -> None:
    for cause in ("not_delivered", "not_delivered", "delivered_but_quiet"):
        session = factories.make_treatment_session(patient=factories.make_patient(clinic=clinic))
        factories.make_check_in(
            plan=factories.make_plan(treatment_session=session), state="silent", outcome="silent", silent_cause=cause
        )

    page = _page(therapist)

    assert page.index("2 silent: The text did not arrive.") < page.index("1 silent: The text arrived; no answer came.")
    assert "<dt>silent</dt><dd>3</dd>" in page


def test_what_patients_missed_is_counted_and_leads_to_the_register(therapist: Client, patient: Patient) -> None:
    assert "that patients missed" not in _page(therapist)
    factories.make_message(patient=patient, kind="advice", state="expired", reason="expired")
    factories.make_message(patient=patient, kind="advice", state="suppressed", reason="quiet_hours")
    factories.make_message(patient=patient, kind="advice", state="cancelled", reason="answered")

    page = _page(therapist)

    assert "2 texts that patients missed" in page
    register = therapist.get("/delivery/?days=7").content.decode()
    assert 'id="missed"' in register
    assert "Missed by patients" in register


def test_trouble_names_its_cause_and_the_next_step(therapist: Client, patient: Patient) -> None:
    factories.make_message(patient=patient, kind="advice", state="undelivered", reason="number_cannot_text")

    page = _page(therapist)

    assert "The number is a landline." in page
    assert "Ask for a mobile number, or call instead." in page


def test_a_text_that_was_read_leaves_the_inbox(therapist: Client, patient: Patient) -> None:
    text = factories.make_inbound(patient=patient, body="Can I swim?", inbox="open", inbox_reason="question")
    assert "Can I swim?" in _page(therapist)

    therapist.post(f"/inbox/{text.pk}/done/")

    assert "Can I swim?" not in _page(therapist)


def test_nothing_new_costs_no_body(therapist: Client, patient: Patient) -> None:
    factories.make_inbound(patient=patient, body="Can I swim?", inbox="open", inbox_reason="question")
    page = _page(therapist)
    tag = page.split("hx-headers='")[1].split("'")[0].split('\\"')[1]

    unchanged = therapist.get("/today/live/", headers={"If-None-Match": f'"{tag}"'})
    factories.make_escalation(patient=patient)
    changed = therapist.get("/today/live/", headers={"If-None-Match": f'"{tag}"'})

    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert b"1 patient needs you" in changed.content
    assert b"<title>(1) Today" in changed.content


def test_another_clinics_day_is_not_shown(log_in: LogIn, stranger: Clinician, patient: Patient) -> None:
    factories.make_escalation(patient=patient)
    factories.make_inbound(patient=patient, body="Can I swim?", inbox="open")
    factories.make_message(patient=patient, state="failed")

    page = _page(log_in(stranger))

    assert "Nobody needs you right now." in page
    assert patient.display_name not in page


@pytest.mark.parametrize("rows", [1, 12])
def test_the_page_costs_the_same_queries_for_any_number_of_rows(
    therapist: Client, clinic: Clinic, rows: int, django_assert_max_num_queries: object
) -> None:
    for number in range(rows):
        patient = factories.make_patient(clinic=clinic, given_name=f"P{number}")
        plan = factories.make_plan(treatment_session=factories.make_treatment_session(patient=patient))
        answer = factories.make_inbound(patient=patient, intent="persists", score=7, inbox="open")
        check_in = factories.make_check_in(
            plan=plan, state="answered", outcome="persists", answer=answer, answered_at=datetime.now(UTC)
        )
        factories.make_escalation(patient=patient, check_in=check_in, treatment_session=plan.treatment_session)
        factories.make_message(patient=patient, state="failed")

    with django_assert_max_num_queries(18):  # type: ignore[operator]
        therapist.get("/")
