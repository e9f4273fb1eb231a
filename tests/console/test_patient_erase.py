"""Erasing a patient: when it may be, what goes from every table, and what has to stay."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

import pytest
from django.apps import apps
from django.test import Client

from reminders import clock
from reminders.clinic.consent import newest_decision
from reminders.clinic.models import AuditEvent, Clinic, ConsentRecord, Patient, TreatmentSession
from reminders.conversations.models import Picture
from reminders.messaging.models import Message
from tests import factories
from tests.console.conftest import LogIn
from tests.factories import Staff

LONG_AGO = timedelta(days=11 * 366)
NUMBER = "+13125550177"
WORDS = ("Zebedee", "Quillfeather", "P-SECRET", "S-SECRET", NUMBER, "knee hums", "hums", "Hello Zebedee", "1951-02-03")


@pytest.fixture
def owner(staff: Staff, log_in: LogIn) -> Client:
    return log_in(staff.owner)


@pytest.fixture
def then() -> datetime:
    return clock.now() - LONG_AGO


@pytest.fixture
def zebedee(clinic: Clinic, then: datetime) -> Patient:
    """Somebody treated eleven years ago, with a row of everything."""
    patient = factories.make_patient(
        clinic=clinic, given_name="Zebedee", family_name="Quillfeather", phone=NUMBER, external_id="P-SECRET",
        birth_date=date(1951, 2, 3), now=then,
    )  # fmt: skip
    session = factories.make_treatment_session(patient=patient, now=then, external_id="S-SECRET")
    plan = factories.make_plan(treatment_session=session, now=then)
    Message.objects.filter(plan=plan).update(state="delivered", body="Hello Zebedee", accepted_at=then, changed_at=then)
    reply = factories.make_inbound(
        patient=patient, body="my knee hums, 6", intent="persists", score=6, because=[("score:number", "hums")],
        now=then, handled_at=then,
    )  # fmt: skip
    factories.make_picture(inbound=reply, now=then)
    factories.make_check_in(plan=plan, state="answered", outcome="persists", now=then, answer=reply, answered_at=then)
    factories.make_escalation(
        patient=patient, inbound=reply, now=then, state="resolved", resolved_at=then, outcome="advised",
        note="Zebedee was called",
    )  # fmt: skip
    return patient


def _everything() -> Iterator[tuple[str, str]]:
    """Every value of every row of the product's tables, by the table."""
    for model in apps.get_app_config("reminders").get_models():
        names = [field.attname for field in model._meta.concrete_fields]
        for row in model._base_manager.values_list(*names):
            for value in row:
                yield model.__name__, bytes(value).hex() if isinstance(value, memoryview) else str(value)


def test_what_makes_a_person_goes_from_every_table(owner: Client, zebedee: Patient) -> None:
    held = list(_everything())
    for word in WORDS:
        assert any(word in value for _, value in held), f"the story tells of {word}"

    done = owner.post(f"/patients/{zebedee.pk}/erase/", {"sure": "yes"}, follow=True)

    assert "The patient is erased" in done.content.decode()
    left = [(table, value) for table, value in _everything() for word in WORDS if word in value]
    assert left == []
    assert not Picture.objects.exists()
    assert owner.get(f"/patients/{zebedee.pk}/").status_code == 404
    assert "Erased" not in owner.get("/patients/").content.decode()


def test_numbers_without_a_person_stay(owner: Client, zebedee: Patient) -> None:
    texts = Message.objects.filter(patient=zebedee).count()

    owner.post(f"/patients/{zebedee.pk}/erase/", {"sure": "yes"})

    session = TreatmentSession.objects.get()
    assert (session.technique, session.soreness_before) == ("deep", 5)
    assert session.check_ins.get().answer is not None
    assert Message.objects.filter(patient=zebedee, state="delivered").count() == texts
    assert AuditEvent.objects.filter(verb="patient_erased", subject_id=zebedee.pk).count() == 1


def test_a_stop_stays_for_ever_with_its_number_alone(owner: Client, zebedee: Patient, clinic: Clinic) -> None:
    factories.make_consent(patient=zebedee, decision="revoked", method="keyword_stop")

    owner.post(f"/patients/{zebedee.pk}/erase/", {"sure": "yes"})

    record = ConsentRecord.objects.get()
    assert (record.number, record.patient_id, record.disclosure) == (NUMBER, None, "")
    newest = newest_decision(clinic, NUMBER)
    assert newest is not None
    assert newest.decision == "revoked"


def test_a_yes_that_somebody_on_the_same_phone_lives_by_stays(owner: Client, zebedee: Patient, clinic: Clinic) -> None:
    factories.make_patient(clinic=clinic, given_name="Ada", phone=NUMBER, consented=False)

    owner.post(f"/patients/{zebedee.pk}/erase/", {"sure": "yes"})

    newest = newest_decision(clinic, NUMBER)
    assert newest is not None
    assert newest.decision == "granted"


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        ("treated lately", "keeps records for 10 years"),
        ("wrote lately", "keeps records for 10 years"),
        ("planned text", "Texts are planned or on their way"),
        ("open case", "A case is open"),
        ("inbox", "A text waits for a reader"),
    ],
)
def test_who_may_not_be_erased_yet_stays_with_the_reason(
    owner: Client, zebedee: Patient, what: str, sentence: str
) -> None:
    if what == "treated lately":
        factories.make_treatment_session(patient=zebedee)
    elif what == "wrote lately":
        factories.make_inbound(patient=zebedee, body="hi", handled_at=clock.now())
    elif what == "planned text":
        factories.make_message(patient=zebedee)
    elif what == "open case":
        factories.make_escalation(patient=zebedee)
    else:
        factories.make_inbound(patient=zebedee, body="hi", inbox="open", handled_at=clock.now())
    address = f"/patients/{zebedee.pk}/erase/"

    page = owner.get(address).content.decode()
    refused = owner.post(address, {"sure": "yes"})

    assert sentence in page
    assert "Erase the patient</span></button>" not in page
    assert refused.status_code == 422
    zebedee.refresh_from_db()
    assert zebedee.given_name == "Zebedee"


def test_who_was_entered_by_mistake_may_go_at_once(owner: Client, patient: Patient) -> None:
    factories.make_treatment_session(patient=patient, status="voided")
    address = f"/patients/{patient.pk}/erase/"

    assert "no text either way" in owner.get(address).content.decode()
    unsure = owner.post(address)
    assert unsure.status_code == 422
    assert "Tick that nothing has to be kept" in unsure.content.decode()
    assert owner.post(address, {"sure": "yes"}).status_code == 302

    patient.refresh_from_db()
    assert (patient.display_name, patient.erased_at is None) == ("Erased patient", False)


def test_only_an_owner_erases(therapist: Client, zebedee: Patient) -> None:
    assert therapist.post(f"/patients/{zebedee.pk}/erase/", {"sure": "yes"}).status_code == 403
    assert "Erase this patient" not in therapist.get(f"/patients/{zebedee.pk}/").content.decode()
