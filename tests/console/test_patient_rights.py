"""What a patient may ask for: a yes or a no to texts on record, and all that is held on them."""

import json
import re

import pytest
from django.test import Client

from reminders import clock
from reminders.clinic.consent import newest_decision, revoke_consent
from reminders.clinic.models import AuditEvent, Clinic, Patient
from tests import factories
from tests.console.conftest import LogIn
from tests.factories import Staff


def _address(patient: Patient) -> str:
    return f"/phones/{patient.phones.get().pk}/consent/"


def _form(client: Client, patient: Patient, **said: str) -> dict[str, str]:
    """The form as the page gives it out, with what was chosen."""
    sealed = re.search(r'name="shown_words" value="([^"]+)"', client.get(_address(patient)).content.decode())
    assert sealed is not None
    return {"shown_words": sealed[1], **said}


@pytest.fixture
def unasked(clinic: Clinic) -> Patient:
    return factories.make_patient(clinic=clinic, consented=False, language="es")


def test_a_yes_is_kept_with_how_it_was_said_and_the_words_it_was_said_to(
    therapist: Client, unasked: Patient, staff: Staff
) -> None:
    form = _form(therapist, unasked, decision="granted", method="verbal", heard="on")

    assert therapist.post(_address(unasked), form)["Location"] == f"/patients/{unasked.pk}/"

    decision = newest_decision(unasked.clinic, unasked.phones.get().number)
    assert decision is not None
    assert (decision.decision, decision.method, decision.recorded_by_id) == ("granted", "verbal", staff.therapist.pk)
    assert "Acepto" in decision.disclosure, "the words in the language the patient reads"


def test_a_yes_without_the_words_is_not_taken(therapist: Client, unasked: Patient) -> None:
    refused = therapist.post(_address(unasked), _form(therapist, unasked, decision="granted", method="verbal"))

    assert refused.status_code == 422
    assert "Read the words to the patient first" in refused.content.decode()
    assert newest_decision(unasked.clinic, unasked.phones.get().number) is None


def test_words_we_did_not_show_are_not_kept(therapist: Client, unasked: Patient) -> None:
    form = {"shown_words": "forged", "decision": "granted", "method": "verbal", "heard": "on"}

    assert therapist.post(_address(unasked), form).status_code == 422
    assert newest_decision(unasked.clinic, unasked.phones.get().number) is None


def test_a_no_takes_back_what_is_planned(therapist: Client, patient: Patient) -> None:
    planned = factories.make_message(patient=patient)

    therapist.post(_address(patient), _form(therapist, patient, decision="revoked", method="verbal"))

    planned.refresh_from_db()
    assert (planned.state, planned.reason) == ("suppressed", "opted_out")


def test_staff_do_not_take_back_a_stop_by_text(therapist: Client, patient: Patient) -> None:
    number = patient.phones.get().number
    revoke_consent(clinic=patient.clinic, number=number, method="keyword_stop", now=clock.now(), patient=patient)

    form = _form(therapist, patient, decision="granted", method="paper_form", heard="on")
    refused = therapist.post(_address(patient), form)

    assert refused.status_code == 422
    assert "only a START from their phone" in refused.content.decode()


def test_all_that_is_held_is_one_file_and_the_saving_is_on_record(
    therapist: Client, patient: Patient, clinic: Clinic
) -> None:
    plan = factories.make_plan(treatment_session=factories.make_treatment_session(patient=patient))
    factories.make_check_in(plan=plan)
    factories.make_inbound(patient=patient, body="still sore, a 6", intent="persists", score=6)
    factories.make_escalation(patient=patient)
    somebody = factories.make_patient(clinic=clinic, given_name="Unrelated")
    factories.make_inbound(patient=somebody, body="not hers")

    answer = therapist.post(f"/patients/{patient.pk}/file/")

    held = json.loads(answer.content)
    assert "attachment" in answer["Content-Disposition"]
    assert [name for name, rows in held.items() if not rows] == ["delivery_attempts", "pictures", "audit"]
    assert [row["body"] for row in held["replies"]] == ["still sore, a 6"]
    assert held["phones"][0]["number"] == patient.phones.get().number
    assert "Unrelated" not in answer.content.decode()
    assert "not hers" not in answer.content.decode()
    assert AuditEvent.objects.filter(verb="exported_patient", patient=patient).count() == 1


def test_a_front_desk_records_consent_but_does_not_save_files(staff: Staff, log_in: LogIn, patient: Patient) -> None:
    desk = log_in(staff.front_desk)

    assert desk.get(_address(patient)).status_code == 200
    assert desk.post(f"/patients/{patient.pk}/file/").status_code == 403
    assert "Save all that is held" not in desk.get(f"/patients/{patient.pk}/").content.decode()
