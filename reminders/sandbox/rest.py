"""What all requests of Twilio's REST API share: Basic auth, the account, forms, faults and the error envelope."""

import base64
import binascii
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from aiohttp import web
from aiohttp.typedefs import Handler

from reminders.sandbox.wire import JSON_HEADERS, CarrierError, dump

if TYPE_CHECKING:
    from reminders.sandbox.carrier import Carrier


class RestRequest:
    """One authorised request: its path parts, query and form."""

    __slots__ = ("form", "http", "pairs", "path")

    def __init__(self, http: web.Request, pairs: list[tuple[str, str]]) -> None:
        self.http = http
        self.pairs = pairs
        self.form = dict(pairs)
        self.path = http.match_info

    def all(self, name: str) -> list[str]:
        """Return every value of a form field that may repeat, in order."""
        return [value for key, value in self.pairs if key == name]


RestHandler = Callable[["Carrier", RestRequest], Awaitable[web.Response]]


def reply(value: object, status: int = 200) -> web.Response:
    """Return a JSON resource."""
    return web.Response(body=dump(value), status=status, headers=JSON_HEADERS)


def no_content() -> web.Response:
    """Return the answer to a delete."""
    return web.Response(status=204)


def refusal(error: CarrierError) -> web.Response:
    """Return an error as Twilio does, with a challenge where credentials are missing."""
    headers = dict(JSON_HEADERS)
    if error.status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="Twilio API"'
    return web.Response(body=error.envelope(), status=error.status, headers=headers)


def check_auth(carrier: "Carrier", request: web.Request) -> None:
    """Refuse anything but this account's credentials, and a path that names another account, with 20003."""
    given = request.headers.get("Authorization", "")
    # Every usual client encodes the pair the same way, so the cheap comparison nearly always decides.
    if given != carrier.authorization:
        scheme, _, encoded = given.partition(" ")
        try:
            pair = base64.b64decode(encoded.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise CarrierError(20003) from None
        if scheme.lower() != "basic" or pair != f"{carrier.settings.account_sid}:{carrier.settings.auth_token}":
            raise CarrierError(20003)
    if request.match_info.get("account", carrier.settings.account_sid) != carrier.settings.account_sid:
        raise CarrierError(20003, message="These credentials do not belong to the account in the path")


def endpoint(carrier: "Carrier", operation: str, handler: RestHandler) -> Handler:
    """Return an aiohttp handler for one operation (`messages.create`), with auth, counting and faults around it."""
    counts = carrier.ledger.requests

    async def run(request: RestRequest) -> web.Response:
        try:
            response = await handler(carrier, request)
        except CarrierError as error:
            counts[operation]["refused"] += 1
            return refusal(error)
        counts[operation]["processed"] += 1
        return response

    async def handle(http: web.Request) -> web.StreamResponse:
        counts[operation]["received"] += 1
        try:
            check_auth(carrier, http)
        except CarrierError as error:
            counts[operation]["refused"] += 1
            return refusal(error)
        pairs: list[tuple[str, str]] = []
        if http.method == "POST":
            pairs = parse_qsl((await http.read()).decode(errors="replace"), keep_blank_values=True)
        request = RestRequest(http, pairs)
        if not carrier.faults.rules:
            return await run(request)
        return await carrier.faults.strike(operation, request, run)

    return handle
