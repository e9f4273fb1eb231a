"""A person decides about a text whose fate nobody knows."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import pytest
from django.db import transaction

from reminders.clinic.consent import revoke_consent
from reminders.clinic.errors import ConflictError, NotFoundError, ReminderError
from reminders.clinic.models import AuditEvent, Clinic, Clinician, Patient, PatientPhone, TreatmentSession
from reminders.conversations.models import CheckIn
from reminders.messaging.deciding import mark_as_not_arrived, mark_as_sent, send_again
from reminders.messaging.errors import CannotSendAgainError
from reminders.messaging.models import AftercarePlan, DeliveryAttempt, Message
from reminders.messaging.outbox import claim_due, send_claimed
from reminders.messaging.status import record_status
from tests.factories import make_clinic, make_clinician, make_message, make_plan, make_treatment_session
from tests.messaging.carriers import PaperCarrier
from tests.messaging.conftest import NOON
from tests.messaging.threads import Background, run_at_once, wait_until_somebody_waits_for_a_lock

pytestmark = pytest.mark.django_db

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
LATER = NOON + 20 * MINUTE
Decide = Callable[..., Message]


@pytest.fixture
def fran(clinic: Clinic) -> Clinician:
    """The front desk."""
    return make_clinician(clinic=clinic, role="front_desk")


@pytest.fixture
def plan(patient: Patient) -> AftercarePlan:
    """A treatment whose heat advice was tried at noon, and nobody knows what became of it."""
    session = make_treatment_session(patient=patient, now=NOON - HOUR, ended_at=NOON - HOUR)
    return make_plan(treatment_session=session, now=NOON - HOUR, states={"heat": "unresolved"})


@pytest.fixture
def unresolved(plan: AftercarePlan) -> Message:
    """That heat advice."""
    message = plan.messages.get(step_key="heat")
    message.reason, message.attempts = "unknown_timeout", 1
    message.save()
    DeliveryAttempt.objects.create(
        clinic=plan.clinic, message=message, number=1, started_at=NOON, ended_at=NOON, outcome="unknown"
    )
    return message


def decided(decide: Decide, message: Message, clinician: Clinician, now: datetime = LATER) -> Message:
    """What the verb returns."""
    return decide(message_id=message.pk, clinic=clinician.clinic, clinician=clinician, now=now)


def again(message: Message) -> Message:
    """The row as it stands."""
    return Message.objects.get(pk=message.pk)


def callback(message: Message, status: str) -> bool:
    """The carrier's word about it."""
    return record_status(
        public_id=message.public_id, carrier_sid="SM1", status=status, error_code=None, now=LATER + MINUTE
    )


def refused(message: Message, clinician: Clinician, words: str, now: datetime = LATER) -> None:
    """It is not sent again, for the reason that `words` name, and still waits for a decision."""
    with pytest.raises(CannotSendAgainError, match=words):
        decided(send_again, message, clinician, now)
    assert again(message).state == "unresolved"
    assert not Message.objects.filter(sends_again=message).exists()


def test_marked_as_sent_it_counts_from_its_last_try_and_nothing_leaves(
    unresolved: Message, fran: Clinician, carrier: PaperCarrier
) -> None:
    decided(mark_as_sent, unresolved, fran)

    message = again(unresolved)
    assert (message.state, message.reason, message.accepted_at) == ("accepted", "marked_as_sent", NOON)
    event = AuditEvent.objects.get(verb="marked_as_sent")
    assert (event.clinician, event.subject_id, event.patient) == (fran, unresolved.pk, unresolved.patient)
    send_claimed(held=claim_due(now=LATER + 20 * MINUTE), now=LATER + 20 * MINUTE, carrier=carrier)
    assert unresolved.public_id not in [item.message_id for item in carrier.asked_for]


def test_what_was_marked_as_sent_still_follows_the_carriers_word(unresolved: Message, fran: Clinician) -> None:
    decided(mark_as_sent, unresolved, fran)

    assert callback(unresolved, "delivered")
    assert again(unresolved).state == "delivered"


