"""The process's line to the carrier: one event loop in a thread of its own, and one pool of connections.

Connections are kept for a moment, so that a burst pays for its handshakes once. What a request proves when it fails is
known by one fact, whether its first byte may have left; the exception alone does not tell.
"""

import asyncio
import atexit
import os
import threading
import time
from collections.abc import Coroutine
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar

import aiohttp
import uvloop
from aiohttp.client_reqrep import ClientRequest, ClientResponse
from aiohttp.connector import Connection

from reminders.delivery.connections import RestingConnector

# Twilio's answer to too many concurrent requests is 429; fifty in flight is well under the usual account limit of 100.
IN_FLIGHT = 50
# A part of the whole time for the connection alone: what never connected was never sent, and may go out again.
CONNECT_TIMEOUT_SECONDS = 5.0

T = TypeVar("T")


class TooLateError(Exception):
    """The request was to begin earlier than now; nothing of it was written."""


@dataclass(slots=True)
class Request:
    """What is known of one request while it is under way. `begin_by` is on the clock of `steady`."""

    begin_by: float
    has_begun: bool = False
    status: int = 0
    retry_after_seconds: float | None = None

    def begin(self) -> None:
        """Note that bytes leave from here on. Raises TooLateError where they must not leave any more."""
        if steady() > self.begin_by:
            raise TooLateError
        self.has_begun = True


current_request: ContextVar[Request] = ContextVar("current_request")
"""The request that this task is about; each create is a task of its own."""


def steady() -> float:
    """Return seconds on a clock that nobody sets. It goes on while the host sleeps, where the system has such a one."""
    return time.clock_gettime(_CLOCK)


async def until(moment: float) -> None:
    """Wait for a moment on the clock of `steady`. Never ends before it, whatever the event loop's own clock rounds."""
    while (left := moment - steady()) > 0:
        await asyncio.sleep(left)


_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class _Outgoing(ClientRequest):
    """A request that tells when its connection stands and its first byte is next."""

    async def send(self, conn: Connection) -> ClientResponse:
        if request := current_request.get(None):
            request.begin()
        return await super().send(conn)


class Wire:
    """A running event loop with its session. Made by `wire`, in the process that uses it."""

    def __init__(self) -> None:
        # A fifth less of a core for each create than the standard loop.
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="carrier-wire", daemon=True)
        self._thread.start()
        self.places = asyncio.Semaphore(IN_FLIGHT)
        self.session = self.run(self._open())

    async def _open(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=RestingConnector(),
            # Whoever asks bounds the whole of it.
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
            request_class=_Outgoing,
        )

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` to its end and return what it returns, from any thread but the wire's own.

        Where the caller is interrupted, what has not begun does not begin.
        """
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def close(self) -> None:
        """Close the connections and end the thread."""
        self.run(self.session.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class _Here:
    """This process's wire, once it has one."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.wire: Wire | None = None
        # Wires that a parent opened. A child must neither use nor free them: the freeing would reach into what the
        # kernel shares between the two, and the parent's own sockets would fall silent.
        self.inherited: list[Wire] = []

    def begin_anew_in_child(self) -> None:
        self.lock = threading.Lock()
        if self.wire is not None:
            self.inherited.append(self.wire)
        self.wire = None


_here = _Here()


def wire() -> Wire:
    """Return this process's wire. Made at its first use, so after any fork."""
    with _here.lock:
        if _here.wire is None:
            _here.wire = Wire()
        return _here.wire


def close_wire() -> None:
    """Close this process's wire, if it has one; the next use makes a new one."""
    with _here.lock:
        if _here.wire is not None:
            _here.wire.close()
        _here.wire = None


os.register_at_fork(after_in_child=_here.begin_anew_in_child)
atexit.register(close_wire)
