"""The scheduler: wakes when something is due or announced, and outlives what breaks around it."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection
from kombu.exceptions import OperationalError
from structlog.testing import capture_logs

from reminders import clock
from reminders.celery import app
from reminders.clinic.models import Clinic, Patient
from reminders.management import scheduler_loop
from reminders.management.scheduler_loop import Chore, dispatch_due, do_chores, run
from reminders.messaging.compose import announce
from reminders.messaging.tasks import send_batch
from tests.factories import make_message
from tests.messaging.outbox_steps import again
from tests.messaging.threads import Background
from tests.waiting import eventually

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, Sequence[Sequence[int]]]]:
    """Batches that were published, with the moment on a steady clock; nothing goes to a broker."""
    batches: list[tuple[float, Sequence[Sequence[int]]]] = []
    monkeypatch.setattr(send_batch, "apply_async", lambda args, queue: batches.append((time.monotonic(), *args)))
    return batches


@pytest.fixture
def no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Celery as it is, with nobody listening where the broker should be."""
    nowhere: dict[str, Any] = {"connection": app.connection_for_write("redis://127.0.0.1:9/0")}
    publish = partial(send_batch.apply_async, **nowhere)
    monkeypatch.setattr(send_batch, "apply_async", publish)


@pytest.fixture
def scheduler(monkeypatch: pytest.MonkeyPatch, published: object) -> Iterator[Callable[..., Background]]:
    """Starts the loop in a thread, with these chores; stops it at the end."""
    stop = threading.Event()
    running: list[Background] = []
    monkeypatch.setattr(scheduler_loop, "AFTER_FAILURE_SECONDS", 0.05)

    def start(*chores: Chore) -> Background:
        monkeypatch.setattr(scheduler_loop, "chores", lambda: list(chores))
        running.append(Background(lambda: run(stop=stop)))
        return running[-1]

    yield start
    stop.set()
    announce()  # so that none of them sleeps on
    for one in running:
        one.finish()