def test_sent_again_it_is_a_new_text_that_leaves_now(
    unresolved: Message, fran: Clinician, carrier: PaperCarrier
) -> None:
    new = decided(send_again, unresolved, fran)

    assert again(unresolved).state == "replaced"
    assert new.sends_again == unresolved
    assert new.public_id != unresolved.public_id
    assert (new.due_at, new.expires_at, new.body) == (LATER, unresolved.expires_at, unresolved.body)
    assert (new.plan, new.step_key, new.attempts, new.carrier_sid) == (unresolved.plan, "heat", 0, "")
    assert AuditEvent.objects.get(verb="sent_again").details == {"as_message": new.pk}
    send_claimed(held=claim_due(now=LATER), now=LATER, carrier=carrier)
    assert [item.message_id for item in carrier.asked_for] == [new.public_id]
    assert again(new).state == "accepted"


def test_marked_as_not_arrived_nothing_leaves_and_a_receipt_is_still_believed(
    unresolved: Message, fran: Clinician, carrier: PaperCarrier
) -> None:
    decided(mark_as_not_arrived, unresolved, fran)

    assert (again(unresolved).state, again(unresolved).reason) == ("failed", "marked_not_arrived")
    event = AuditEvent.objects.get(verb="marked_not_arrived")
    assert (event.clinician, event.subject_id, event.at) == (fran, unresolved.pk, LATER)
    send_claimed(held=claim_due(now=LATER), now=LATER, carrier=carrier)
    assert carrier.asked_for == []
    assert callback(unresolved, "delivered")
    assert again(unresolved).state == "delivered"


@pytest.mark.parametrize(
    "verbs",
    [
        (send_again, send_again),
        (mark_as_sent, send_again),
        (send_again, mark_as_sent),
        (mark_as_not_arrived, send_again),
        (send_again, mark_as_not_arrived),
        (mark_as_not_arrived, mark_as_sent),
    ],
)
def test_who_decides_second_is_told_so(
    unresolved: Message, fran: Clinician, clinic: Clinic, verbs: tuple[Decide, Decide]
) -> None:
    decided(verbs[0], unresolved, fran)

    with pytest.raises(ConflictError, match="already"):
        decided(verbs[1], unresolved, make_clinician(clinic=clinic))
    assert Message.objects.filter(sends_again=unresolved).count() == (verbs[0] is send_again)


@pytest.mark.parametrize("verb", [send_again, mark_as_sent, mark_as_not_arrived])
def test_evidence_that_was_faster_leaves_nothing_to_decide(unresolved: Message, fran: Clinician, verb: Decide) -> None:
    callback(unresolved, "delivered")

    with pytest.raises(ConflictError, match="Proof has come"):
        decided(verb, unresolved, fran)
    assert again(unresolved).state == "delivered"


@pytest.mark.parametrize("verb", [send_again, mark_as_sent, mark_as_not_arrived])
def test_nobody_decides_while_we_still_look_for_proof(unresolved: Message, fran: Clinician, verb: Decide) -> None:
    with_proof_pending = make_message(patient=unresolved.patient, state="ambiguous", due_at=NOON)

    with pytest.raises(ConflictError, match="look for proof"):
        decided(verb, with_proof_pending, fran)


@pytest.mark.parametrize("verb", [send_again, mark_as_sent, mark_as_not_arrived])
def test_another_clinics_text_does_not_exist(unresolved: Message, verb: Decide) -> None:
    stranger = make_clinician(clinic=make_clinic(name="Lakeside Spine"), role="owner")

    with pytest.raises(NotFoundError):
        decided(verb, unresolved, stranger)
    assert again(unresolved).state == "unresolved"


def test_proof_that_the_first_one_left_takes_back_the_second(unresolved: Message, fran: Clinician) -> None:
    new = decided(send_again, unresolved, fran)

    assert callback(unresolved, "sent")

    assert again(unresolved).state == "sent"
    assert (again(new).state, again(new).reason) == ("cancelled", "first_one_left")


