import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from reminders.clinic import events
from reminders.clinic.consent import newest_decision
from reminders.clinic.models import AuditEvent, Clinic, ConsentRecord, Patient, TreatmentSession
from reminders.clinic.selectors import primary_phone
from reminders.clinic.services import IntakeOutcome, void_treatment_session
from tests.clinic.intakes import API, LATER, NOW, less, patients_of, problems, raw_intake, take_in
from tests.factories import make_clinic, make_clinician

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic() -> Clinic:
    return make_clinic()


@pytest.fixture
def heard() -> Iterator[list[tuple[str, int]]]:
    """What the layers above were told, as (event, revision)."""
    told: list[tuple[str, int]] = []

    def note(name: str) -> Any:
        def hear(*, treatment_session: TreatmentSession, **_arguments: Any) -> None:
            told.append((name, treatment_session.revision))

        return hear

    signals = {
        "recorded": events.treatment_session_recorded,
        "corrected": events.treatment_session_corrected,
        "voided": events.treatment_session_voided,
    }
    receivers = {name: note(name) for name in signals}
    for name, signal in signals.items():
        signal.connect(receivers[name])
    yield told
    for name, signal in signals.items():
        signal.disconnect(receivers[name])


def the_session(clinic: Clinic) -> TreatmentSession:
    return TreatmentSession.objects.get(clinic=clinic)


def test_a_new_session_brings_its_patient_phone_screening_and_consent(
    clinic: Clinic, heard: list[tuple[str, int]]
) -> None:
    therapist = make_clinician(clinic=clinic, external_id="T-7")

    assert take_in(clinic, raw_intake(clinician="T-7")) is IntakeOutcome.CREATED

    session = the_session(clinic)
    patient = session.patient
    assert (session.clinician, session.revision, session.planned_revision) == (therapist, 1, 0)
    assert (patient.display_name, patient.external_id) == ("Dana Reyes", "P-1")
    assert primary_phone(patient=patient).number == "+13125550123"
    screening = patient.screenings.get()
    assert (screening.anticoagulant, screening.pregnancy, screening.ulcer) == (False, None, None)
    consent = newest_decision(clinic, "+13125550123")
    assert consent is not None
    assert (consent.decision, consent.method, consent.patient) == ("granted", "paper_form", patient)
    assert heard == [("recorded", 1)]


def test_an_intake_asks_the_database_no_more_often_than_it_has_to(clinic: Clinic) -> None:
    """An import of thousands waits for nothing but these: two turns, four questions, and a row per table."""
    with CaptureQueriesContext(connection) as first:
        take_in(clinic, raw_intake())
    with CaptureQueriesContext(connection) as repeat:
        take_in(clinic, raw_intake())

    savepoints = 2  # the test's own transaction turns the intake's into a savepoint
    assert (len(first) - savepoints, len(repeat) - savepoints) == (12, 5)


def test_what_was_done_is_on_record_without_the_patients_details(clinic: Clinic) -> None:
    take_in(clinic, raw_intake())

    trail = list(AuditEvent.objects.filter(clinic=clinic).order_by("id"))
    assert [event.verb for event in trail] == ["patient_recorded", "consent_granted", "treatment_session_recorded"]
    assert {event.actor for event in trail} == {"api"}
    for event in trail:
        assert not any(word in str(event.details) for word in ("Dana", "Reyes", "5550123"))


def test_a_repeat_changes_nothing_and_says_so(clinic: Clinic, heard: list[tuple[str, int]]) -> None:
    take_in(clinic, raw_intake())
    before = AuditEvent.objects.count()

    assert take_in(clinic, raw_intake(), now=LATER) is IntakeOutcome.UNCHANGED

    assert heard == [("recorded", 1)]
    assert (TreatmentSession.objects.count(), Patient.objects.count(), ConsentRecord.objects.count()) == (1, 1, 1)
    assert AuditEvent.objects.count() == before
    assert the_session(clinic).updated_at == NOW


def test_the_words_of_consent_are_kept_as_they_came(clinic: Clinic) -> None:
    take_in(clinic, raw_intake(consent_disclosure=" Text me.\r\nSTOP ends it. "))

    consent = newest_decision(clinic, "+13125550123")
    assert consent is not None
    assert consent.disclosure == "Text me.\nSTOP ends it."


