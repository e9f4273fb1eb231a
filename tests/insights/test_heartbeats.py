"""Signs of life: who is at which duty, on the database's unmoved time."""

from datetime import timedelta

import pytest
from django.db import DatabaseError
from django.db.models.functions import Now
from structlog.testing import capture_logs

from reminders import clock
from reminders.insights import heartbeats
from reminders.insights.heartbeats import SCHEDULER, WORKER, Pulse, duties, sweep_heartbeats
from reminders.insights.models import Heartbeat

pytestmark = pytest.mark.django_db


def alive(*, host: str = "") -> dict[str, int]:
    """How many processes are at each duty."""
    return {duty.duty: duty.alive for duty in duties(host=host)}


def age_all(by: timedelta) -> None:
    """Let all processes fall silent for so long."""
    Heartbeat.objects.update(seen_at=Now() - by)


def test_a_duty_that_nobody_was_ever_seen_at_is_told_as_such() -> None:
    assert {(duty.alive, duty.age_seconds) for duty in duties()} == {(0, None)}
    assert len(duties()) == 6


def test_a_worker_is_seen_at_each_of_its_queues() -> None:
    Pulse(kind=WORKER, duties=["think", "tidy"], name="think@one").beat()

    assert alive() == {"dispatch": 0, "chores": 0, "urgent": 0, "send": 0, "think": 1, "tidy": 1}


def test_two_schedulers_count_as_two_and_the_last_one_seen_gives_the_age() -> None:
    Pulse(kind=SCHEDULER, duties=["dispatch"], name="one:1").beat()
    age_all(timedelta(minutes=3))
    Pulse(kind=SCHEDULER, duties=["dispatch"], name="two:1").beat()

    (dispatch, *_) = duties()
    assert dispatch.alive == 1
    assert dispatch.age_seconds is not None
    assert dispatch.age_seconds < 5


def test_a_process_beats_into_one_row_and_not_more_often_than_it_must(monkeypatch: pytest.MonkeyPatch) -> None:
    pulse = Pulse(kind=SCHEDULER, duties=["dispatch"], name="one:1")
    pulse.beat()
    age_all(timedelta(minutes=3))
    pulse.beat()
    assert alive()["dispatch"] == 0, "it said so a moment ago"

    monkeypatch.setattr(heartbeats, "EVERY_SECONDS", 0)
    Pulse(kind=SCHEDULER, duties=["dispatch"], name="one:1").beat()
    assert alive()["dispatch"] == 1
    assert Heartbeat.objects.count() == 1


def test_moving_the_clock_makes_nobody_look_dead() -> None:
    Pulse(kind=SCHEDULER, duties=["dispatch", "chores"], name="one:1").beat()

    clock.advance(by=timedelta(days=2))

    assert alive() == {"dispatch": 1, "chores": 1, "urgent": 0, "send": 0, "think": 0, "tidy": 0}


def test_a_host_is_asked_for_its_own_processes_alone() -> None:
    Pulse(kind=SCHEDULER, duties=["dispatch"], name="one:1").beat()
    Pulse(kind=WORKER, duties=["send"], name="send@one").beat()

    assert alive(host="one") == {"dispatch": 1, "chores": 0, "urgent": 0, "send": 1, "think": 0, "tidy": 0}
    assert set(alive(host="on").values()) == {0}


def test_who_ends_in_order_is_not_missed() -> None:
    pulse = Pulse(kind=WORKER, duties=["send"], name="send@one")
    pulse.beat()
    pulse.end()

    assert not Heartbeat.objects.exists()


def test_what_a_killed_process_left_is_swept_when_it_is_old() -> None:
    Pulse(kind=SCHEDULER, duties=["dispatch"], name="killed:1").beat()
    assert sweep_heartbeats() == 0
    age_all(timedelta(hours=2))

    assert sweep_heartbeats() == 1


def test_a_heartbeat_that_cannot_be_written_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_args: object, **_kwargs: object) -> None:
        raise DatabaseError("away")

    monkeypatch.setattr(Heartbeat.objects, "bulk_create", fails)
    with capture_logs() as logs:
        Pulse(kind=SCHEDULER, duties=["dispatch"], name="one:1").beat()

    assert [(entry["event"], entry["kind"]) for entry in logs] == [("heartbeat_not_written", "DatabaseError")]