def test_proof_that_the_first_one_failed_lets_the_second_go(unresolved: Message, fran: Clinician) -> None:
    new = decided(send_again, unresolved, fran)

    callback(unresolved, "failed")

    assert again(new).state == "scheduled"


def test_in_quiet_hours_it_waits_for_the_morning(patient: Patient, fran: Clinician) -> None:
    night, morning = NOON + 9 * HOUR, NOON + 21 * HOUR
    late = make_message(patient=patient, state="unresolved", due_at=NOON, expires_at=morning + HOUR)

    assert decided(send_again, late, fran, night).due_at == morning


def test_one_that_would_come_too_late_is_not_sent_again(unresolved: Message, fran: Clinician) -> None:
    refused(unresolved, fran, "too late", now=unresolved.expires_at - HOUR)


def test_an_opt_out_wins(unresolved: Message, fran: Clinician, clinic: Clinic) -> None:
    revoke_consent(clinic=clinic, number=unresolved.to_number, method="keyword_stop", now=LATER)

    refused(unresolved, fran, "opted out")


def test_a_text_of_a_treatment_goes_to_the_patients_present_number(
    unresolved: Message, fran: Clinician, patient: Patient
) -> None:
    PatientPhone.objects.filter(patient=patient).update(number="+13125550188")

    refused(unresolved, fran, "has not agreed")


def test_a_number_that_cannot_be_texted_gets_nothing(unresolved: Message, fran: Clinician, patient: Patient) -> None:
    PatientPhone.objects.filter(patient=patient).update(state="landline")

    refused(unresolved, fran, "cannot be texted")


def test_what_its_cause_took_back_stays_so(unresolved: Message, fran: Clinician, patient: Patient) -> None:
    Message.objects.filter(pk=unresolved.pk).update(withdrawn="answered")
    refused(unresolved, fran, "taken back while")
    newer = make_treatment_session(patient=patient, now=NOON, ended_at=NOON)
    refused(unresolved, fran, "newer session")
    newer.delete()
    AftercarePlan.objects.update(state="withheld")
    refused(unresolved, fran, "danger sign")
    TreatmentSession.objects.update(status="voided")
    refused(unresolved, fran, "taken back, so nothing")


def test_a_question_that_was_answered_is_not_asked_again(patient: Patient, fran: Clinician) -> None:
    session = make_treatment_session(patient=patient, now=NOON, ended_at=NOON - 25 * HOUR)
    asked = make_plan(treatment_session=session, now=NOON, states={"check_in": "unresolved"})
    question = asked.messages.get(step_key="check_in")
    CheckIn.objects.create(
        clinic=fran.clinic, patient=patient, treatment_session=session, plan=asked, message=question, kind="check_in",
        asked_at=NOON, closes_at=NOON + 20 * HOUR, state="answered", outcome="resolved", score=1,
    )  # fmt: skip

    refused(question, fran, "has answered")


def test_notices_to_staff_are_left_to_the_ladder(fran: Clinician) -> None:
    refused(make_message(clinician=fran, kind="staff_notice", state="unresolved", due_at=NOON), fran, "rings on")


@pytest.mark.django_db(transaction=True)
def test_pressing_at_the_same_time_makes_one(unresolved: Message, fran: Clinician) -> None:
    def press() -> str:
        try:
            return decided(send_again, unresolved, fran).state
        except ReminderError as error:
            return error.code

    assert sorted(run_at_once([press] * 4)) == ["conflict", "conflict", "conflict", "scheduled"]
    assert Message.objects.filter(sends_again=unresolved).count() == 1


@pytest.mark.django_db(transaction=True)
def test_evidence_that_commits_first_is_seen_by_who_waited(unresolved: Message, fran: Clinician) -> None:
    with transaction.atomic():
        callback(unresolved, "delivered")
        press = Background(partial(decided, send_again, unresolved, fran))
        wait_until_somebody_waits_for_a_lock()

    with pytest.raises(ConflictError):
        press.finish()
    assert again(unresolved).state == "delivered"
    assert not Message.objects.filter(sends_again=unresolved).exists()
