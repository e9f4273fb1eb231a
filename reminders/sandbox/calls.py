"""Twilio's Calls resource: create, list, fetch, change and delete."""

from typing import TYPE_CHECKING

from aiohttp import web

from reminders.sandbox.listing import date_filter, page_of
from reminders.sandbox.records import ENDED, Call
from reminders.sandbox.rest import RestRequest, no_content, reply
from reminders.sandbox.validation import MAGIC_CALL_TO, MAGIC_FROM_OK, TEST_NUMBERS, check_callback, is_webhook_url
from reminders.sandbox.wire import E164, CarrierError, new_sid

if TYPE_CHECKING:
    from reminders.sandbox.carrier import Carrier

CALLBACK_EVENTS = frozenset({"initiated", "ringing", "answered", "completed"})
MAX_RING_SECONDS = 600
MAX_TWIML = 4000


def _check_numbers(form: dict[str, str]) -> tuple[str, str]:
    to, sender = form.get("To", ""), form.get("From", "")
    if not to:
        raise CarrierError(21201)
    if to in MAGIC_CALL_TO:
        raise CarrierError(MAGIC_CALL_TO[to])
    if not E164.fullmatch(to):
        raise CarrierError(21217)
    if not sender:
        raise CarrierError(21213)
    if not E164.fullmatch(sender) or sender == "+15005550001":
        raise CarrierError(21212)
    if sender.startswith(TEST_NUMBERS) and sender != MAGIC_FROM_OK:
        raise CarrierError(21210)
    return to, sender


def _check_instructions(form: dict[str, str]) -> tuple[str, str]:
    """Return where the TwiML is, or the TwiML itself; an address wins where both are given."""
    url, twiml = form.get("Url", ""), form.get("Twiml", "")
    if url:
        if not is_webhook_url(url):
            raise CarrierError(21205)
        return url, ""
    if not twiml:
        raise CarrierError(21205, message="A call needs 'Url' or 'Twiml'")
    if len(twiml) > MAX_TWIML:
        raise CarrierError(20001, message="'Twiml' is longer than 4000 characters")
    return "", twiml


def _ring_seconds(text: str) -> int:
    if not text.isdecimal() or int(text) > MAX_RING_SECONDS:
        raise CarrierError(20001, message="'Timeout' is a whole number of seconds, at most 600")
    return int(text)


async def create(carrier: "Carrier", request: RestRequest) -> web.Response:
    """Ring a phone."""
    form, now = request.form, carrier.time.now()
    to, sender = _check_numbers(form)
    url, twiml = _check_instructions(form)
    check_callback(form.get("StatusCallback", ""))
    # Twilio's libraries repeat the key; its documentation also shows the values in one, parted by spaces.
    events = [event for value in request.all("StatusCallbackEvent") for event in value.split()]
    if not CALLBACK_EVENTS.issuperset(events):
        raise CarrierError(20001, message="'StatusCallbackEvent' names an unknown event")
    call = Call(
        sid=new_sid("CA"),
        to=to,
        sender=sender,
        status="queued",
        created_at=now,
        updated_at=now,
        url=url,
        method=form.get("Method", "POST").upper(),
        twiml=twiml,
        fallback_url=form.get("FallbackUrl", ""),
        status_callback=form.get("StatusCallback", ""),
        callback_events=events or ["completed"],
        callback_method=form.get("StatusCallbackMethod", "POST").upper(),
        timeout_seconds=_ring_seconds(form.get("Timeout", "60")),
        machine_detection=form.get("MachineDetection", ""),
        async_amd_callback=form.get("AsyncAmdStatusCallback", "") if form.get("AsyncAmd") == "true" else "",
    )
    carrier.ledger.add_call(call)
    carrier.switchboard.dial(call)
    return reply(call.as_twilio(carrier.settings.account_sid), 201)


async def listing(carrier: "Carrier", request: RestRequest) -> web.Response:
    """List calls, newest first."""
    query, account = request.http.query, carrier.settings.account_sid
    started, ended = date_filter(query, "StartTime"), date_filter(query, "EndTime")

    def wanted(call: Call) -> bool:
        same = (
            query.get("To", call.to) == call.to
            and query.get("From", call.sender) == call.sender
            and query.get("Status", call.status) == call.status
        )
        return same and "ParentCallSid" not in query and started(call.started_at) and ended(call.ended_at)

    calls = list(carrier.ledger.calls.values())
    return reply(page_of(request.http, calls, "calls", wanted=wanted, show=lambda call: call.as_twilio(account)))


def _found(carrier: "Carrier", request: RestRequest) -> Call:
    call = carrier.ledger.calls.get(request.path["sid"])
    if call is None:
        raise CarrierError(20404)
    return call


async def fetch(carrier: "Carrier", request: RestRequest) -> web.Response:
    """Return one call."""
    return reply(_found(carrier, request).as_twilio(carrier.settings.account_sid))


async def events(carrier: "Carrier", request: RestRequest) -> web.Response:
    """List the requests that were made for a call, with what the product answered."""
    call = _found(carrier, request)
    found = [
        {
            "request": {"method": "POST", "url": one["url"], "parameters": one["params"]},
            "response": {"response_code": one["response"]["status"], "response_body": one["response"]["body"]},
        }
        for one in carrier.ledger.webhooks
        if one["sid"] == call.sid
    ]
    empty: list[Call] = []
    page = page_of(request.http, empty, "events", wanted=lambda _: True, show=lambda _: None)
    return reply(page | {"events": found, "end": max(0, len(found) - 1)})


async def notifications(carrier: "Carrier", request: RestRequest) -> web.Response:
    """List what went wrong on a call; the sandbox keeps that in its events, so the list is empty."""
    _found(carrier, request)
    empty: list[Call] = []
    return reply(page_of(request.http, empty, "notifications", wanted=lambda _: True, show=lambda _: None))


async def update(carrier: "Carrier", request: RestRequest) -> web.Response:
    """Cancel a call that rings, end one that runs, or give a running one new TwiML."""
    call, form = _found(carrier, request), request.form
    if call.status in ENDED:
        raise CarrierError(21220)
    if "Status" in form:
        if form["Status"] not in {"canceled", "completed"}:
            raise CarrierError(20001, message="'Status' is canceled or completed")
        if form["Status"] == "canceled" and call.status == "in-progress":
            raise CarrierError(21220)
        await carrier.switchboard.end(call, "completed" if call.status == "in-progress" else "canceled")
    elif form.get("Url") or form.get("Twiml"):
        url, twiml = _check_instructions(form)
        if call.status != "in-progress":
            raise CarrierError(21220)
        await carrier.switchboard.redirect(call, url=url, twiml=twiml, method=form.get("Method", "POST").upper())
    return reply(call.as_twilio(carrier.settings.account_sid))


async def delete(carrier: "Carrier", request: RestRequest) -> web.Response:
    """Delete the record of an ended call."""
    call = _found(carrier, request)
    if call.status not in ENDED:
        raise CarrierError(20009, message="The call has not ended")
    carrier.ledger.change_call(call, "call.deleted", at=carrier.time.now(), deleted=True)
    return no_content()
