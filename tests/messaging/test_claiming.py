"""Claiming: who gets which row, in which order, and how many."""

import threading
import time
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.models.expressions import RawSQL

from reminders.clinic.models import Clinic, Patient
from reminders.messaging.claimed import Held
from reminders.messaging.models import Message, OutboxRow, Sender
from reminders.messaging.outbox import (
    claim_due,
    claim_urgent,
    expire_overdue,
    give_back,
    next_turn_in,
    sweep_leases,
)
from tests.factories import make_clinic, make_message, make_patient
from tests.messaging.conftest import NOON
from tests.messaging.outbox_steps import again, end_leases, sending_state
from tests.messaging.threads import run_at_once

pytestmark = pytest.mark.django_db


def set_pace(sender: Sender, *, parts_per_second: float) -> None:
    """Give a sender this pace, and its next turn now."""
    now = RawSQL("clock_timestamp()", [])
    Sender.objects.filter(pk=sender.pk).update(parts_per_second=parts_per_second, claimed_until=now, turns_until=now)


def seconds_ahead(sender: Sender, column: str) -> float:
    """How far ahead of the database's time a sender's rate is given away."""
    columns = Sender.objects.annotate(unmoved_now=RawSQL("clock_timestamp()", [])).values(column, "unmoved_now")
    found = columns.get(pk=sender.pk)
    return float((found[column] - found["unmoved_now"]).total_seconds())


def test_only_what_is_due_and_waits_is_claimed(patient: Patient) -> None:
    due = make_message(patient=patient, due_at=NOON)
    make_message(patient=patient, due_at=NOON + timedelta(microseconds=1))
    make_message(patient=patient, due_at=NOON, state="delivered")

    [held] = claim_due(now=NOON)

    row = OutboxRow.objects.get(pk=due.pk)
    assert held == Held(id=due.pk, fence=1)
    assert (row.state, row.fence, row.attempts) == ("claimed", 1, 0)
    assert row.lease_until is not None
    assert again(due).state == "scheduled", "that workers hold it is nobody else's business"


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
    order = []
    for claim in (claim_urgent, claim_due, claim_due, claim_due):
        set_pace(emergency.sender, parts_per_second=1)
        order += [held.id for held in claim(now=NOON)]

    assert order == [emergency.pk, reply.pk, check_in.pk, advice.pk]


def test_a_sender_is_given_what_leaves_within_a_tenth_of_a_second(clinic: Clinic, patient: Patient) -> None:
    sender = clinic.senders.get()
    for _ in range(20):
        make_message(patient=patient, due_at=NOON, segments=2)
    set_pace(sender, parts_per_second=100)
    started = time.monotonic()

    claimed = len(claim_due(now=NOON)) + len(claim_due(now=NOON))

    took = time.monotonic() - started
    assert 5 <= claimed <= min(20, 1 + (0.1 + took) * 97.5 / 2)
    assert seconds_ahead(sender, "claimed_until") <= 0.1 + 2 / 97.5


def test_a_text_of_many_parts_takes_its_time_and_is_not_held_for_ever(clinic: Clinic, patient: Patient) -> None:
    sender = clinic.senders.get()
    for _ in range(2):
        make_message(patient=patient, due_at=NOON, segments=7)
    set_pace(sender, parts_per_second=1)

    assert len(claim_due(now=NOON)) == 1
    assert seconds_ahead(sender, "claimed_until") == pytest.approx(7 / 0.975, abs=3)


def test_a_sender_that_rested_for_an_hour_does_not_make_up_for_it(clinic: Clinic, patient: Patient) -> None:
    for _ in range(30):
        make_message(patient=patient, due_at=NOON)
    set_pace(clinic.senders.get(), parts_per_second=10)
    Sender.objects.update(claimed_until=RawSQL("clock_timestamp() - interval '1 hour'", []))

    assert len(claim_due(now=NOON)) == 1


def test_an_urgent_one_waits_for_no_pace_and_what_follows_waits_longer(clinic: Clinic, patient: Patient) -> None:
    sender = clinic.senders.get()
    set_pace(sender, parts_per_second=0.1)
    make_message(patient=patient, due_at=NOON)
    claim_due(now=NOON)
    emergency = make_message(patient=patient, priority=0, due_at=NOON)

    assert [held.id for held in claim_urgent(now=NOON)] == [emergency.pk]
    assert seconds_ahead(sender, "claimed_until") == pytest.approx(2 / 0.0975, abs=5)


