"""Posts webhooks as the carrier does: signed, over connections that stay open, at a pace or as fast as they go."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from twilio.request_validator import RequestValidator

from benchmarks.bench.engine import ACCOUNT, PUBLIC_BASE_URL

SIGNER = RequestValidator(ACCOUNT["TWILIO_AUTH_TOKEN"])


@dataclass(frozen=True, slots=True)
class Answer:
    """How a post went. `began` is when it was meant to leave, in seconds since 1970: a late start is no excuse."""

    began: float
    seconds: float
    status: int


def signed_post(path: str, form: dict[str, str]) -> bytes:
    """Return the whole request, signed over the public address with the account's token."""
    fields = {"AccountSid": ACCOUNT["TWILIO_ACCOUNT_SID"], "ApiVersion": "2010-04-01", **form}
    body = urlencode(fields).encode()
    signature = SIGNER.compute_signature(PUBLIC_BASE_URL + path, fields)
    return (
        f"POST {path} HTTP/1.1\r\nHost: {urlsplit(PUBLIC_BASE_URL).netloc}\r\nX-Twilio-Signature: {signature}\r\n"
        "Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\n"
        f"X-Forwarded-Proto: https\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def post_all(
    base_url: str, requests: Sequence[bytes], *, connections: int, a_second: float | None = None
) -> list[Answer]:
    """Post the requests in order over so many connections and return their answers, in the order they were taken.

    With `a_second` each has its moment, whatever became of the one before; without, each connection posts one after the
    other.
    """
    return asyncio.run(_post_all(base_url, requests, connections, a_second))


async def _post_all(base_url: str, requests: Sequence[bytes], connections: int, a_second: float | None) -> list[Answer]:
    answers: list[Answer] = []
    begin = time.time()
    waiting = iter((begin + index / a_second if a_second else 0.0, request) for index, request in enumerate(requests))
    await asyncio.gather(*(_post_some(base_url, waiting, answers) for _ in range(connections)))
    return answers


async def _post_some(base_url: str, waiting: Iterator[tuple[float, bytes]], answers: list[Answer]) -> None:
    parts = urlsplit(base_url)
    writer = None
    for moment, request in waiting:
        if moment:
            await asyncio.sleep(max(0.0, moment - time.time()))
        began = moment or time.time()
        for _ in range(2):
            if writer is None:
                reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
            try:
                writer.write(request)
                status, is_kept = await _read_answer(reader)
            except (asyncio.IncompleteReadError, ConnectionError):
                # The server closed an idle connection in this moment; the carrier would come again too.
                writer.close()
                writer = None
                continue
            answers.append(Answer(began, time.time() - began, status))
            if not is_kept:
                writer.close()
                writer = None
            break
    if writer is not None:
        writer.close()


async def _read_answer(reader: asyncio.StreamReader) -> tuple[int, bool]:
    """Return the status and whether the connection stays open."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = 0
    for line in head.split("\r\n"):
        name, _, value = line.partition(":")
        if name == "content-length":
            length = int(value)
    await reader.readexactly(length)
    return int(head.split(" ", 2)[1]), "connection: close" not in head
