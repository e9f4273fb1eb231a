"""Fetching what somebody sent with a text from where the carrier keeps it.

The carrier says where that is, and may lead on to a store of its own, as Twilio does. So the account's name and token
go to the carrier's own address and nowhere else; any other place has to be public and encrypted, and is asked as a
stranger.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from ssl import SSLContext
from typing import Final

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from reminders.delivery.public_addresses import PublicOnly, is_public
from reminders.delivery.wire import wire

MOST_BYTES: Final = 5 * 1024 * 1024
"""Twilio's limit for one picture ("5 MB" for JPEG, PNG and GIF; 500 KB for other kinds)."""
MOST_REDIRECTS: Final = 3
"""Twilio leads on once; a second and a third time are room for a change there."""
FETCH_SECONDS: Final = 30.0
"""For the whole of it: 5 MB at less than 2 Mbit/s."""
CONNECT_SECONDS: Final = 5.0
CHUNK_BYTES: Final = 64 * 1024

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
# A fresh picture may not be there yet, credentials may be put right, and the rest passes.
_MAY_PASS: Final = frozenset({401, 403, 404, 408, 425, 429})


@dataclass(frozen=True, slots=True)
class Fetched:
    """What was there, of whatever kind."""

    content: bytes


@dataclass(frozen=True, slots=True)
class NotYet:
    """It could not be had now; `reason` is a code: `missing`, `not_allowed` or `no_answer`."""

    reason: str


@dataclass(frozen=True, slots=True)
class NotFetched:
    """It will not be had, however often it is asked for; `reason` is a code: `address`, `too_large` or `missing`."""

    reason: str


FetchResult = Fetched | NotYet | NotFetched


class MediaStore:
    """The carrier's media, with bounded time, size and number of redirects.

    `base_url` is the carrier's own address; `is_configured` says that somebody set it here on purpose, so that it need
    not be a public one. Any number of threads may use one instance.
    """

    def __init__(
        self,
        *,
        account_sid: str,
        auth_token: str,
        base_url: str,
        is_configured: bool,
        fetch_seconds: float = FETCH_SECONDS,
        may_reach: Callable[[str], bool] = is_public,
        resolver: AbstractResolver | None = None,
        tls: SSLContext | None = None,
    ) -> None:
        self._authorization = aiohttp.encode_basic_auth(account_sid, auth_token)
        self._own = URL(base_url).origin()
        self._is_configured = is_configured
        self._fetch_seconds = fetch_seconds
        self._may_reach = may_reach
        self._resolver = resolver
        self._tls = tls

    def fetch(self, url: str) -> FetchResult:
        """Return what lies behind `url`. Never raises for what another server does; logs and keeps no address."""
        return wire().run(self._in_time(url))

    def remove(self, url: str) -> bool:
        """Delete it at the carrier; True where it is gone. Nothing but the carrier's own address is ever asked."""
        return wire().run(self._removed(url))

    async def _in_time(self, url: str) -> FetchResult:
        try:
            async with asyncio.timeout(self._fetch_seconds):
                return await self._follow(URL(url))
        except TimeoutError:
            return NotYet("no_answer")
        except ValueError:
            return NotFetched("address")

    async def _follow(self, address: URL) -> FetchResult:
        for _hop in range(1 + MOST_REDIRECTS):
            if not self._may_ask(address):
                break
            answer = await self._ask(address)
            if not isinstance(answer, URL):
                return answer
            address = answer
        return NotFetched("address")

    def _is_own(self, address: URL) -> bool:
        return address.absolute and address.origin() == self._own

    def _may_ask(self, address: URL) -> bool:
        """Words and pictures of patients travel encrypted, except to where somebody set another address on purpose."""
        if not address.absolute or address.user is not None or address.password is not None:
            return False
        return address.scheme == "https" or (self._is_own(address) and self._is_configured)

    def _guard(self, address: URL) -> PublicOnly | None:
        return None if self._is_own(address) and self._is_configured else PublicOnly(self._may_reach)

    async def _ask(self, address: URL) -> FetchResult | URL:
        """Ask one server; return what it has, or where it leads."""
        guard = self._guard(address)
        try:
            async with (
                self._session(guard) as session,
                session.get(address, headers=self._headers(address), allow_redirects=False) as response,
            ):
                if response.status in _REDIRECTS:
                    return address.join(URL(response.headers.get("Location", "")))
                return await _taken(response)
        except aiohttp.InvalidURL:
            return NotFetched("address")
        except (aiohttp.ClientError, OSError):
            return NotFetched("address") if guard is not None and guard.refused else NotYet("no_answer")

    def _headers(self, address: URL) -> dict[str, str]:
        # Nothing compressed: a small answer must not become a large one here.
        headers = {"Accept": "image/*", "Accept-Encoding": "identity"}
        if self._is_own(address):
            headers["Authorization"] = self._authorization
        return headers

    def _session(self, guard: PublicOnly | None) -> aiohttp.ClientSession:
        """Return a session for one request: no proxy, no cookie and no kept connection comes in between."""
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                force_close=True,
                use_dns_cache=False,
                # One address after another, so that the check of each is seen.
                happy_eyeballs_delay=None,
                socket_factory=guard,
                resolver=self._resolver,
                ssl=self._tls or True,
            ),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
        )

    async def _removed(self, url: str) -> bool:
        try:
            address = URL(url)
            if not (self._is_own(address) and self._may_ask(address)):
                return False
            async with (
                asyncio.timeout(self._fetch_seconds),
                self._session(self._guard(address)) as session,
                session.delete(address, headers=self._headers(address), allow_redirects=False) as response,
            ):
                return response.status in {HTTPStatus.NO_CONTENT, HTTPStatus.OK, HTTPStatus.NOT_FOUND}
        except (aiohttp.ClientError, OSError, ValueError):
            return False


async def _taken(response: aiohttp.ClientResponse) -> FetchResult:
    """Read an answer while it stays within the limit, whatever length it claims."""
    status = response.status
    if status in _MAY_PASS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return NotYet({401: "not_allowed", 403: "not_allowed", 404: "missing"}.get(status, "no_answer"))
    if status != HTTPStatus.OK:
        return NotFetched("missing")
    if (response.content_length or 0) > MOST_BYTES:
        return NotFetched("too_large")
    content = bytearray()
    async for chunk in response.content.iter_chunked(CHUNK_BYTES):
        content += chunk
        if len(content) > MOST_BYTES:
            return NotFetched("too_large")
    return Fetched(bytes(content))
