"""Twilio behind the carrier port.

The library builds requests and reads answers; the one thing it does not do is carry them. Its async
client sends a create three times on a 500, ignores its time-out, and prints phones and words at INFO. So the transport
is ours: one request per create, bounded from outside, silent.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import aiohttp
from twilio.base.exceptions import TwilioRestException, TwilioServiceException
from twilio.http import AsyncHttpClient
from twilio.http.response import Response
from twilio.request_validator import RequestValidator, get_signature_algorithm
from twilio.rest import Client

from reminders.core.carrier_errors import Fault, fault_of
from reminders.delivery.port import (
    Accepted,
    CarrierRecord,
    CarrierUnavailableError,
    CreateResult,
    NotProcessed,
    OutgoingCall,
    OutgoingText,
    Refused,
    Unknown,
)

# Twilio answers a create within a second or two; ten bounds a hang without giving up on a slow day.
CREATE_TIMEOUT_SECONDS = 10.0
# A part of the above for the connection alone: what never connected was never sent, and may go out again.
CONNECT_TIMEOUT_SECONDS = 5.0
# Twilio's answer to too many concurrent requests is 429; fifty in flight is well under the usual account limit of 100.
IN_FLIGHT = 50
# The library puts the HTTP status where an answer has no code of its own.
LEAST_CODE = 1000
MOST_CODE = 2**31 - 1
SID_LENGTH = 34
SIGNATURE_HEADER = "X-Twilio-Signature"
SETTINGS_HEADER = "X-Twilio-Webhooks-Signature-Settings"


@dataclass(frozen=True, slots=True)
class _Answer:
    """What HTTP itself said, whatever the body claims."""

    status: int
    retry_after_seconds: float | None


class _HttpClient(AsyncHttpClient, AbstractAsyncContextManager["_HttpClient"]):  # type: ignore[misc]  # untyped library
    """Carries one request at a time per task, to a configurable address."""

    def __init__(self, *, base_url: str, timeout_seconds: float) -> None:
        super().__init__(logging.getLogger(__name__), is_async=True)
        self._base = urlsplit(base_url) if base_url else None
        connect = min(CONNECT_TIMEOUT_SECONDS, timeout_seconds / 2)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=IN_FLIGHT),
            timeout=aiohttp.ClientTimeout(total=timeout_seconds, sock_connect=connect),
        )
        self.answers: dict[asyncio.Task[Any] | None, _Answer] = {}

    async def request(
        self,
        method: str,
        uri: str,
        params: dict[str, Any] | None = None,
        data: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,  # the library's signature; ours is set on the session
        allow_redirects: bool = False,
    ) -> Response:
        async with self._session.request(
            method.upper(),
            self._address(uri),
            params=params,
            data=data,
            headers={**(headers or {}), **({"Authorization": aiohttp.encode_basic_auth(*auth)} if auth else {})},
            allow_redirects=False,
        ) as response:
            self.answers[asyncio.current_task()] = _Answer(response.status, _seconds(response.headers))
            return Response(response.status, await response.text(), response.headers)

    def _address(self, url: str) -> str:
        if self._base is None:
            return url
        parts = urlsplit(url)
        path = self._base.path.rstrip("/") + parts.path
        return urlunsplit((self._base.scheme, self._base.netloc, path, parts.query, ""))

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._session.close()


def _seconds(headers: Mapping[str, str]) -> float | None:
    """Return Retry-After where it is a number of seconds; a date there is as good as nothing said."""
    try:
        seconds = float(headers.get("Retry-After", ""))
    except ValueError:
        return None
    return seconds if 0 <= seconds < 86_400 else None


class TwilioCarrier:
    """The carrier port over Twilio's REST API. One instance may serve a whole process; it keeps no connection open.

    `base_url` points it at any server that speaks the same contract. Raises ValueError without an account or a token,
    so that nothing is taken off the queue that could not be sent.
    """

    def __init__(
        self,
        *,
        account_sid: str,
        auth_token: str,
        base_url: str = "",
        timeout_seconds: float = CREATE_TIMEOUT_SECONDS,
    ) -> None:
        if not account_sid or not auth_token:
            raise ValueError("The carrier needs an account and a token: set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN.")
        self._account_sid = account_sid
        self._auth_token = auth_token
        self._base_url = base_url
        self._timeout_seconds = timeout_seconds
        self._validator = RequestValidator(auth_token)

    def _http(self) -> _HttpClient:
        return _HttpClient(base_url=self._base_url, timeout_seconds=self._timeout_seconds)

    def create(self, outgoing: Sequence[OutgoingText | OutgoingCall]) -> list[CreateResult]:
        return asyncio.run(self._create_all(outgoing))

    async def _create_all(self, outgoing: Sequence[OutgoingText | OutgoingCall]) -> list[CreateResult]:
        places = asyncio.Semaphore(IN_FLIGHT)
        async with self._http() as http:
            client = Client(self._account_sid, self._auth_token, http_client=http)

            async def create_one(item: OutgoingText | OutgoingCall) -> CreateResult:
                async with places:
                    return await self._create_one(client, http, item)

            return await asyncio.gather(*(create_one(item) for item in outgoing))

    async def _create_one(self, client: Client, http: _HttpClient, item: OutgoingText | OutgoingCall) -> CreateResult:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                sid = await _post(client, item)
        except (TwilioRestException, TwilioServiceException) as error:
            return _refusal(http.answers[asyncio.current_task()], error.code)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            return NotProcessed("no_connection")
        except TimeoutError:
            return Unknown("timeout")
        except Exception as error:  # noqa: BLE001  # whatever broke after the bytes left, the text may be on its way
            return Unknown(type(error).__name__)
        return Accepted(sid) if isinstance(sid, str) and 0 < len(sid) <= SID_LENGTH else Unknown("no_sid")

    def texts_between(self, *, from_number: str, to_number: str) -> list[CarrierRecord]:
        return asyncio.run(self._texts_between(from_number, to_number))

    async def _texts_between(self, from_number: str, to_number: str) -> list[CarrierRecord]:
        try:
            async with self._http() as http, asyncio.timeout(self._timeout_seconds):
                client = Client(self._account_sid, self._auth_token, http_client=http)
                found = await client.messages.list_async(from_=from_number, to=to_number, limit=50, page_size=50)
        except Exception as error:  # noqa: BLE001  # a failed look is never worse than no look
            # The cause may hold a URL with phones in it, so only its kind is passed on.
            raise CarrierUnavailableError(type(error).__name__) from None
        return [
            CarrierRecord(
                sid=item.sid,
                status=str(item.status),
                body=item.body or "",
                created_at=item.date_created or datetime.min.replace(tzinfo=UTC),
                error_code=_code(item.error_code),
            )
            for item in found
        ]

    def is_authentic(self, *, url: str, form: Mapping[str, Sequence[str]], headers: Mapping[str, str]) -> bool:
        signature = headers.get(SIGNATURE_HEADER)
        if not signature:
            return False
        try:
            algorithm = get_signature_algorithm(headers.get(SETTINGS_HEADER))
            return bool(self._validator.validate(url, _Form(form), signature, algorithm))
        except (ValueError, TypeError):
            return False


async def _post(client: Client, item: OutgoingText | OutgoingCall) -> object:
    """Ask for one create and return the id in the answer."""
    if isinstance(item, OutgoingText):
        created = await client.messages.create_async(
            to=item.to_number,
            from_=item.from_number,
            body=item.body,
            status_callback=item.status_callback_url,
            validity_period=item.validity_seconds,
        )
    else:
        created = await client.calls.create_async(
            to=item.to_number,
            from_=item.from_number,
            url=item.answer_url,
            timeout=item.ring_seconds,
            status_callback=item.status_callback_url,
            status_callback_event=["initiated", "ringing", "answered", "completed"],
        )
    return created.sid


def _refusal(answer: _Answer, claimed_code: object) -> CreateResult:
    """Read an answer that is no success. Only a 4xx that is the carrier's own proves that nothing was processed.

    A 4xx without a code may come from anything in between, after the carrier has done its part.
    """
    code = _code(claimed_code)
    fault = fault_of(code=code, http_status=answer.status)
    if not 400 <= answer.status < 500 or (code is None and fault is Fault.UNKNOWN):
        return Unknown(f"http_{answer.status}")
    if fault is Fault.BACK_OFF:
        return NotProcessed("back_off", answer.retry_after_seconds)
    return Refused(fault, code)


def _code(claimed: object) -> int | None:
    """Return an error code that can be one; the body of an answer may hold anything."""
    return claimed if isinstance(claimed, int) and LEAST_CODE <= claimed <= MOST_CODE else None


class _Form(dict[str, Sequence[str]]):
    """A form with repeated keys, in the shape the library's validator asks for."""

    def getall(self, name: str) -> Sequence[str]:
        return self[name]
