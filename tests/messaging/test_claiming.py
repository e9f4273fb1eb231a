"""Claiming: who gets which row, in which order, and how many."""

import threading
import time
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.models.expressions import RawSQL

from reminders.clinic.models import Clinic, Patient
from reminders.messaging.claimed import Held
from reminders.messaging.models import Message, Sender
from reminders.messaging.outbox import claim_due, expire_overdue, give_back, sweep_leases
from tests.factories import make_clinic, make_message, make_patient
from tests.messaging.conftest import NOON
from tests.messaging.outbox_steps import end_leases
from tests.messaging.threads import run_at_once

pytestmark = pytest.mark.django_db


def refill(sender: Sender, *, parts: float) -> None:
    """Give a sender this allowance, and as much again each second."""
    Sender.objects.filter(pk=sender.pk).update(
        allowance=parts, parts_per_second=parts, allowance_at=RawSQL("clock_timestamp()", [])
    )


def test_only_what_is_due_and_waits_is_claimed(patient: Patient) -> None:
    due = make_message(patient=patient, due_at=NOON)
    make_message(patient=patient, due_at=NOON + timedelta(microseconds=1))
    make_message(patient=patient, due_at=NOON, state="delivered")

    [held] = claim_due(now=NOON)

    due.refresh_from_db()
    assert held == Held(id=due.pk, fence=1)
    assert (due.state, due.fence, due.attempts) == ("claimed", 1, 0)
    assert due.lease_until is not None


def test_what_is_claimed_is_not_claimed_again(patient: Patient) -> None:
    make_message(patient=patient, due_at=NOON)

    assert len(claim_due(now=NOON)) == 1
    assert claim_due(now=NOON) == []


def test_urgent_ones_come_first_then_what_has_waited_longest(patient: Patient) -> None:
    minute = timedelta(minutes=1)
    advice = make_message(patient=patient, priority=3, due_at=NOON - 9 * minute)
    reply = make_message(patient=patient, priority=1, due_at=NOON - minute)
    check_in = make_message(patient=patient, priority=2, due_at=NOON - 5 * minute)
    emergency = make_message(patient=patient, priority=0, due_at=NOON)
    refill(emergency.sender, parts=3)

    first_three = [held.id for held in claim_due(now=NOON)]

    assert first_three == [emergency.pk, reply.pk, check_in.pk]
    advice.refresh_from_db()
    assert advice.state == "scheduled"


def test_a_sender_gives_no_more_parts_than_its_allowance(clinic: Clinic, patient: Patient) -> None:
    sender = clinic.senders.get()
    for _ in range(5):
        make_message(patient=patient, due_at=NOON, segments=2)
    refill(sender, parts=4)

    assert len(claim_due(now=NOON)) == 2
    assert claim_due(now=NOON) == []


def test_a_text_of_many_parts_is_not_held_for_ever_by_a_small_allowance(clinic: Clinic, patient: Patient) -> None:
    make_message(patient=patient, due_at=NOON, segments=7)
    refill(clinic.senders.get(), parts=1)

    assert len(claim_due(now=NOON)) == 1
    assert clinic.senders.get().allowance == pytest.approx(-6, abs=0.1)


def test_a_senders_allowance_comes_back_with_time_and_never_beyond_a_second_of_it(clinic: Clinic) -> None:
    patient = make_patient(clinic=clinic)
    for _ in range(30):
        make_message(patient=patient, due_at=NOON)
    Sender.objects.update(
        allowance=0, parts_per_second=10, allowance_at=RawSQL("clock_timestamp() - interval '1 hour'", [])
    )

    assert len(claim_due(now=NOON)) == 10


def test_a_paused_sender_holds_its_own_texts_and_no_others(clinic: Clinic, patient: Patient) -> None:
    held_back = make_message(patient=patient, due_at=NOON)
    elsewhere = make_message(patient=make_patient(clinic=make_clinic()), due_at=NOON)
    clinic.senders.update(paused_until=RawSQL("clock_timestamp() + interval '5 minutes'", []))

    assert [held.id for held in claim_due(now=NOON)] == [elsewhere.pk]

    clinic.senders.update(paused_until=RawSQL("clock_timestamp()", []))
    assert [held.id for held in claim_due(now=NOON)] == [held_back.pk]