def test_the_words_of_consent_never_change(clinic: Clinic) -> None:
    take_in(clinic, raw_intake(consent_disclosure="Text me."))

    with pytest.raises(DatabaseError, match="only ever added"), transaction.atomic():
        ConsentRecord.objects.update(disclosure="Text me whatever you like.")

    assert ConsentRecord.objects.get().disclosure == "Text me."


def test_a_session_sent_again_by_a_form_worded_anew_is_a_repeat(clinic: Clinic) -> None:
    take_in(clinic, raw_intake(consent_disclosure="Text me."))

    assert take_in(clinic, raw_intake(consent_disclosure="Do text me."), now=LATER) is IntakeOutcome.UNCHANGED
    assert ConsentRecord.objects.get().disclosure == "Text me."


def test_a_repeat_is_known_days_later_and_by_another_door(clinic: Clinic) -> None:
    take_in(clinic, raw_intake())

    much_later = NOW + timedelta(days=5)
    assert take_in(clinic, raw_intake(), now=much_later) is IntakeOutcome.UNCHANGED
    assert take_in(clinic, raw_intake(), actor=AuditEvent.Actor.SYSTEM, now=much_later) is IntakeOutcome.UNCHANGED


def test_a_repeat_does_not_undo_what_staff_corrected_since(clinic: Clinic) -> None:
    take_in(clinic, raw_intake())
    take_in(clinic, raw_intake(technique="electro", language="es"), actor=AuditEvent.Actor.CLINICIAN, now=LATER)

    assert take_in(clinic, raw_intake(), now=LATER) is IntakeOutcome.UNCHANGED

    session = the_session(clinic)
    assert (session.technique, session.patient.language) == ("electro", "es")


def test_a_correction_can_be_taken_back_by_the_same_system(clinic: Clinic) -> None:
    take_in(clinic, raw_intake())
    take_in(clinic, raw_intake(technique="electro"), now=LATER)

    assert take_in(clinic, raw_intake(), now=LATER + timedelta(minutes=1)) is IntakeOutcome.CORRECTED
    assert (the_session(clinic).technique, the_session(clinic).revision) == ("deep", 3)


