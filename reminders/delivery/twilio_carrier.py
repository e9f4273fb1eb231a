"""Twilio behind the carrier port.

The library builds requests and reads answers; it neither carries them nor waits for them (see `twilio_http`).
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import aiohttp
from twilio.base.exceptions import TwilioRestException, TwilioServiceException
from twilio.request_validator import RequestValidator, get_signature_algorithm
from twilio.rest import Client
from twilio.rest.api.v2010.account.message import MessageInstance

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
from reminders.delivery.twilio_http import TextCreator, WireClient
from reminders.delivery.wire import Request, TooLateError, current_request, steady, until, wire

# Twilio answers a create within a second or two; ten bounds a hang without giving up on a slow day.
CREATE_TIMEOUT_SECONDS = 10.0
# The library puts the HTTP status where an answer has no code of its own.
LEAST_CODE = 1000
NOT_FOUND = 20404
MOST_CODE = 2**31 - 1
SID_LENGTH = 34
# Looking is never urgent: it leaves most places to what is.
LOOKS_IN_FLIGHT = 10
SIGNATURE_HEADER = "X-Twilio-Signature"
SETTINGS_HEADER = "X-Twilio-Webhooks-Signature-Settings"


class TwilioCarrier:
    """The carrier port over Twilio's REST API. One instance may serve a whole process and its threads; connections are
    the process's own (`wire`).

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
        self._client = Client(account_sid, auth_token, http_client=WireClient(base_url=base_url))
        self._texts = TextCreator(self._client)
        self._timeout_seconds = timeout_seconds
        self._validator = RequestValidator(auth_token)

    def create(self, outgoing: Sequence[OutgoingText | OutgoingCall]) -> list[CreateResult]:
        return wire().run(self._create_all(outgoing, steady()))

    async def _create_all(
        self, outgoing: Sequence[OutgoingText | OutgoingCall], called_at: float
    ) -> list[CreateResult]:
        return await asyncio.gather(*(self._create_in_time(item, called_at) for item in outgoing))

    async def _create_in_time(self, item: OutgoingText | OutgoingCall, called_at: float) -> CreateResult:
        leave_at = called_at + item.wait_seconds
        request = Request(begin_by=leave_at + item.begin_within_seconds)
        current_request.set(request)
        if item.wait_seconds > 0:
            await until(leave_at)
        async with wire().places:
            return await self._create_one(item, request)

    async def _create_one(self, item: OutgoingText | OutgoingCall, request: Request) -> CreateResult:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                if isinstance(item, OutgoingText):
                    sid = await self._texts.create(item)
                else:
                    sid = await _place(self._client, item)
        except (TwilioRestException, TwilioServiceException) as error:
            return _refusal(request, error.code)
        except TooLateError:
            return NotProcessed("stood_still")
        except Exception as error:  # noqa: BLE001  # whatever broke after the bytes left, the text may be on its way
            return _unanswered(request, error)
        return Accepted(sid) if isinstance(sid, str) and 0 < len(sid) <= SID_LENGTH else Unknown("no_sid")

    def texts_between(self, *, from_number: str, to_number: str) -> list[CarrierRecord]:
        return wire().run(self._texts_between(from_number, to_number))

    async def _texts_between(self, from_number: str, to_number: str) -> list[CarrierRecord]:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                found = await self._client.messages.list_async(from_=from_number, to=to_number, limit=50, page_size=50)
        except Exception as error:  # noqa: BLE001  # a failed look is never worse than no look
            # The cause may hold a URL with phones in it, so only its kind is passed on.
            raise CarrierUnavailableError(type(error).__name__) from None
        return [_record(item) for item in found]

    def texts_by_sid(self, *, sids: Sequence[str]) -> dict[str, CarrierRecord]:
        return wire().run(self._texts_by_sid(sids))

    async def _texts_by_sid(self, sids: Sequence[str]) -> dict[str, CarrierRecord]:
        places = asyncio.Semaphore(LOOKS_IN_FLIGHT)
        answers = await asyncio.gather(*(self._text_by_sid(sid, places) for sid in sids))
        failures = [answer for answer in answers if isinstance(answer, CarrierUnavailableError)]
        if sids and len(failures) == len(sids):
            raise failures[0]
        return {answer.sid: answer for answer in answers if isinstance(answer, CarrierRecord)}

    async def _text_by_sid(self, sid: str, places: asyncio.Semaphore) -> CarrierRecord | CarrierUnavailableError | None:
        try:
            async with places, asyncio.timeout(self._timeout_seconds):
                return _record(await self._client.messages(sid).fetch_async())
        except Exception as error:  # noqa: BLE001  # as above
            is_unknown = isinstance(error, TwilioRestException) and error.code == NOT_FOUND
            return None if is_unknown else CarrierUnavailableError(type(error).__name__)

    def is_authentic(self, *, url: str, form: Mapping[str, Sequence[str]], headers: Mapping[str, str]) -> bool:
        signature = headers.get(SIGNATURE_HEADER)
        if not signature:
            return False
        try:
            algorithm = get_signature_algorithm(headers.get(SETTINGS_HEADER))
            return bool(self._validator.validate(url, _Form(form), signature, algorithm))
        except (ValueError, TypeError):
            return False


async def _place(client: Client, item: OutgoingCall) -> object:
    """Ask for one call and return the id in the answer."""
    placed = await client.calls.create_async(
        to=item.to_number,
        from_=item.from_number,
        url=item.answer_url,
        timeout=item.ring_seconds,
        status_callback=item.status_callback_url,
        status_callback_event=["initiated", "ringing", "answered", "completed"],
    )
    return placed.sid


def _record(item: MessageInstance) -> CarrierRecord:
    return CarrierRecord(
        sid=item.sid,
        status=str(item.status),
        body=item.body or "",
        created_at=item.date_created or datetime.min.replace(tzinfo=UTC),
        error_code=_code(item.error_code),
    )


def _unanswered(request: Request, error: Exception) -> CreateResult:
    """Read a failure without an answer: what counts is whether a byte may have left."""
    name = type(error).__name__
    if not request.has_begun:
        return NotProcessed("no_connection" if isinstance(error, (aiohttp.ClientError, OSError)) else name)
    return Unknown("timeout" if isinstance(error, TimeoutError) else name)


def _refusal(answer: Request, claimed_code: object) -> CreateResult:
    """Read an answer that is no success. Only a 4xx that is the carrier's own proves that nothing was processed.

    A 4xx without a code may come from anything in between, after the carrier has done its part.
    """
    code = _code(claimed_code)
    fault = fault_of(code=code, http_status=answer.status)
    if not 400 <= answer.status < 500 or (code is None and fault is Fault.UNKNOWN):
        return Unknown(f"http_{answer.status}")
    if fault is Fault.BACK_OFF:
        return NotProcessed("back_off", answer.retry_after_seconds, code)
    return Refused(fault, code)


def _code(claimed: object) -> int | None:
    """Return an error code that can be one; the body of an answer may hold anything."""
    return claimed if isinstance(claimed, int) and LEAST_CODE <= claimed <= MOST_CODE else None


class _Form(dict[str, Sequence[str]]):
    """A form with repeated keys, in the shape the library's validator asks for."""

    def getall(self, name: str) -> Sequence[str]:
        return self[name]
