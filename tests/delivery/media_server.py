"""A server of pictures that does what it is told, over HTTP or TLS, and the name service that leads to it."""

import contextlib
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory

from aiohttp.abc import AbstractResolver, ResolveResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

WAIT_SECONDS = 20
PNG = b"\x89PNG\r\n\x1a\n" + b"a bruise, as its bytes would stand in a table that hides nothing" * 40

Answer = Callable[["_Handler"], None]


def says(status: int, body: bytes = b"", **headers: str) -> Answer:
    """Answer whole, with these headers (underscores stand for hyphens)."""

    def answer(handler: "_Handler") -> None:
        handler.send_response(status)
        for name, value in {"Content_Length": str(len(body)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        with contextlib.suppress(OSError):
            handler.wfile.write(body)

    return answer


def leads_to(url: str, status: int = 307) -> Answer:
    """Send the one who asks on to another address."""
    return says(status, Location=url)


def goes_on_for_ever(handler: "_Handler") -> None:
    """Send bytes without saying how many, until the other side has had enough."""
    handler.send_response(200)
    handler.end_headers()
    with contextlib.suppress(OSError):
        while True:
            handler.wfile.write(PNG)
            handler.server_of.sent += len(PNG)


def hangs(handler: "_Handler") -> None:
    """Never answer; the connection is closed at the end of the test."""
    handler.server_of.let_go.wait(WAIT_SECONDS)


@dataclass
class MediaServer:
    """A running server: its address, what it was asked, and what it answers, the last answer for good."""

    url: str
    answers: list[Answer] = field(default_factory=list)
    asked: list[tuple[str, str, str | None]] = field(default_factory=list)
    """Method, path and Authorization of each request."""
    let_go: threading.Event = field(default_factory=threading.Event)
    sent: int = 0

    @property
    def port(self) -> int:
        """Where it listens on 127.0.0.1."""
        return int(self.url.rsplit(":", 1)[1])


class _Handler(BaseHTTPRequestHandler):
    server_of: MediaServer

    def _serve(self) -> None:
        one = self.server_of
        one.asked.append((self.command, self.path, self.headers.get("Authorization")))
        answer = one.answers[0] if len(one.answers) == 1 else one.answers.pop(0)
        answer(self)

    do_GET = do_DELETE = _serve  # noqa: N815  # the library's names

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def media_server(*answers: Answer, host: str = "", tls: ssl.SSLContext | None = None) -> Iterator[MediaServer]:
    """Run a server on 127.0.0.1 that gives these answers in turn; `host` is the name under which it is asked."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {}))
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # clients that hang up are expected here
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    scheme = "https" if tls else "http"
    one = MediaServer(f"{scheme}://{host or '127.0.0.1'}:{server.server_address[1]}", list(answers))
    server.RequestHandlerClass.server_of = one  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield one
    finally:
        one.let_go.set()
        server.shutdown()
        server.server_close()
        thread.join(5)


class Names(AbstractResolver):
    """A name service: each look at a name gives its next address, the last one for good."""

    def __init__(self, **addresses: list[str]) -> None:
        self.addresses = {name.replace("_", "."): found for name, found in addresses.items()}
        self.looks: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the one address that a name stands for just now."""
        self.looks.append(host)
        found = self.addresses[host]
        address = found[0] if len(found) == 1 else found.pop(0)
        version = socket.AF_INET6 if ipaddress.ip_address(address).version == 6 else socket.AF_INET
        return [ResolveResult(hostname=host, host=address, port=port, family=version, proto=0, flags=0)]

    async def close(self) -> None:
        """Nothing is open."""


@cache
def certificate(name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return a server's context with a certificate for `name`, and a client's that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "both.pem"
        path.write_bytes(secret + pem)
        server.load_cert_chain(path)
    return server, ssl.create_default_context(cadata=pem.decode())