def test_the_senders_take_turns_whatever_one_of_them_has_waiting() -> None:
    burst, few = make_clinic(), make_clinic()
    for clinic, texts in ((burst, 50), (few, 3)):
        patient = make_patient(clinic=clinic)
        for _ in range(texts):
            make_message(patient=patient, due_at=NOON, priority=2 if clinic is burst else 3)
        set_pace(clinic.senders.get(), parts_per_second=1000)

    claimed = [Message.objects.get(pk=held.id).clinic_id for held in claim_due(now=NOON, limit=8)]

    assert sorted(claimed[:6]) == sorted([burst.pk, few.pk] * 3)
    assert claimed[6:] == [burst.pk] * 2


def test_workers_are_handed_no_more_than_they_can_hold(clinic: Clinic, patient: Patient) -> None:
    for _ in range(10):
        make_message(patient=patient, due_at=NOON)

    assert len(claim_due(now=NOON, limit=6)) == 6
    assert claim_due(now=NOON, limit=6) == []
    emergency = make_message(patient=patient, priority=0, due_at=NOON)
    assert [held.id for held in claim_urgent(now=NOON, limit=6)] == [emergency.pk]


def test_when_a_claim_may_find_something(clinic: Clinic, patient: Patient) -> None:
    sender = clinic.senders.get()
    assert next_turn_in(now=NOON) is None
    make_message(patient=patient, due_at=NOON + timedelta(seconds=1))
    assert next_turn_in(now=NOON) is None
    make_message(patient=patient, due_at=NOON)
    set_pace(sender, parts_per_second=0.1)
    assert next_turn_in(now=NOON) == 0
    claim_due(now=NOON)
    make_message(patient=patient, due_at=NOON)
    assert next_turn_in(now=NOON) == pytest.approx(1 / 0.0975, abs=5)
    make_message(patient=patient, priority=0, due_at=NOON)
    assert next_turn_in(now=NOON) == 0
    Sender.objects.filter(pk=sender.pk).update(paused_until=RawSQL("clock_timestamp() + interval '1 hour'", []))
    assert next_turn_in(now=NOON) == pytest.approx(3600, abs=60), "nobody looks at a held sender ten times a second"


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

    row = OutboxRow.objects.get(pk=message.pk)
    assert (row.state, row.due_at, row.lease_until) == ("scheduled", NOON - timedelta(minutes=7), None)
    assert claim_due(now=NOON) == [Held(id=message.pk, fence=2)]


def test_giving_back_what_somebody_else_holds_by_now_does_nothing(patient: Patient) -> None:
    message = make_message(patient=patient, due_at=NOON)
    old = claim_due(now=NOON)
    end_leases()
    sweep_leases(now=NOON)
    claim_due(now=NOON)

    give_back(held=old, now=NOON)

    assert sending_state(message) == "claimed"


def test_a_claim_whose_lease_ended_waits_again_where_it_stood(patient: Patient) -> None:
    message = make_message(patient=patient, due_at=NOON - timedelta(minutes=7))
    [held] = claim_due(now=NOON)
    end_leases()

    assert sweep_leases(now=NOON) == 1

    row = OutboxRow.objects.get(pk=message.pk)
    assert (row.state, row.due_at, row.attempts) == ("scheduled", NOON - timedelta(minutes=7), 0)
    assert row.fence > held.fence


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
def test_claimers_at_once_share_the_rows_and_the_pace() -> None:
    clinics = [make_clinic() for _ in range(3)]
    for clinic in clinics:
        patient = make_patient(clinic=clinic)
        for _ in range(60):
            make_message(patient=patient, due_at=NOON)
        set_pace(clinic.senders.get(), parts_per_second=100)
    started = time.monotonic()

    def claim_often() -> list[Held]:
        return [held for _ in range(6) for held in claim_due(now=NOON)]

    claims = run_at_once([claim_often] * 4)
    claims.append(claim_due(now=NOON))

    allowed = 11 + 100 * (time.monotonic() - started)
    everything = [held.id for claim in claims for held in claim]
    assert len(everything) == len(set(everything))
    for clinic in clinics:
        taken = OutboxRow.objects.filter(clinic=clinic, state="claimed").count()
        assert 10 <= taken <= allowed, "less: turns were spent on rows that somebody else claimed"


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
