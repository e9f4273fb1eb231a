"""What the database itself refuses, whatever code asks for it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from reminders.clinic import audit
from reminders.clinic.models import AuditEvent, Clinic, ConsentRecord, Patient, TreatmentSession
from reminders.content.models import TemplateVersion
from reminders.core.states import IN_OUTBOX, MessageState
from reminders.messaging.models import AftercarePlan, CarrierEvent, DeliveryAttempt, Message, Sender
from tests.factories import make_message, make_patient, make_plan, make_template, make_treatment_session
from tests.messaging.conftest import NOON, REFUSE_ILLEGAL_MOVES
from tests.messaging.outbox_steps import sending_state

pytestmark = pytest.mark.django_db


@pytest.fixture
def plan(patient: Patient) -> AftercarePlan:
    """A plan with its texts."""
    return make_plan(treatment_session=make_treatment_session(patient=patient, now=NOON), now=NOON)


def refuses(change: Callable[[], object], rule: str) -> None:
    """The database refuses the change, by the rule of this name."""
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        change()


def test_one_session_per_external_id_of_a_clinic(patient: Patient) -> None:
    make_treatment_session(patient=patient, external_id="V-1")

    refuses(lambda: make_treatment_session(patient=patient, external_id="V-1"), "external_id")


def test_the_same_external_id_in_another_clinic_is_another_session(patient: Patient, clinic: Clinic) -> None:
    make_treatment_session(patient=patient, external_id="V-1")
    elsewhere = make_patient(clinic=Clinic.objects.create(name="Southside", slug="southside", phone="+13125550142"))
    make_treatment_session(patient=elsewhere, external_id="V-1")

    assert TreatmentSession.objects.filter(external_id="V-1").count() == 2


def test_one_row_per_step_of_a_plan(plan: AftercarePlan, patient: Patient) -> None:
    refuses(lambda: make_message(patient=patient, plan=plan, step_key="heat"), "message_once_per_step")
    make_message(patient=patient, plan=plan, step_key="heat", occurrence=1)


def test_one_plan_in_force_and_one_per_revision(plan: AftercarePlan) -> None:
    def another(**fields: object) -> AftercarePlan:
        return AftercarePlan.objects.create(
            **{
                "clinic": plan.clinic,
                "treatment_session": plan.treatment_session,
                "protocol_version": plan.protocol_version,
                "created_at": NOON,
                **fields,
            }
        )

    refuses(lambda: another(revision=plan.revision + 1), "plan_one_active")
    refuses(lambda: another(revision=plan.revision, state="superseded"), "plan_once_per_revision")
    refuses(lambda: another(revision=plan.revision + 1, state="asleep"), "plan_state_is_known")


def test_one_message_per_key_and_per_id_of_the_carrier(patient: Patient) -> None:
    make_message(patient=patient, dedupe_key="inbound:1:emergency")
    sent = make_message(patient=patient, state="sent")

    refuses(lambda: make_message(patient=patient, dedupe_key="inbound:1:emergency"), "message_dedupe_once")
    refuses(lambda: make_message(patient=patient, state="sent", carrier_sid=sent.carrier_sid), "message_sid_once")
    refuses(lambda: make_message(patient=patient, dedupe_key=""), "message_has_an_owner_or_a_key")


def test_only_known_states_and_kinds(patient: Patient) -> None:
    refuses(lambda: make_message(patient=patient, state="lost"), "message_state_is_legal")
    refuses(lambda: make_message(patient=patient, kind="advert"), "message_kind_is_known")


@pytest.mark.parametrize("state", ["cancelled", "expired", "suppressed"])
def test_what_is_dropped_says_why(patient: Patient, state: str) -> None:
    refuses(lambda: make_message(patient=patient, state=state), "message_dropped_has_reason")
    make_message(patient=patient, state=state, reason="voided")


def test_what_became_of_a_try_is_never_rewritten(patient: Patient) -> None:
    message = make_message(patient=patient)
    attempt = DeliveryAttempt.objects.create(
        clinic=message.clinic, message=message, number=1, started_at=NOON, ended_at=NOON, outcome="unknown"
    )

    refuses(lambda: DeliveryAttempt.objects.filter(pk=attempt.pk).update(outcome="accepted"), "append-only")


@pytest.mark.parametrize("state", sorted(MessageState))
def test_a_message_is_in_the_outbox_as_long_as_it_has_not_come_to_its_end_with_us(
    patient: Patient, state: MessageState
) -> None:
    if state == MessageState.CLAIMED:
        refuses(lambda: make_message(patient=patient, state=state), "message_state_is_legal")
        return
    message = make_message(patient=patient, state=state, reason="voided")

    assert sending_state(message) == (state if state in IN_OUTBOX else "")


@pytest.mark.parametrize("state", sorted(set(MessageState) - IN_OUTBOX))
def test_a_message_leaves_the_outbox_with_whatever_ends_it(patient: Patient, state: MessageState) -> None:
    message, other = (make_message(patient=patient, state="unresolved") for _ in range(2))

    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER test_legal_moves_only ON reminders_message")
        Message.objects.filter(pk=message.pk).update(state=state, reason="voided")
        cursor.execute(REFUSE_ILLEGAL_MOVES.format(moves=""))

    assert (sending_state(message), sending_state(other)) == ("", "unresolved")


def test_a_sender_is_a_number_with_a_pace(clinic: Clinic) -> None:
    refuses(lambda: Sender.objects.create(clinic=clinic, number="Northside"), "sender_is_a_number")
    refuses(
        lambda: Sender.objects.create(clinic=clinic, number="+13125550143", parts_per_second=0),
        "sender_rate_is_positive",
    )


def test_published_words_never_change(clinic: Clinic) -> None:
    template = make_template(clinic=clinic)
    published = TemplateVersion.objects.filter(template=template)
    draft = TemplateVersion.objects.create(
        clinic=clinic, template=template, number=2, body="How are you?", created_at=NOON
    )

    refuses(lambda: published.filter(number=1).update(body="Buy now"), "never changes")
    refuses(lambda: published.filter(number=1).update(published_at=None), "never changes")
    TemplateVersion.objects.filter(pk=draft.pk).update(body="How sore are you?", published_at=NOON)
    refuses(lambda: published.filter(number=2).update(body="Buy now"), "never changes")


def test_audit_and_consent_are_only_ever_added_to(clinic: Clinic, patient: Patient) -> None:
    audit.record(clinic=clinic, actor=AuditEvent.Actor.SYSTEM, verb="planned", subject=patient, now=NOON)

    refuses(lambda: AuditEvent.objects.update(verb="nothing"), "only ever added")
    refuses(lambda: AuditEvent.objects.update(at=NOON + timedelta(days=1)), "only ever added")
    refuses(lambda: ConsentRecord.objects.update(decision="revoked"), "only ever added")


def test_callbacks_of_nobodys_message_are_kept(clinic: Clinic) -> None:
    CarrierEvent.objects.create(carrier_sid="SM1", status="sent", received_at=NOON)

    assert CarrierEvent.objects.get().message is None
    assert not Message.objects.exists()
