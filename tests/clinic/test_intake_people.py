import pytest

from reminders.clinic.consent import newest_decision, revoke_consent
from reminders.clinic.models import AuditEvent, Clinic, ConsentRecord, ScreeningRecord
from reminders.clinic.selectors import primary_phone
from reminders.clinic.services import IntakeOutcome
from tests.clinic.intakes import LATER, NOW, less, patients_of, problems, raw_intake, take_in
from tests.factories import make_clinic, make_clinician, make_consent, make_patient

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic() -> Clinic:
    return make_clinic()


class TestConsent:
    def test_nobody_is_texted_without_a_yes(self, clinic: Clinic) -> None:
        assert problems(clinic, raw_intake(consent="")) == [("consent", "no_consent")]
        assert problems(clinic, raw_intake(consent="no")) == [("consent", "no_consent")]

    def test_an_earlier_yes_is_enough(self, clinic: Clinic) -> None:
        take_in(clinic, raw_intake())

        assert take_in(clinic, raw_intake(external_id="S-2", consent="")) is IntakeOutcome.CREATED
        assert ConsentRecord.objects.count() == 1

    def test_a_no_that_contradicts_an_earlier_yes_is_a_question_for_staff(self, clinic: Clinic) -> None:
        take_in(clinic, raw_intake())

        assert problems(clinic, raw_intake(external_id="S-2", consent="no")) == [("consent", "no_consent")]

    def test_a_tick_on_a_form_does_not_take_back_a_stop(self, clinic: Clinic) -> None:
        take_in(clinic, raw_intake())
        revoke_consent(clinic=clinic, number="+13125550123", method="keyword_stop", now=LATER)

        assert take_in(clinic, raw_intake(external_id="S-2")) is IntakeOutcome.CREATED

        newest = newest_decision(clinic, "+13125550123")
        assert newest is not None
        assert newest.decision == "revoked"

    def test_nor_an_opt_out_that_staff_recorded(self, clinic: Clinic) -> None:
        clerk = make_clinician(clinic=clinic, role="front_desk")
        revoke_consent(clinic=clinic, number="+13125550123", method="in_person", now=NOW, clinician=clerk)

        assert take_in(clinic, raw_intake()) is IntakeOutcome.CREATED
        assert ConsentRecord.objects.get().decision == "revoked"

    def test_the_day_of_the_yes_is_kept(self, clinic: Clinic) -> None:
        take_in(clinic, raw_intake(consent_at="2025-02-01T10:00-06:00"))

        assert ConsentRecord.objects.get().recorded_at.isoformat() == "2025-02-01T16:00:00+00:00"
        assert AuditEvent.objects.get(verb="consent_granted").at == NOW

    def test_a_returning_patient_with_consent_on_file_needs_no_tick(self, clinic: Clinic) -> None:
        patient = make_patient(clinic=clinic, external_id="P-1", phone="+13125550123", consented=False)
        make_consent(patient=patient)

        assert take_in(clinic, raw_intake(consent="")) is IntakeOutcome.CREATED
        assert patients_of(clinic) == [patient]

    def test_a_new_phone_needs_its_own_yes(self, clinic: Clinic) -> None:
        take_in(clinic, raw_intake())

        assert problems(clinic, raw_intake(phone="312 555 0177", consent="")) == [("consent", "no_consent")]


