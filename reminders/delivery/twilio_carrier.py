"""Twilio behind the carrier port.

Two things of the library are not used on purpose: its automatic retries (its async client sends a create three times on
a 500) and its timeout (ignored by the async client), so every create is one request, bounded from outside.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import aiohttp
from twilio.base.exceptions import TwilioRestException, TwilioServiceException
from twilio.http.async_http_client import AsyncTwilioHttpClient
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
# Twilio's answer to too many concurrent requests is 429; fifty in flight is well under the usual account limit of 100.
IN_FLIGHT = 50
SIGNATURE_HEADER = "X-Twilio-Signature"
SETTINGS_HEADER = "X-Twilio-Webhooks-Signature-Settings"


class _HttpClient(AsyncTwilioHttpClient):  # type: ignore[misc]  # the library is untyped
    """The library's client, pointed at a configurable address, silent in logs (its lines hold phones and words)."""

    def __init__(self, *, base_url: str) -> None:
        super().__init__()
        self._base = urlsplit(base_url) if base_url else None
        self.retry_after: dict[asyncio.Task[Any] | None, float] = {}

    def log_request(self, kwargs: object) -> None:
        """Say nothing: the request holds a phone and the words."""

    def log_response(self, status_code: int, response: object) -> None:
        """Say nothing, for the same reason."""

    async def request(self, method: str, url: str, **kwargs: Any) -> Response:
        if self._base is not None:
            parts = urlsplit(url)
            url = urlunsplit((self._base.scheme, self._base.netloc, parts.path, parts.query, ""))
        response = await super().request(method, url, **kwargs)
        header = (response.headers or {}).get("Retry-After", "")
        if header.isdigit():
            self.retry_after[asyncio.current_task()] = float(header)
        return response


class TwilioCarrier:
    """The carrier port over Twilio's REST API. One instance may serve a whole process; it keeps no connection open."""

    def __init__(
        self,
        *,
        account_sid: str,
        auth_token: str,
        base_url: str = "",
        timeout_seconds: float = CREATE_TIMEOUT_SECONDS,
    ) -> None:
        self._account_sid = account_sid
        self._auth_token = auth_token
        self._base_url = base_url
        self._timeout_seconds = timeout_seconds
        self._validator = RequestValidator(auth_token)

    def create(self, outgoing: Sequence[OutgoingText | OutgoingCall]) -> list[CreateResult]:
        return asyncio.run(self._create_all(outgoing))

    async def _create_all(self, outgoing: Sequence[OutgoingText | OutgoingCall]) -> list[CreateResult]:
        places = asyncio.Semaphore(IN_FLIGHT)
        async with _HttpClient(base_url=self._base_url) as http:
            client = Client(self._account_sid, self._auth_token, http_client=http)

            async def create_one(item: OutgoingText | OutgoingCall) -> CreateResult:
                async with places:
                    return await self._create_one(client, http, item)

            return await asyncio.gather(*(create_one(item) for item in outgoing))

    async def _create_one(self, client: Client, http: _HttpClient, item: OutgoingText | OutgoingCall) -> CreateResult:
        try:
            async with asyncio.timeout(self._timeout_seconds):
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
        except (TwilioRestException, TwilioServiceException) as error:
            return self._refusal(error.status, error.code, http.retry_after.pop(asyncio.current_task(), None))
        except aiohttp.ClientConnectorError:
            return NotProcessed("no_connection")
        except TimeoutError:
            return Unknown("timeout")
        except Exception as error:  # noqa: BLE001  # whatever broke after the bytes left, the text may be on its way
            return Unknown(type(error).__name__)
        return Accepted(created.sid) if created.sid else Unknown("no_sid")

    @staticmethod
    def _refusal(status: int, code: int | None, retry_after_seconds: float | None) -> CreateResult:
        if status >= 500:
            return Unknown(f"http_{status}")
        fault = fault_of(code=code, http_status=status)
        if fault is Fault.BACK_OFF:
            return NotProcessed("back_off", retry_after_seconds)
        return Refused(fault, code)

    def texts_between(self, *, from_number: str, to_number: str) -> list[CarrierRecord]:
        return asyncio.run(self._texts_between(from_number, to_number))

    async def _texts_between(self, from_number: str, to_number: str) -> list[CarrierRecord]:
        try:
            async with _HttpClient(base_url=self._base_url) as http, asyncio.timeout(self._timeout_seconds):
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
                error_code=item.error_code,
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


class _Form(dict[str, Sequence[str]]):
    """A form with repeated keys, in the shape the library's validator asks for."""

    def getall(self, name: str) -> Sequence[str]:
        return self[name]
