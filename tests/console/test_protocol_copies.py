"""A protocol beside the default one: copied, published, and used after techniques of its own."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from reminders import clock
from reminders.clinic.models import AuditEvent, Clinic, Clinician, TreatmentSession
from reminders.content.models import Protocol, RehearsalCheck
from reminders.content.services import load_starters
from reminders.messaging.models import AftercarePlan
from reminders.messaging.planning import plan_aftercare
from tests import factories
from tests.console.conftest import LogIn
from tests.console.sent_forms import fields_of
from tests.factories import Staff

COPY = "/protocols/dry-needling/copy/"
OWN = "/protocols/electro-needling/"


@pytest.fixture(autouse=True)
def starters(clinic: Clinic) -> None:
    load_starters(clinic=clinic, now=clock.now() - timedelta(days=9))


def _keep(client: Client, page: str, **changed: Any) -> None:
    typed = fields_of(client.get(f"{page}draft/"), action=f"{page}draft/")
    assert client.post(f"{page}draft/", {**typed, **changed, "action": "keep"}).status_code == 302


def _publish(client: Client, page: str, **chosen: Any) -> None:
    form = fields_of(client.get(f"{page}publish/"), action=f"{page}publish/")
    assert client.post(f"{page}publish/", {**form, **chosen}).status_code == 302


@pytest.fixture
def electro(therapist: Client) -> Protocol:
    """A published copy with another hour for heat, used after nothing yet."""
    therapist.post(COPY, {"name": "Electro needling"})
    _keep(therapist, OWN, **{"step-0-offset": "2 h"})
    _publish(therapist, OWN)
    return Protocol.objects.get(key="electro-needling")


def _planned(clinic: Clinic, technique: str, *, ended_at: datetime | None = None) -> TreatmentSession:
    now = ended_at or clock.now()
    patient = factories.make_patient(clinic=clinic, now=now)
    session = factories.make_treatment_session(patient=patient, ended_at=now, now=now, technique=technique)
    plan_aftercare(treatment_session_id=session.pk, now=now)
    return session


def _protocol_of(session: TreatmentSession) -> str:
    return AftercarePlan.objects.get(treatment_session=session, state="active").protocol_version.protocol.key


def test_a_copy_is_a_draft_of_its_own_with_the_checks_of_its_model(therapist: Client, clinic: Clinic) -> None:
    factories.make_rehearsal_check(clinic=clinic)

    page = therapist.post(COPY, {"name": "Electro needling"}, follow=True).content.decode()

    assert "Nothing of this protocol is in force yet." in page
    copied = Protocol.objects.get(clinic=clinic, key="electro-needling")
    assert copied.published is None
    assert copied.versions.get().steps.count() == 6
    assert RehearsalCheck.objects.filter(protocol=copied).count() == 1
    assert "a draft; nothing published yet" in therapist.get("/protocols/").content.decode()


@pytest.mark.parametrize("name", ["", "Dry needling", "dry needling"])
def test_a_copy_needs_a_name_of_its_own(therapist: Client, name: str) -> None:
    assert therapist.post(COPY, {"name": name}).status_code == 422
    assert Protocol.objects.count() == 1


def test_a_published_copy_is_used_only_where_somebody_says_so(
    therapist: Client, staff: Staff, clinic: Clinic, electro: Protocol
) -> None:
    before = _planned(clinic, "electro")
    therapist.post(f"{OWN}use/", {"techniques": ["electro"]})
    after, other = _planned(clinic, "electro"), _planned(clinic, "deep")

    assert _protocol_of(before) == "dry-needling", "a plan under way stays as it is"
    assert _protocol_of(after) == "electro-needling"
    assert _protocol_of(other) == "dry-needling"
    heat = after.messages.get(step_key="heat")
    assert heat.first_due_at == after.ended_at + timedelta(hours=2)
    event = AuditEvent.objects.get(verb="protocol_used_for")
    assert (event.clinician, event.details["techniques"]) == (staff.therapist, ["electro"])
    assert "Every treatment but electro dry needling" in therapist.get("/protocols/dry-needling/").content.decode()


def test_a_technique_has_one_protocol(therapist: Client, electro: Protocol) -> None:
    therapist.post(COPY, {"name": "Third"})
    _publish(therapist, "/protocols/third/")
    therapist.post(f"{OWN}use/", {"techniques": ["electro"]})

    page = therapist.post("/protocols/third/use/", {"techniques": ["electro", "deep"]}, follow=True).content.decode()

    assert "“Electro needling” is used for it already" in page
    assert Protocol.objects.get(key="third").techniques == []


def test_the_default_protocol_serves_the_rest_and_a_draft_nobody(therapist: Client, clinic: Clinic) -> None:
    therapist.post(COPY, {"name": "Electro needling"})

    therapist.post("/protocols/dry-needling/use/", {"techniques": ["deep"]})
    therapist.post(f"{OWN}use/", {"techniques": ["electro"]})

    assert not Protocol.objects.exclude(techniques=[]).exists()
    assert _protocol_of(_planned(clinic, "electro")) == "dry-needling"


def test_moving_plans_of_one_protocol_leaves_those_of_the_other(
    therapist: Client, clinic: Clinic, electro: Protocol
) -> None:
    therapist.post(f"{OWN}use/", {"techniques": ["electro"]})
    ended_at = clock.now() - timedelta(hours=1)
    special, usual = (_planned(clinic, technique, ended_at=ended_at) for technique in ("electro", "deep"))
    _keep(therapist, OWN, **{"step-3-offset": "50 h"})

    _publish(therapist, OWN, running="move")

    versions = AftercarePlan.objects.filter(state="active").values_list(
        "treatment_session_id", "protocol_version__protocol__key", "protocol_version__number"
    )
    assert set(versions) == {(special.pk, "electro-needling", 2), (usual.pk, "dry-needling", 1)}


def test_a_copy_that_was_never_published_can_be_thrown_away_whole(therapist: Client) -> None:
    therapist.post(COPY, {"name": "Electro needling"})

    assert therapist.post(f"{OWN}draft/discard/").status_code == 302
    assert not Protocol.objects.filter(key="electro-needling").exists()


def test_a_front_desk_copies_nothing_and_a_stranger_finds_nothing(
    therapist: Client, staff: Staff, stranger: Clinician, log_in: LogIn, electro: Protocol
) -> None:
    assert log_in(staff.front_desk).post(COPY, {"name": "Mine"}).status_code == 403
    assert log_in(staff.front_desk).post(f"{OWN}use/", {"techniques": ["deep"]}).status_code == 403
    assert log_in(stranger).post(f"{OWN}use/", {"techniques": ["deep"]}).status_code == 404
    assert log_in(stranger).get(f"{OWN}copy/").status_code == 404
