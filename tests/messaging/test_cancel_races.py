"""Once an opt-out, a cancel or a void has committed, no text passes the commit point any more.

Two connections each, at the worst moments.
"""

import threading
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest
from django.db import transaction

from reminders.clinic.consent import revoke_consent
from reminders.clinic.models import AuditEvent, Clinic, Patient
from reminders.clinic.services import void_treatment_session
from reminders.delivery.port import CreateResult, OutgoingCall, OutgoingText
from reminders.messaging.outbox import claim_due, send_claimed
from tests.factories import make_message, make_patient, make_plan, make_treatment_session, phone_of
from tests.messaging.carriers import PaperCarrier
from tests.messaging.conftest import NOON
from tests.messaging.outbox_steps import again, claimed_text
from tests.messaging.threads import Background, run_at_once, wait_until_somebody_waits_for_a_lock

pytestmark = pytest.mark.django_db(transaction=True)


def stop(patient: Patient) -> None:
    """The patient texts STOP."""
    revoke_consent(clinic=patient.clinic, number=phone_of(patient), method="keyword_stop", now=NOON, patient=patient)


def test_a_worker_waits_for_an_opt_out_that_is_being_written(patient: Patient, carrier: PaperCarrier) -> None:
    message, held = claimed_text(patient)

    with transaction.atomic():
        stop(patient)
        worker = Background(lambda: send_claimed(held=held, now=NOON, carrier=carrier))
        wait_until_somebody_waits_for_a_lock()
        assert carrier.asked_for == []

    assert worker.finish() == 0
    assert carrier.asked_for == []
    assert (again(message).state, again(message).reason) == ("suppressed", "opted_out")


def test_a_text_that_the_opt_out_could_not_see_yet_does_not_slip_through(
    patient: Patient, carrier: PaperCarrier
) -> None:
    written, may_commit = threading.Event(), threading.Event()

    def opt_out() -> None:
        with transaction.atomic():
            stop(patient)
            written.set()
            assert may_commit.wait(10)

    opting_out = Background(opt_out)
    assert written.wait(10)
    message, held = claimed_text(patient)
    worker = Background(lambda: send_claimed(held=held, now=NOON, carrier=carrier))
    wait_until_somebody_waits_for_a_lock()
    may_commit.set()

    opting_out.finish()
    assert worker.finish() == 0
    assert carrier.asked_for == []
    assert (again(message).state, again(message).reason) == ("suppressed", "no_consent")


def test_an_opt_out_waits_for_a_worker_at_the_commit_point_and_then_finds_the_text_gone(patient: Patient) -> None:
    message, held = claimed_text(patient)
    later = make_message(patient=patient, due_at=NOON + timedelta(hours=1))
    carrier = PaperCarrier(meanwhile=lambda: Background(lambda: stop(patient)).finish())

    assert send_claimed(held=held, now=NOON, carrier=carrier) == 1

    assert (again(message).state, again(message).withdrawn) == ("accepted", "opted_out")
    assert again(later).state == "suppressed"


def test_a_void_that_is_being_written_is_waited_for(patient: Patient, carrier: PaperCarrier) -> None:
    session = make_treatment_session(patient=patient, ended_at=NOON - timedelta(hours=1), now=NOON)
    make_plan(treatment_session=session, now=NOON)
    held = claim_due(now=NOON)

    with transaction.atomic():
        void_treatment_session(treatment_session=session, actor=AuditEvent.Actor.SYSTEM, now=NOON)
        worker = Background(lambda: send_claimed(held=held, now=NOON, carrier=carrier))
        wait_until_somebody_waits_for_a_lock()

    assert worker.finish() == 0
    assert carrier.asked_for == []
    assert set(session.messages.values_list("state", "reason")) == {("cancelled", "voided")}


def test_an_opt_out_that_is_rolled_back_stops_nothing(patient: Patient, carrier: PaperCarrier) -> None:
    _, held = claimed_text(patient)

    with transaction.atomic():
        stop(patient)
        worker = Background(lambda: send_claimed(held=held, now=NOON, carrier=carrier))
        wait_until_somebody_waits_for_a_lock()
        transaction.set_rollback(True)

    assert worker.finish() == 1


def test_workers_and_opt_outs_that_race_for_the_same_texts(clinic: Clinic) -> None:
    patients = [make_patient(clinic=clinic, now=NOON) for _ in range(40)]
    messages = [make_message(patient=patient, due_at=NOON) for patient in patients for _ in range(5)]
    begun: dict[UUID, float] = {}
    opted_out: dict[str, float] = {}

    class TimedCarrier(PaperCarrier):
        """Notes when each create begins."""

        def create(self, outgoing: Sequence[OutgoingText | OutgoingCall]) -> list[CreateResult]:
            begun.update((item.message_id, time.monotonic()) for item in outgoing)
            return super().create(outgoing)

    carriers = [TimedCarrier() for _ in range(3)]

    def send_little_by_little(carrier: PaperCarrier) -> None:
        while held := claim_due(now=NOON, limit=4):
            send_claimed(held=held, now=NOON, carrier=carrier)

    def opt_everybody_out() -> None:
        for patient in patients:
            stop(patient)
            opted_out[phone_of(patient)] = time.monotonic()

    works: list[Callable[[], None]] = [partial(send_little_by_little, carrier) for carrier in carriers]
    run_at_once([*works, opt_everybody_out])
    send_little_by_little(carriers[0])

    asked = [item.message_id for carrier in carriers for item in carrier.asked_for]
    assert len(asked) == len(set(asked))
    after = [again(message) for message in messages]
    assert {message.state for message in after} <= {"accepted", "suppressed"}
    for message in after:
        if message.public_id in begun and begun[message.public_id] > opted_out[message.to_number]:
            assert message.withdrawn == "opted_out", "it passed the commit point after the opt-out had committed"
