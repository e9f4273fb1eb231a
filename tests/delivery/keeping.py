"""A server that keeps its connections open, as the carrier's does, and tells what came over them."""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

from tests.delivery.broken import read_request, says

WAIT_SECONDS = 20


@dataclass
class Keeping:
    """A running server: its address, what it saw, and what it is told to do."""

    url: str
    connections: int = 0
    arrivals: list[tuple[float, str]] = field(default_factory=list)
    """When each request had arrived, on the steady clock, and the whole of it."""
    answers: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    """Status, body and one header for a request that ends with these words."""
    one_was_let_go: threading.Event = field(default_factory=threading.Event)
    hangs: threading.Event = field(default_factory=threading.Event)
    hangs_on_next: threading.Event = field(default_factory=threading.Event)
    hangs_up_on_next: threading.Event = field(default_factory=threading.Event)
    closes_after_next: threading.Event = field(default_factory=threading.Event)
    has_closed: threading.Event = field(default_factory=threading.Event)
    at_once: int = 0
    most_at_once: int = 0
    """How many requests were under way at the same moment."""
    _lock: threading.Lock = field(default_factory=threading.Lock)
    is_hanging: threading.Event = field(default_factory=threading.Event)
    let_go: threading.Event = field(default_factory=threading.Event)
    numbers: "count[int]" = field(default_factory=count)

    def serve(self, connection: socket.socket) -> None:
        """Answer request after request, until the other side has had enough."""
        with connection, contextlib.suppress(OSError):
            connection.settimeout(WAIT_SECONDS)
            self._serve(connection)
        self.has_closed.set()

    def _serve(self, connection: socket.socket) -> None:
        while request := read_request(connection):
            with self._lock:
                self.arrivals.append((time.monotonic(), request))
                self.at_once += 1
                self.most_at_once = max(self.most_at_once, self.at_once)
            if _taken(self.hangs_up_on_next):
                return
            if self.hangs.is_set() or _taken(self.hangs_on_next):
                self.is_hanging.set()
                self.let_go.wait(WAIT_SECONDS)
            with self._lock:
                self.at_once -= 1
            self._answer(connection, request)
            if _taken(self.closes_after_next):
                return
        self.one_was_let_go.set()

    def _answer(self, connection: socket.socket, request: str) -> None:
        told = next((answer for end, answer in self.answers.items() if request.endswith(end)), None)
        sid = f"SM{next(self.numbers):032x}"
        says(*(told or ("201 Created", json.dumps({"sid": sid}))))(connection)


def _taken(order: threading.Event) -> bool:
    """Tell whether the order was given, and take it."""
    given = order.is_set()
    order.clear()
    return given


@contextlib.contextmanager
def keeping_server() -> Iterator[Keeping]:
    """Run such a server."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    server = Keeping(url=f"http://127.0.0.1:{listener.getsockname()[1]}")

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            server.connections += 1
            threading.Thread(target=server.serve, args=(connection,), daemon=True).start()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield server
    finally:
        server.let_go.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join(5)
