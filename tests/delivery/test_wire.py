"""The process's line to the carrier: shared by threads, never by processes, kept for a moment, never early."""

import json
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from reminders.delivery.port import Accepted, NotProcessed, Unknown
from reminders.delivery.twilio_carrier import TwilioCarrier
from reminders.delivery.wire import IN_FLIGHT, close_wire, wire
from tests.delivery.keeping import Keeping, keeping_server
from tests.delivery.outgoing import ACCOUNT, TOKEN, call, text, texts


@pytest.fixture
def server() -> Iterator[Keeping]:
    with keeping_server() as one:
        yield one


@pytest.fixture
def kept_long(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Connections that no pause of a busy machine lets go, and that need no rest."""
    monkeypatch.setattr("reminders.delivery.connections.REST_SECONDS", 0.0)
    monkeypatch.setattr("reminders.delivery.connections.KEPT_SECONDS", 60.0)
    close_wire()
    yield
    close_wire()


def adapter(server: Keeping, *, timeout_seconds: float = 10) -> TwilioCarrier:
    return TwilioCarrier(account_sid=ACCOUNT, auth_token=TOKEN, base_url=server.url, timeout_seconds=timeout_seconds)


@pytest.mark.usefixtures("kept_long")
def test_a_burst_pays_for_its_handshakes_once(server: Keeping) -> None:
    carrier = adapter(server)

    for _ in range(10):
        assert all(isinstance(result, Accepted) for result in carrier.create(texts(3)))

    assert server.connections == 3
    assert len(server.arrivals) == 30


def test_more_than_the_places_wait_for_one(server: Keeping) -> None:
    results = adapter(server).create(texts(IN_FLIGHT + 10))

    assert all(isinstance(result, Accepted) for result in results)
    assert server.most_at_once <= IN_FLIGHT


def test_an_idle_connection_is_let_go_long_before_its_server_would(server: Keeping) -> None:
    adapter(server).create([text()])

    assert server.one_was_let_go.wait(10)


def test_a_connection_rests_before_it_is_used_again(server: Keeping, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reminders.delivery.connections.REST_SECONDS", 60.0)
    carrier = adapter(server)

    for _ in range(3):
        assert isinstance(carrier.create([text()])[0], Accepted)

    assert server.connections == 3


@pytest.mark.usefixtures("kept_long")
def test_a_server_that_closes_without_a_word_gets_a_fresh_connection_each_time(server: Keeping) -> None:
    carrier = adapter(server)
    server.closes_after_next.set()
    carrier.create([text()])
    assert server.has_closed.wait(10)

    for _ in range(3):
        assert isinstance(carrier.create([text()])[0], Accepted)

    assert (len(server.arrivals), server.connections) == (4, 4)


@pytest.mark.usefixtures("kept_long")
def test_a_kept_connection_that_breaks_after_the_bytes_left_proves_nothing(server: Keeping) -> None:
    carrier = adapter(server)
    carrier.create([text()])
    server.hangs_up_on_next.set()

    assert carrier.create([text()]) == [Unknown("ServerDisconnectedError")]
    assert (len(server.arrivals), server.connections) == (2, 1)


def test_a_create_that_hangs_holds_back_no_other_thread(server: Keeping) -> None:
    carrier = adapter(server, timeout_seconds=20)
    server.hangs_on_next.set()
    with ThreadPoolExecutor(8) as threads:
        hanging = threads.submit(carrier.create, [text()])
        assert server.is_hanging.wait(10)
        others = [threads.submit(carrier.create, texts(5)) for _ in range(14)]

        assert all(isinstance(result, Accepted) for other in others for result in other.result(15))
        assert not hanging.done()
        server.let_go.set()
        hanging.result(15)


def test_a_child_has_a_line_of_its_own_and_the_parents_goes_on(server: Keeping) -> None:
    carrier = adapter(server)
    carrier.create([text()])
    parents = wire()

    child = os.fork()
    if child == 0:
        well = [isinstance(result, Accepted) for result in carrier.create(texts(2))] == [True, True]
        os._exit(0 if well and wire() is not parents else 1)
    _pid, status = os.waitpid(child, 0)

    assert status == 0
    assert isinstance(carrier.create([text()])[0], Accepted)
    assert wire() is parents
    assert server.connections >= 3


def test_a_closed_line_is_opened_anew(server: Keeping) -> None:
    carrier = adapter(server)
    carrier.create([text()])
    close_wire()

    assert isinstance(carrier.create([text()])[0], Accepted)
    assert server.connections == 2


def test_each_leaves_when_its_time_has_come_and_not_before(server: Keeping) -> None:
    waits = [0.6, 0.0, 0.3, 0.2]
    items = [replace(text(), body=str(seconds), wait_seconds=seconds) for seconds in waits]
    asked_at = time.monotonic()

    results = adapter(server).create([*items, replace(call(), wait_seconds=0.1)])

    assert all(isinstance(result, Accepted) for result in results)
    [called_at] = [at for at, request in server.arrivals if "/Calls.json" in request]
    assert called_at - asked_at >= 0.1
    for seconds in waits:
        [arrived_at] = [at for at, request in server.arrivals if request.endswith(f"Body={seconds}")]
        assert arrived_at - asked_at >= seconds


def test_who_waits_for_its_time_holds_no_place(server: Keeping) -> None:
    waiting = [replace(text(), wait_seconds=1.0) for _ in range(IN_FLIGHT)]

    results = adapter(server).create([*waiting, text(body="first")])

    assert all(isinstance(result, Accepted) for result in results)
    assert server.arrivals[0][1].endswith("Body=first")


def test_what_could_not_begin_in_time_was_never_processed(server: Keeping) -> None:
    [late, patient] = adapter(server).create([replace(text(), begin_within_seconds=0.0), text()])

    assert late == NotProcessed("stood_still")
    assert isinstance(patient, Accepted)
    assert len(server.arrivals) == 1


def test_what_finds_no_place_in_time_was_never_processed(server: Keeping) -> None:
    server.hangs.set()
    carrier = adapter(server, timeout_seconds=0.8)

    results = carrier.create([*texts(IN_FLIGHT), replace(text(), begin_within_seconds=0.3)])

    assert results.pop() == NotProcessed("stood_still")
    assert set(results) <= {Unknown("timeout"), NotProcessed("no_connection")}
    assert results.count(Unknown("timeout")) >= len(server.arrivals)


def test_the_answer_is_read_for_each_request_by_itself(server: Keeping) -> None:
    refuse = json.dumps({"code": 20429, "message": "slow down", "status": 429})
    server.answers[f"Body={'a' * 3}"] = ("429 Too Many Requests", refuse, "Retry-After: 3")
    items = [replace(text(), body="a" * number) for number in range(1, 30)]

    results = adapter(server).create(items)

    assert results.pop(2) == NotProcessed("back_off", 3.0, 20429)
    assert all(isinstance(result, Accepted) for result in results)