def listening() -> bool:
    """Whether the loop waits for announcements."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%%'"
        )
        return bool(cursor.fetchone()[0])


def test_what_is_due_is_claimed_and_published_in_batches_with_its_fence(
    clinic: Clinic, patient: Patient, published: list[tuple[float, Any]]
) -> None:
    now = clock.now()
    clinic.senders.update(parts_per_second=100_000)
    messages = [make_message(patient=patient, due_at=now) for _ in range(120)]

    dispatch_due(now=now)

    assert [len(batch) for _, batch in published] == [100, 20]
    assert sorted(one for _, batch in published for one in batch) == sorted([message.pk, 1] for message in messages)
    assert dispatch_due(now=now) == scheduler_loop.LONGEST_WAIT_SECONDS, "nothing more is due"


def test_it_looks_again_when_a_senders_next_turn_comes(clinic: Clinic, patient: Patient, published: list[Any]) -> None:
    now = clock.now()
    for _ in range(2):
        make_message(patient=patient, due_at=now)
    clinic.senders.update(parts_per_second=0.1)

    assert dispatch_due(now=now) == scheduler_loop.SHORTEST_WAIT_SECONDS, "more may be had where some was"
    assert 5 < dispatch_due(now=now) < 11
    assert [len(batch) for _, batch in published] == [1]


def test_a_held_sender_is_no_reason_to_look_again_soon(clinic: Clinic, patient: Patient, published: list[Any]) -> None:
    now = clock.now()
    make_message(patient=patient, due_at=now)
    clinic.senders.update(paused_until=now + timedelta(days=1))

    assert dispatch_due(now=now) > scheduler_loop.LONGEST_WAIT_SECONDS
    assert published == []


def test_an_emergency_has_a_queue_of_its_own(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    queues: list[tuple[str, list[int]]] = []

    def publish(args: tuple[list[list[int]]], queue: str) -> None:
        queues.append((queue, [one for one, _fence in args[0]]))

    monkeypatch.setattr(send_batch, "apply_async", publish)
    now = clock.now()
    advice = make_message(patient=patient, due_at=now)
    emergency = make_message(patient=patient, due_at=now, priority=0)

    dispatch_due(now=now)

    assert queues == [("urgent", [emergency.pk]), ("send", [advice.pk])]


def test_a_new_text_is_published_as_soon_as_it_is_announced(
    patient: Patient,
    scheduler: Callable[..., Background],
    published: list[tuple[float, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scheduler_loop, "LONGEST_WAIT_SECONDS", 30)
    scheduler()
    eventually(listening, what="the loop listens")

    started = time.monotonic()
    message = make_message(patient=patient, due_at=clock.now())
    announce()

    eventually(lambda: bool(published), what="the text is published", seconds=10)
    assert published[0][1] == [[message.pk, 1]]
    assert published[0][0] - started < 2


def test_a_text_is_published_when_its_time_has_come_and_not_before(
    patient: Patient, scheduler: Callable[..., Background], published: list[tuple[float, Any]]
) -> None:
    make_message(patient=patient, due_at=clock.now() + timedelta(seconds=0.6))
    started = time.monotonic()
    scheduler()

    eventually(lambda: bool(published), what="the text is published", seconds=10)
    assert 0.55 < published[0][0] - started < 1.5


def test_a_moved_clock_wakes_it(
    patient: Patient,
    scheduler: Callable[..., Background],
    published: list[tuple[float, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scheduler_loop, "LONGEST_WAIT_SECONDS", 30)
    make_message(patient=patient, due_at=clock.now() + timedelta(hours=2))
    scheduler()
    eventually(listening, what="the loop listens")

    clock.advance(by=timedelta(hours=2))

    eventually(lambda: bool(published), what="the text is published", seconds=10)


def test_a_broker_that_is_away_costs_no_lease_and_no_place(patient: Patient, no_broker: None) -> None:
    now = clock.now()
    message = make_message(patient=patient, due_at=now - timedelta(minutes=3))

    with pytest.raises(OperationalError):
        dispatch_due(now=now)

    assert (again(message).state, again(message).due_at) == ("scheduled", now - timedelta(minutes=3))


def test_the_loop_goes_on_with_its_chores_while_the_broker_is_away_and_sends_when_it_is_back(
    patient: Patient, scheduler: Callable[..., Background], monkeypatch: pytest.MonkeyPatch
) -> None:
    away, back, done = threading.Event(), threading.Event(), []

    def publish(args: object, queue: str) -> None:
        if not back.is_set():
            away.set()
            raise ConnectionError("broker is away")
        done.append(args)

    monkeypatch.setattr(send_batch, "apply_async", publish)
    make_message(patient=patient, due_at=clock.now())
    counted: list[object] = []
    scheduler(Chore("count", 0, counted.append))

    assert away.wait(10)
    so_far = len(counted)
    eventually(lambda: len(counted) > so_far + 2, what="chores go on")
    back.set()

    eventually(lambda: bool(done), what="the text is published", seconds=10)


def test_a_broken_chore_stops_neither_the_others_nor_the_sending(
    patient: Patient, scheduler: Callable[..., Background], published: list[Any]
) -> None:
    counted: list[object] = []

    def breaks(_now: object) -> None:
        raise RuntimeError("+13125550101 said something")

    make_message(patient=patient, due_at=clock.now())
    with capture_logs() as logs:
        loop = scheduler(Chore("breaks", 0, breaks), Chore("count", 0, counted.append))
        eventually(lambda: len(published) == 1 and len(counted) > 3, what="it goes on", seconds=10)

    assert loop.is_running
    told = [entry for entry in logs if entry["event"] == "chore_failed"]
    assert told[0]["kind"] == "RuntimeError"
    assert "+1312" not in str(told)


def test_the_loop_survives_cut_connections(
    patient: Patient, scheduler: Callable[..., Background], published: list[Any]
) -> None:
    loop = scheduler()
    eventually(listening, what="the loop listens")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    make_message(patient=patient, due_at=clock.now())

    eventually(lambda: bool(published), what="the text is published", seconds=20)
    assert loop.is_running


def test_two_schedulers_publish_each_text_once(
    patient: Patient, scheduler: Callable[..., Background], published: list[tuple[float, Any]]
) -> None:
    scheduler()
    scheduler()
    due = clock.now() + timedelta(seconds=0.3)
    messages = [make_message(patient=patient, due_at=due) for _ in range(60)]
    announce()

    eventually(lambda: sum(len(batch) for _, batch in published) >= 60, what="all are published", seconds=10)
    assert sorted(one for _, batch in published for one in batch) == sorted([message.pk, 1] for message in messages)


def test_a_chore_keeps_its_pace() -> None:
    counted: list[object] = []
    chores = [Chore("often", 0, counted.append), Chore("rarely", 3600, counted.append)]

    for _ in range(3):
        do_chores(chores)

    assert len(counted) == 4
