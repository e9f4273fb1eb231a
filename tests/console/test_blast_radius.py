"""Publishing words while texts with older ones are planned: who is affected, and keeping or changing them."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from reminders import clock
from reminders.clinic.models import AuditEvent, Clinic, Clinician, Patient
from reminders.content.models import Template
from reminders.content.services import publish
from reminders.messaging.models import Message, OutboxRow
from tests import factories
from tests.console.conftest import LogIn

OLD = (
    "{{ clinic_name }}: {% if heat_ok %}Use a heating pad.{% else %}Rest today.{% endif %}"
    "{% if is_first %} Reply STOP to end.{% endif %}"
)
NEW = OLD.replace("Use a heating pad.", "Warmth helps: a heating pad, never on numb skin." + " Rest well." * 9)
ADDRESS = "/templates/advice_heat/en/"


@pytest.fixture
def template(clinic: Clinic) -> Template:
    publish(clinic=clinic, key="advice_heat", language="en", body=OLD, author=None, now=clock.now())
    return Template.objects.get(clinic=clinic, key="advice_heat", language="en")


def _planned(patient: Patient, template: Template, **fields: Any) -> Message:
    plan = factories.make_plan(treatment_session=factories.make_treatment_session(patient=patient))
    return factories.make_message(
        patient=patient,
        plan=plan,
        step_key="warmth",
        template_version=template.published,
        due_at=clock.now() + timedelta(hours=3),
        **{"body": "Old words.", **fields},
    )


def test_publishing_first_shows_whose_planned_texts_carry_older_words(
    therapist: Client, template: Template, patient: Patient
) -> None:
    _planned(patient, template)

    page = therapist.post(ADDRESS, {"body": NEW, "action": "publish"}).content.decode()

    assert "1 planned text carries older words" in page
    assert patient.display_name in page
    assert "Warmth helps" in page.split("<ins>")[1].split("</ins>")[0]
    assert template.versions.filter(published_at__isnull=False).count() == 1, "nothing is published by asking"


def test_without_planned_texts_it_is_published_at_once(therapist: Client, template: Template) -> None:
    assert therapist.post(ADDRESS, {"body": NEW, "action": "publish"}).status_code == 302
    assert template.versions.filter(published_at__isnull=False).count() == 2


def test_kept_texts_keep_their_words(therapist: Client, template: Template, patient: Patient) -> None:
    message = _planned(patient, template)

    assert therapist.post(ADDRESS, {"body": NEW, "action": "publish_keep"}).status_code == 302

    message.refresh_from_db()
    assert (message.body, message.template_version_id) == ("Old words.", template.published_id)
    assert not AuditEvent.objects.filter(verb="moved_planned_texts").exists()


def test_changed_texts_are_worded_for_each_patient_by_the_screening_that_counts_now(
    therapist: Client, template: Template, clinic: Clinic, patient: Patient
) -> None:
    numb = factories.make_patient(clinic=clinic, screening=factories.NOTHING_TO_REPORT | {"reduced_sensation": True})
    warm, cautious = _planned(patient, template, introduces=True), _planned(numb, template)

    therapist.post(ADDRESS, {"body": NEW, "action": "publish_move"})

    for message in (warm, cautious):
        message.refresh_from_db()
        assert message.template_version is not None
        assert message.template_version.number == 2
    assert "Warmth helps" in warm.body
    assert "Reply STOP" in warm.body, "the first text still says how to stop"
    assert "Rest today." in cautious.body
    assert "heating pad" not in cautious.body
    assert warm.segments > 1
    assert OutboxRow.objects.get(pk=warm.pk).segments == warm.segments
    event = AuditEvent.objects.get(verb="moved_planned_texts")
    assert (event.details["moved"], event.details["kept"]) == (2, 0)


def test_what_has_left_or_is_in_a_workers_hands_keeps_its_words(
    therapist: Client, template: Template, patient: Patient
) -> None:
    gone = _planned(patient, template, state="delivered")
    held = _planned(patient, template)
    OutboxRow.objects.filter(pk=held.pk).update(state="claimed")

    therapist.post(ADDRESS, {"body": NEW, "action": "publish_move"})

    for message in (gone, held):
        message.refresh_from_db()
        assert message.body == "Old words."


def test_texts_of_another_clinic_are_not_counted(
    stranger: Clinician, log_in: LogIn, template: Template, patient: Patient
) -> None:
    _planned(patient, template)

    assert log_in(stranger).post(ADDRESS, {"body": NEW, "action": "publish"}).status_code == 302
    assert not Message.objects.filter(body__contains="Warmth").exists()
