"""What staff do with a case: put it aside, hand it over, tell the patient who calls, look at the number."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from reminders.clinic.models import AuditEvent, Clinic, Clinician, Patient
from reminders.clinic.phones import format_phone
from reminders.core.states import Severity
from reminders.escalations.models import Escalation
from reminders.escalations.services import raise_escalation
from reminders.insights.figures import read_figures
from reminders.messaging.models import Message
from tests import factories
from tests.console.conftest import LogIn
from tests.factories import Staff


@pytest.fixture
def case(patient: Patient) -> Escalation:
    """An urgent case: a danger sign."""
    return factories.make_escalation(patient=patient, severity="urgent", reason="red_flag")


@pytest.fixture
def sore(patient: Patient) -> Escalation:
    """A routine case: still sore."""
    return factories.make_escalation(patient=patient, severity="routine")


def _page(client: Client, case: Escalation) -> str:
    return client.get(f"/escalations/{case.pk}/").content.decode()


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


def test_a_case_put_aside_on_purpose_rings_no_alarm_until_it_is_back(therapist: Client, sore: Escalation) -> None:
    now = datetime.now(UTC)
    Escalation.objects.filter(pk=sore.pk).update(due_at=now - timedelta(hours=1))
    assert read_figures(now=now).overdue_cases == 1

    therapist.post(f"/escalations/{sore.pk}/aside/", {"when": "three_hours"})

    assert read_figures(now=now).overdue_cases == 0
    assert read_figures(now=now + timedelta(hours=4)).overdue_cases == 1


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