@pytest.mark.parametrize(
    "change",
    [
        {"ended_at": (NOW - timedelta(hours=2)).isoformat()},
        {"technique": "superficial"},
        {"regions": "calf"},
        {"phone": "312 555 0177"},
        {"given_name": "Dane", "family_name": "Rays"},
        {"language": "es"},
        {"timezone": "America/Denver"},
        {"anticoagulant": "yes"},
        {"birth_date": "1985-05-18"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_correction_of_what_reaches_the_texts_is_planned_anew(
    clinic: Clinic, heard: list[tuple[str, int]], change: dict[str, object]
) -> None:
    take_in(clinic, raw_intake())

    assert take_in(clinic, raw_intake(**change), now=LATER) is IntakeOutcome.CORRECTED

    assert heard == [("recorded", 1), ("corrected", 2)]
    assert the_session(clinic).revision == 2
    assert AuditEvent.objects.filter(verb="treatment_session_corrected", actor="api").count() == 1


@pytest.mark.parametrize("change", [{"soreness_after": 9}, {"clinician": "theo"}, {"family_name": "Reyes-Cruz"}])
def test_a_correction_of_anything_else_is_only_noted(
    clinic: Clinic, heard: list[tuple[str, int]], change: dict[str, object]
) -> None:
    make_clinician(clinic=clinic, username="theo")
    take_in(clinic, raw_intake())

    assert take_in(clinic, raw_intake(**change), now=LATER) is IntakeOutcome.CORRECTED

    assert heard == [("recorded", 1)]
    assert the_session(clinic).revision == 1


def test_what_a_correction_leaves_empty_stays_on_file(clinic: Clinic) -> None:
    take_in(clinic, raw_intake())

    outcome = take_in(clinic, raw_intake(regions="", soreness_after="", language="", birth_date=""), now=LATER)

    assert outcome is IntakeOutcome.UNCHANGED
    assert (the_session(clinic).regions, the_session(clinic).soreness_after) == (["shoulder", "neck"], 3)


def test_an_example_with_a_relative_end_is_a_repeat_on_another_day(clinic: Clinic) -> None:
    raw = less(raw_intake(ended_minutes_ago="60"), "ended_at")
    take_in(clinic, raw)

    assert take_in(clinic, raw, now=NOW + timedelta(days=3)) is IntakeOutcome.UNCHANGED
    take_in(clinic, {**raw, "technique": "electro"}, now=NOW + timedelta(days=3))
    assert the_session(clinic).ended_at == NOW - timedelta(minutes=60)


def test_a_void_takes_the_session_back_once(clinic: Clinic, heard: list[tuple[str, int]]) -> None:
    take_in(clinic, raw_intake())
    void: dict[str, object] = {"external_id": "S-1", "status": "voided"}

    assert take_in(clinic, void, now=LATER) is IntakeOutcome.VOIDED
    assert take_in(clinic, void, now=LATER) is IntakeOutcome.UNCHANGED

    assert the_session(clinic).status == "voided"
    assert heard == [("recorded", 1), ("voided", 1)]
    assert void_treatment_session(treatment_session=the_session(clinic), actor=API, now=LATER) is False


def test_what_was_never_there_cannot_be_voided(clinic: Clinic) -> None:
    assert problems(clinic, {"external_id": "S-9", "status": "voided"}) == [("external_id", "unknown_session")]


def test_a_void_is_for_good(clinic: Clinic) -> None:
    take_in(clinic, raw_intake())
    take_in(clinic, {"external_id": "S-1", "status": "voided"}, now=LATER)

    assert problems(clinic, raw_intake(), now=LATER) == [("status", "already_voided")]


def test_a_session_older_than_two_days_comes_too_late(clinic: Clinic) -> None:
    just_in_time = raw_intake(ended_at=(NOW - timedelta(hours=48)).isoformat())

    assert problems(clinic, just_in_time, now=NOW + timedelta(seconds=1)) == [("ended_at", "too_old")]
    assert take_in(clinic, just_in_time) is IntakeOutcome.CREATED


def test_all_that_is_wrong_is_told_at_once_and_nothing_is_stored(clinic: Clinic) -> None:
    raw = raw_intake(ended_at=(NOW - timedelta(days=3)).isoformat(), clinician="nobody", consent="")

    assert problems(clinic, raw) == [
        ("ended_at", "too_old"),
        ("clinician", "unknown_clinician"),
        ("consent", "no_consent"),
    ]
    assert not Patient.objects.exists()


def test_staff_of_another_clinic_are_nobody_here(clinic: Clinic) -> None:
    make_clinician(clinic=make_clinic(), username="theo", external_id="T-7")

    assert problems(clinic, raw_intake(clinician="theo")) == [("clinician", "unknown_clinician")]
    assert problems(clinic, raw_intake(clinician="T-7")) == [("clinician", "unknown_clinician")]


def test_a_new_phone_reaches_the_texts_of_earlier_sessions_still_running(
    clinic: Clinic, heard: list[tuple[str, int]]
) -> None:
    take_in(clinic, raw_intake())
    take_in(clinic, raw_intake(external_id="S-2", phone="312 555 0177"), now=LATER)

    assert heard == [("recorded", 1), ("recorded", 1), ("corrected", 2)]
    assert {session.external_id: session.revision for session in TreatmentSession.objects.all()} == {
        "S-1": 2,
        "S-2": 1,
    }


def test_a_receiver_that_fails_takes_everything_back(clinic: Clinic) -> None:
    def fail(**_arguments: Any) -> None:
        raise ArithmeticError

    events.treatment_session_recorded.connect(fail)
    try:
        with pytest.raises(ArithmeticError):
            take_in(clinic, raw_intake())
    finally:
        events.treatment_session_recorded.disconnect(fail)

    assert not Patient.objects.exists()
    assert not TreatmentSession.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("same_session", [True, False])
def test_two_intakes_at_the_same_moment_store_one_session_and_one_patient(same_session: bool) -> None:
    clinic = make_clinic()
    outcomes: list[IntakeOutcome] = []
    start = threading.Barrier(4)

    def come_in(external_id: str) -> None:
        try:
            start.wait(timeout=20)
            raw = less(raw_intake(external_id=external_id), "patient_external_id")
            outcomes.append(take_in(clinic, raw))
        finally:
            connection.close()

    ids = ["S-1"] * 4 if same_session else ["S-1", "S-2", "S-3", "S-4"]
    threads = [threading.Thread(target=come_in, args=(external_id,)) for external_id in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    created = 1 if same_session else 4
    assert sorted(outcomes) == ["created"] * created + ["unchanged"] * (4 - created)
    assert TreatmentSession.objects.filter(clinic=clinic).count() == created
    assert (len(patients_of(clinic)), ConsentRecord.objects.count()) == (1, 1)
