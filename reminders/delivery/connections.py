"""Which connections may be used again: those whose server has shown that it keeps them.

A server that closes after its answer without saying so is on its way to hang up while we already write the next
request, and nothing proves afterwards that it did not read it. So a connection rests for a moment before it is used
again, time for that end to arrive; and a server that once closed a resting one gets a fresh connection each time.
"""

import select
from time import monotonic

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ConnectionKey
from aiohttp.connector import Connection
from aiohttp.tracing import Trace

# A kept connection that its server closes as we write is an answer we never get. Servers keep an idle one for at least
# two seconds (gunicorn; the others five and more), and a burst has no gap of one.
KEPT_SECONDS = 1.0
# Many times what the end of a connection takes to arrive; at 1,000 texts a second it costs 20 connections more.
REST_SECONDS = 0.02
# How long a server that closed a resting connection gets fresh ones.
DISTRUST_SECONDS = 60.0
# Only Linux tells the end of the other side by itself; elsewhere it looks like any other byte, and only that one goes.
ENDED = getattr(select, "POLLRDHUP", 0) | select.POLLHUP | select.POLLERR


class RestingConnector(aiohttp.TCPConnector):
    """aiohttp's pool, which takes the longest idle connection first, with a rest before it takes any."""

    def __init__(self) -> None:
        # Whoever asks bounds what is in flight; the pool need not.
        super().__init__(limit=0, keepalive_timeout=KEPT_SECONDS)
        self._fresh_until: dict[ConnectionKey, float] = {}

    async def _get(self, key: ConnectionKey, traces: list[Trace]) -> Connection | None:
        idle = self._conns.get(key)
        while idle:
            connection, since = idle[0]
            events = _events(connection)
            if not events:
                return await super()._get(key, traces) if monotonic() - since >= REST_SECONDS else None
            if events & ENDED:
                self._fresh_until[key] = monotonic() + DISTRUST_SECONDS
            idle.popleft()
            connection.close()
        self._conns.pop(key, None)
        return None

    def _release(self, key: ConnectionKey, protocol: ResponseHandler, *, should_close: bool = False) -> None:
        distrusted = monotonic() < self._fresh_until.get(key, 0.0)
        super()._release(key, protocol, should_close=should_close or distrusted)


def _events(connection: ResponseHandler) -> int:
    """Return what has come over an idle connection that should be silent, its end above all; 0 for nothing."""
    transport = connection.transport
    if transport is None or transport.is_closing():
        return ENDED
    poll = select.poll()
    poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN | ENDED)
    return next((events for _socket, events in poll.poll(0)), 0)