class TestWhoIsWho:
    def test_a_couple_may_share_a_phone(self, clinic: Clinic) -> None:
        take_in(clinic, raw_intake())
        take_in(clinic, raw_intake(external_id="S-2", patient_external_id="P-2", given_name="Luis"))

        assert [patient.given_name for patient in patients_of(clinic)] == ["Dana", "Luis"]

    def test_without_an_id_phone_and_name_tell_who_it_is(self, clinic: Clinic) -> None:
        take_in(clinic, less(raw_intake(given_name="José"), "patient_external_id"))
        take_in(clinic, less(raw_intake(external_id="S-2", given_name="JOSE"), "patient_external_id"))

        assert len(patients_of(clinic)) == 1

    def test_an_id_that_comes_later_is_added_to_the_patient_on_file(self, clinic: Clinic) -> None:
        take_in(clinic, less(raw_intake(), "patient_external_id"))
        take_in(clinic, raw_intake(external_id="S-2"))

        assert [patient.external_id for patient in patients_of(clinic)] == ["P-1"]

    def test_an_id_with_another_name_and_another_phone_is_a_mix_up(self, clinic: Clinic) -> None:
        take_in(clinic, raw_intake())
        raw = raw_intake(external_id="S-2", given_name="Luis", family_name="Vega", phone="312 555 0177")

        assert problems(clinic, raw) == [("patient_external_id", "duplicate_patient")]

    def test_the_same_person_under_another_id_is_a_mix_up(self, clinic: Clinic) -> None:
        take_in(clinic, raw_intake())
        raw = raw_intake(external_id="S-2", patient_external_id="P-2", given_name="REYES", family_name="dana")

        assert problems(clinic, raw) == [("patient_external_id", "duplicate_patient")]

    def test_a_father_and_son_of_one_name_differ_by_birth(self, clinic: Clinic) -> None:
        take_in(clinic, raw_intake())
        take_in(clinic, raw_intake(external_id="S-2", patient_external_id="P-2", birth_date="2010-01-01"))

        assert len(patients_of(clinic)) == 2
        nobody_can_tell = less(raw_intake(external_id="S-3"), "patient_external_id", "birth_date")
        assert problems(clinic, nobody_can_tell) == [("patient_external_id", "duplicate_patient")]

    def test_a_session_keeps_its_patient(self, clinic: Clinic) -> None:
        take_in(clinic, raw_intake())
        raw = raw_intake(patient_external_id="P-2", given_name="Luis", phone="312 555 0177")

        assert problems(clinic, raw) == [("external_id", "other_patient")]

    def test_a_mistyped_phone_can_be_corrected_without_a_patient_id(self, clinic: Clinic) -> None:
        take_in(clinic, less(raw_intake(phone="312 555 0132"), "patient_external_id"))

        outcome = take_in(clinic, less(raw_intake(), "patient_external_id"), now=LATER)

        assert outcome is IntakeOutcome.CORRECTED
        (patient,) = patients_of(clinic)
        assert primary_phone(patient=patient).number == "+13125550123"

    def test_a_patient_of_another_clinic_is_a_stranger(self, clinic: Clinic) -> None:
        elsewhere = make_clinic()
        make_patient(clinic=elsewhere, external_id="P-1", phone="+13125550123", given_name="Someone")
        take_in(clinic, raw_intake())

        assert [patient.given_name for patient in patients_of(elsewhere)] == ["Someone"]
        assert len(patients_of(clinic)) == 1

    def test_language_and_zone_are_the_clinics_where_nobody_says(self) -> None:
        clinic = make_clinic(timezone="America/Phoenix", language="es")
        take_in(clinic, raw_intake(language="", timezone=""))

        (patient,) = patients_of(clinic)
        assert (patient.language, patient.timezone) == ("es", "America/Phoenix")

    def test_an_old_phone_is_kept_but_no_longer_texted(self, clinic: Clinic) -> None:
        take_in(clinic, raw_intake())
        take_in(clinic, raw_intake(external_id="S-2", phone="312 555 0177"))
        take_in(clinic, raw_intake(external_id="S-3", phone="312 555 0123"))

        (patient,) = patients_of(clinic)
        assert {(phone.number, phone.is_primary) for phone in patient.phones.all()} == {
            ("+13125550123", True),
            ("+13125550177", False),
        }


class TestScreening:
    def test_the_same_answers_are_stored_once(self, clinic: Clinic) -> None:
        take_in(clinic, raw_intake())
        take_in(clinic, raw_intake(external_id="S-2"))

        assert ScreeningRecord.objects.count() == 1

    def test_no_answers_at_all_leave_the_screening_alone(self, clinic: Clinic) -> None:
        take_in(clinic, raw_intake(anticoagulant="yes"))
        take_in(clinic, less(raw_intake(external_id="S-2"), "anticoagulant", "pregnancy"))

        assert ScreeningRecord.objects.get().anticoagulant is True

    def test_an_unknown_never_takes_back_a_yes_but_a_no_does(self, clinic: Clinic) -> None:
        take_in(clinic, raw_intake(anticoagulant="yes"))
        take_in(clinic, raw_intake(external_id="S-2", anticoagulant="", ulcer="no"))
        assert ScreeningRecord.objects.order_by("-id")[0].anticoagulant is True

        take_in(clinic, raw_intake(external_id="S-3", anticoagulant="no", ulcer="no"))
        assert ScreeningRecord.objects.order_by("-id")[0].anticoagulant is False
