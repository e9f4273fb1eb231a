"""Tasks keep their database connection, in each thread its own, and get a new one where it broke."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future

import pytest
from celery import Celery
from celery.contrib.testing.worker import start_worker
from django.db import connection, connections

from reminders.celery import app as product

THREADS = 2
SECONDS = 20

Run = Callable[[Callable[[], object]], "Future[object]"]

pytestmark = pytest.mark.django_db(transaction=True)


def backend() -> int:
    """Return the number of the server process behind this thread's connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [number] = cursor.fetchone()
    return int(number)


@pytest.fixture(scope="module")
def run(django_db_setup: None) -> Iterator[Run]:
    """Run something as a task of a worker with threads, set up as ours is."""
    app = Celery("trial", broker="memory://", set_as_current=False, fixups=vars(product)["fixups"])
    app.conf.broker_transport_options = {"polling_interval": 0.01}
    app.conf.task_ignore_result = True
    app.conf.task_acks_late = True
    app.conf.worker_hijack_root_logger = False
    app.conf.worker_prefetch_multiplier = 1
    asked: list[tuple[Callable[[], object], Future[object]]] = []

    @app.task(shared=False)
    def do(number: int) -> None:
        what, promise = asked[number]
        try:
            promise.set_result(what())
        except BaseException as error:
            promise.set_exception(error)
            raise

    def run(what: Callable[[], object]) -> "Future[object]":
        asked.append((what, Future()))
        do.delay(len(asked) - 1)
        return asked[-1][1]

    with start_worker(app, pool="threads", concurrency=THREADS, perform_ping_check=False):
        yield run
        together = threading.Barrier(THREADS)

        def close() -> None:
            together.wait(SECONDS)
            connections.close_all()

        for end in [run(close) for _ in range(THREADS)]:
            end.result(SECONDS)


def test_tasks_keep_the_connection_of_their_thread(run: Run) -> None:
    seen = {run(backend).result(SECONDS) for _ in range(10)}

    assert 1 <= len(seen) <= THREADS


def test_a_connection_that_the_server_cut_is_replaced_before_the_next_task(run: Run) -> None:
    before = [run(backend).result(SECONDS) for _ in range(6)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(number, 5000) FROM unnest(%s) AS number", [before])

    after = [run(backend).result(SECONDS) for _ in range(6)]
    assert not set(before) & set(after)


def test_a_task_that_broke_its_connection_leaves_a_good_one_to_the_next(run: Run) -> None:
    def cut() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    errors = [run(cut).exception(SECONDS) for _ in range(3)]

    assert all(errors)
    assert all(run(backend).result(SECONDS) for _ in range(4))


def test_a_task_that_hangs_does_not_hold_back_another(run: Run) -> None:
    let_go = threading.Event()
    hanging = run(lambda: let_go.wait(SECONDS))

    assert run(backend).result(SECONDS)
    assert not hanging.done()
    let_go.set()
    assert hanging.result(SECONDS)
