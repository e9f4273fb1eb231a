"""Servers that misbehave on the wire, byte by byte: what no well-meant stand-in would do."""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

Answer = Callable[[socket.socket], None]


def says(status: str, body: str = "", *headers: str) -> Answer:
    """Answer whole, with these headers besides the length."""

    def answer(connection: socket.socket) -> None:
        data = body.encode()
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(data)}", "Content-Type: application/json", *headers]
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + data)

    return answer


def stops_in_the_middle(connection: socket.socket) -> None:
    """Promise more body than comes."""
    connection.sendall(b'HTTP/1.1 201 Created\r\nContent-Length: 500\r\n\r\n{"sid": "SM')


def hangs_up(connection: socket.socket) -> None:
    """Close without a word."""


def resets(connection: socket.socket) -> None:
    """Cut the connection with a TCP reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@dataclass
class Broken:
    """A running server: its address, and the requests that it read whole."""

    url: str
    requests: list[str] = field(default_factory=list)
    let_go: threading.Event = field(default_factory=threading.Event)

    def hangs(self, _connection: socket.socket) -> None:
        """Never answer; the connection is closed at the end of the test."""
        self.let_go.wait(20)


@contextlib.contextmanager
def broken_server(answer: Answer | str) -> Iterator[Broken]:
    """Run a server that reads each request whole and then does `answer` (or, with "hangs", nothing)."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = Broken(url=f"http://127.0.0.1:{listener.getsockname()[1]}")
    reply: Answer = server.hangs if isinstance(answer, str) else answer

    def serve_one(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(20)
            server.requests.append(read_request(connection))
            reply(connection)

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve_one, args=(connection,), daemon=True).start()

    accepting = threading.Thread(target=serve, daemon=True)
    accepting.start()
    try:
        yield server
    finally:
        server.let_go.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join(5)


def read_request(connection: socket.socket) -> str:
    """Read one request whole; an empty one where the other side has closed before it."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return ""
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0
    )
    while len(body) < length:
        body += connection.recv(65536)
    return (head + b"\r\n\r\n" + body).decode()