def test_a_moved_clock_makes_texts_due_but_ends_no_lease_and_no_pause(clinic: Clinic, patient: Patient) -> None:
    make_message(patient=patient, due_at=NOON)
    claim_due(now=NOON)
    later = NOON + timedelta(days=2)
    make_message(patient=patient, due_at=later)
    clinic.senders.update(paused_until=RawSQL("clock_timestamp() + interval '5 minutes'", []))

    assert sweep_leases(now=later) == 0
    assert claim_due(now=later) == []


def test_rows_that_reached_no_worker_keep_the_time_they_were_due(patient: Patient) -> None:
    message = make_message(patient=patient, due_at=NOON - timedelta(minutes=7))
    held = claim_due(now=NOON)

    give_back(held=held, now=NOON)

    message.refresh_from_db()
    assert (message.state, message.due_at) == ("scheduled", NOON - timedelta(minutes=7))
    assert message.lease_until is None
    assert claim_due(now=NOON) == [Held(id=message.pk, fence=2)]


def test_giving_back_what_somebody_else_holds_by_now_does_nothing(patient: Patient) -> None:
    message = make_message(patient=patient, due_at=NOON)
    old = claim_due(now=NOON)
    end_leases()
    sweep_leases(now=NOON)
    claim_due(now=NOON)

    give_back(held=old, now=NOON)

    message.refresh_from_db()
    assert message.state == "claimed"


def test_a_claim_whose_lease_ended_waits_again_where_it_stood(patient: Patient) -> None:
    message = make_message(patient=patient, due_at=NOON - timedelta(minutes=7))
    [held] = claim_due(now=NOON)
    end_leases()

    assert sweep_leases(now=NOON) == 1

    message.refresh_from_db()
    assert (message.state, message.due_at, message.attempts) == ("scheduled", NOON - timedelta(minutes=7), 0)
    assert message.fence > held.fence


def test_a_lease_that_has_not_ended_is_left_alone(patient: Patient) -> None:
    make_message(patient=patient, due_at=NOON)
    claim_due(now=NOON)

    assert sweep_leases(now=NOON + timedelta(hours=5)) == 0


def test_what_waited_past_its_expiry_expires_also_behind_a_paused_sender(clinic: Clinic, patient: Patient) -> None:
    stale = make_message(patient=patient, due_at=NOON - timedelta(hours=3), expires_at=NOON)
    fresh = make_message(patient=patient, due_at=NOON, expires_at=NOON + timedelta(seconds=1))
    clinic.senders.update(paused_until=RawSQL("clock_timestamp() + interval '5 minutes'", []))

    assert expire_overdue(now=NOON) == 1

    stale.refresh_from_db()
    fresh.refresh_from_db()
    assert (stale.state, stale.reason, fresh.state) == ("expired", "found_past_expiry", "scheduled")


@pytest.mark.django_db(transaction=True)
def test_claimers_at_once_share_the_rows_and_the_allowance() -> None:
    clinics = [make_clinic() for _ in range(3)]
    for clinic in clinics:
        patient = make_patient(clinic=clinic)
        for _ in range(60):
            make_message(patient=patient, due_at=NOON)
        refill(clinic.senders.get(), parts=30)
    started = time.monotonic()

    def claim_often() -> list[Held]:
        return [held for _ in range(6) for held in claim_due(now=NOON, limit=7)]

    claims = run_at_once([claim_often] * 4)
    claims.append(claim_due(now=NOON))

    allowed = 30 + 30 * (time.monotonic() - started)
    everything = [held.id for claim in claims for held in claim]
    assert len(everything) == len(set(everything))
    for clinic in clinics:
        taken = Message.objects.filter(clinic=clinic, state="claimed").count()
        assert 30 <= taken <= allowed, "less: allowance was spent on rows that somebody else claimed"


@pytest.mark.django_db(transaction=True)
def test_an_import_that_is_still_writing_does_not_hold_the_senders_texts(clinic: Clinic, patient: Patient) -> None:
    waiting = make_message(patient=patient, due_at=NOON)
    written, claimed = threading.Event(), threading.Event()

    def import_slowly() -> None:
        with transaction.atomic():
            make_message(patient=patient, due_at=NOON + timedelta(days=1))
            written.set()
            assert claimed.wait(10)

    def claim() -> list[Held]:
        assert written.wait(10)
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '2s'")
            return claim_due(now=NOON)
        finally:
            claimed.set()

    _, held = run_at_once([import_slowly, claim])

    assert held is not None
    assert [one.id for one in held] == [waiting.pk]
