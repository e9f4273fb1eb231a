"""Faults of the broker, of what it carries, and of the database."""

import contextlib

import psutil
import psycopg
import redis
from django.db import connections

from benchmarks.chaos.field import SCHEDULER, WEB, Field, kill
from benchmarks.chaos.processes import on_a_slow_carrier

DELIVERIES = 5


@on_a_slow_carrier
def deliver_often(field: Field, name: str) -> None:
    """Every Celery task arrives five times: some copies before older tasks, some seconds after the others."""
    field.switch(*({"words": words, "deliveries": DELIVERIES} for words in (SCHEDULER, WEB)))
    field.restart(SCHEDULER, WEB)
    field.open_wave(name)
    field.rest()
    field.switch()
    field.restart(SCHEDULER, WEB)


@on_a_slow_carrier
def flush_broker(field: Field, name: str) -> None:
    """FLUSHALL, again and again: tasks are gone between publishing and running."""
    field.open_wave(name)
    while field.goes_on():
        with contextlib.suppress(redis.RedisError):
            field.broker().flushall()
        field.pause(0.02, 0.4)


@on_a_slow_carrier
def kill_broker(field: Field, name: str) -> None:
    """Kill -9 of the broker; it comes back empty."""
    field.open_wave(name)
    while field.goes_on():
        kill(field.leader("valkey-server"))
        field.pause(1.0, 3.0)


def pause_broker(field: Field, name: str) -> None:
    """The broker stands still: connections stay, answers do not come."""
    field.open_wave(name)
    broker = field.leader("valkey-server")
    if broker is not None:
        broker.suspend()
    field.rest()
    if broker is not None:
        with contextlib.suppress(psutil.Error):
            broker.resume()


@on_a_slow_carrier
def cut_database(field: Field, name: str) -> None:
    """pg_terminate_backend of every connection but our own."""
    field.open_wave(name)
    while field.goes_on():
        with (
            contextlib.suppress(psycopg.Error),
            psycopg.connect(field.house.plan.environment["DATABASE_URL"], autocommit=True) as server,
        ):
            server.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            )
        field.pause(0.05, 0.5)
    connections.close_all()


@on_a_slow_carrier
def kill_database(field: Field, name: str) -> None:
    """Kill -9 of PostgreSQL under load; it recovers from its log."""
    field.open_wave(name)
    field.pause(0.5, 1.5)
    kill(field.database_leader())
    field.rest()
    connections.close_all()
