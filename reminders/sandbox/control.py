"""The control API: how tests, the demo and the page look into the carrier and steer it. JSON under /sandbox/api/."""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from aiohttp import web
from aiohttp.typedefs import Handler

from reminders.sandbox import inbound
from reminders.sandbox.photo import PHOTO_TYPE
from reminders.sandbox.progress import OUTCOMES
from reminders.sandbox.records import Message
from reminders.sandbox.wire import JSON_HEADERS, dump, iso

if TYPE_CHECKING:
    from reminders.sandbox.carrier import Carrier

MAX_WAIT_SECONDS = 60.0
JUST_PASSED = timedelta(seconds=10)
CALL_OUTCOMES = ("ring", "answer", "voicemail", "busy", "no-answer", "failed")

ControlHandler = Callable[["Carrier", web.Request, dict[str, Any]], Awaitable[Any]]


def control(carrier: "Carrier", handler: ControlHandler) -> Handler:
    """Return an aiohttp handler that reads a JSON object, answers JSON, and turns ValueError into 400."""

    async def handle(request: web.Request) -> web.StreamResponse:
        if request.headers.get("Sec-Fetch-Site") == "cross-site":
            return _answer({"error": "another site may not steer the sandbox"}, 403)
        try:
            return _answer(await handler(carrier, request, _wish(await request.text())))
        except LookupError as error:
            return _answer({"error": str(error.args[0] if error.args else "not found")}, 404)
        except (ValueError, TypeError) as error:
            return _answer({"error": str(error)}, 400)

    return handle


def _wish(text: str) -> dict[str, Any]:
    wish = json.loads(text) if text else {}
    if not isinstance(wish, dict):
        raise TypeError("the body is not a JSON object")
    return wish


def _answer(value: Any, status: int = 200) -> web.Response:
    return web.Response(body=dump(value), status=status, headers=JSON_HEADERS)


async def clock_state(carrier: "Carrier") -> dict[str, Any]:
    """Return the shared time and when the product sends next."""
    next_at = await carrier.time.next_message_at()
    return {"now": iso(carrier.time.now()), "next_message_at": iso(next_at) if next_at else None}


async def state(carrier: "Carrier", request: web.Request, wish: dict[str, Any]) -> dict[str, Any]:
    """Return everything the carrier knows; `?limit=` keeps the newest so many of each kind."""
    ledger, limit = carrier.ledger, int(request.query.get("limit", "0"))
    messages = [m for m in ledger.in_order if not m.deleted]
    sent = [m.as_record() for m in messages if m.direction != "inbound"]
    received = [m.as_record() for m in messages if m.direction == "inbound"]
    calls = [c.as_record() for c in ledger.calls.values()]
    webhooks = list(ledger.webhooks)
    return {
        "clock": await clock_state(carrier),
        "messages": sent[-limit:],
        "inbound": received[-limit:],
        "calls": calls[-limit:],
        "callbacks": webhooks[-limit:],
        "faults": [rule.as_json() for rule in carrier.faults.rules],
        "numbers": ledger.numbers,
        "opt_outs": [{"phone": phone, "sender": sender} for phone, sender in sorted(ledger.opt_outs)],
        "settings": ledger.behaviour.as_json(),
        "requests": ledger.requests,
        "last_event": ledger.history.last,
    }


async def messages(carrier: "Carrier", request: web.Request, wish: dict[str, Any]) -> dict[str, Any]:
    """Return texts of both directions, oldest first, by `to`, `from`, `since` (ISO), `direction`."""
    query, ledger = request.query, carrier.ledger
    items: list[Message] = ledger.by_to.get(query["to"], []) if "to" in query else ledger.in_order
    since = datetime.fromisoformat(query["since"]) if "since" in query else None
    found = [
        m.as_record()
        for m in items
        if not m.deleted
        and query.get("from", m.sender) == m.sender
        and query.get("direction", m.direction) == m.direction
        and (since is None or m.created_at >= since)
    ]
    return {"messages": found}


async def tally(carrier: "Carrier", request: web.Request, wish: dict[str, Any]) -> dict[str, Any]:
    """Return counts of what was processed: creates, texts created more than once, creates per StatusCallback."""
    ledger = carrier.ledger
    callbacks = ledger.created_per_callback
    result: dict[str, Any] = {
        "creates": ledger.created_per_text.total(),
        "doubles": ledger.doubles(),
        "callback_doubles": {url: n for url, n in callbacks.items() if n > 1},
        "statuses": Counter(m.status for m in ledger.in_order if m.direction == "outbound-api"),
        "requests": ledger.requests,
    }
    if request.query.get("full"):
        result["per_callback"] = callbacks
        result["per_text"] = [{"to": t, "body": b, "count": n} for (t, b), n in ledger.created_per_text.items()]
    return result


async def phones(carrier: "Carrier", request: web.Request, wish: dict[str, Any]) -> dict[str, Any]:
    """Return the conversation of every phone, newest first."""
    book = await carrier.time.phonebook()
    threads = {
        number: [m.as_record() for m in thread if not m.deleted] for number, thread in carrier.ledger.threads.items()
    }
    found = [
        {
            "number": number,
            "label": book[number].label if number in book else "",
            "messages": thread,
            "calls": [c.as_record() for c in carrier.ledger.calls.values() if c.to == number],
        }
        for number, thread in threads.items()
        if thread
    ]
    return {"phones": sorted(found, key=lambda p: p["messages"][-1]["created_at"], reverse=True)}


async def post_inbound(carrier: "Carrier", request: web.Request, wish: dict[str, Any]) -> dict[str, Any]:
    """Send a text from a phone to the product; answers once the product has answered the webhook."""
    message = inbound.take(
        carrier,
        sender=str(wish.get("from", "")),
        to=str(wish.get("to", "")),
        body=str(wish.get("body", "")),
        media_count=int(wish.get("media", 0)),
        media_type=str(wish.get("media_type", PHOTO_TYPE)),
        message_sid=wish.get("message_sid"),
    )
    answer = await inbound.deliver(carrier, message, signature=str(wish.get("signature", "valid")))
    return {"sid": message.sid, "webhook": answer.as_json() if answer else None}


async def set_number(carrier: "Carrier", request: web.Request, wish: dict[str, Any]) -> dict[str, Any]:
    """Set how texts and calls to a number end (`*` for all); an empty outcome and call clear it."""
    number = str(wish.get("number", ""))
    if not number:
        raise ValueError("number is missing")
    if wish.get("outcome") not in {None, *OUTCOMES}:
        raise ValueError(f"outcome is one of {', '.join(OUTCOMES)}")
    if wish.get("call") not in {None, *CALL_OUTCOMES}:
        raise ValueError(f"call is one of {', '.join(CALL_OUTCOMES)}")
    now = carrier.time.now()
    if not wish.get("outcome") and not wish.get("call"):
        carrier.ledger.record("number.cleared", at=now, number=number, durable=True)
        return {"number": number, "rule": None}
    names = ("outcome", "error_code", "times", "call", "press")
    rule = {"number": number} | {name: wish[name] for name in names if wish.get(name) is not None}
    carrier.ledger.record("number.set", at=now, number=number, rule=rule, durable=True)
    return {"number": number, "rule": rule}


async def set_settings(carrier: "Carrier", request: web.Request, wish: dict[str, Any]) -> dict[str, Any]:
    """Change settings of the running carrier."""
    carrier.ledger.behaviour.check(wish)
    carrier.ledger.record("setting.changed", at=carrier.time.now(), changes=wish, durable=True)
    return carrier.ledger.behaviour.as_json()


async def move_clock(carrier: "Carrier", request: web.Request, wish: dict[str, Any]) -> dict[str, Any]:
    """Move the shared clock: `advance_minutes`, `advance_seconds`, or `to`: an ISO time or `next`."""
    step = timedelta(minutes=float(wish.get("advance_minutes", 0)), seconds=float(wish.get("advance_seconds", 0)))
    if "to" in wish:
        goal = await carrier.time.next_message_at() if wish["to"] == "next" else datetime.fromisoformat(wish["to"])
        if goal is None:
            raise ValueError("no message is planned")
        step = goal - carrier.time.now()
        # The clock runs while the request is on its way: a moment that has passed by then is reached.
        if wish["to"] == "next" or step > -JUST_PASSED:
            step = max(step, timedelta())
    if step < timedelta():
        raise ValueError("the clock only moves forward")
    await carrier.time.advance(step)
    carrier.ledger.record("clock.moved", at=carrier.time.now(), seconds=step.total_seconds())
    return await clock_state(carrier)


async def get_clock(carrier: "Carrier", request: web.Request, wish: dict[str, Any]) -> dict[str, Any]:
    """Return the shared time."""
    await carrier.time.sample()
    return await clock_state(carrier)


async def add_fault(carrier: "Carrier", request: web.Request, wish: dict[str, Any]) -> dict[str, Any]:
    """Switch a fault on."""
    rule = carrier.faults.add(wish).as_json()
    carrier.ledger.record("fault.added", at=carrier.time.now(), rule=rule)
    return rule


async def remove_faults(carrier: "Carrier", request: web.Request, wish: dict[str, Any]) -> dict[str, Any]:
    """Switch one fault off (`?id=`), or all."""
    removed = carrier.faults.remove(int(request.query["id"]) if "id" in request.query else None)
    carrier.ledger.record("fault.removed", at=carrier.time.now(), count=removed)
    return {"removed": removed}


async def events(carrier: "Carrier", request: web.Request, wish: dict[str, Any]) -> dict[str, Any]:
    """Return events numbered above `after`, waiting up to `timeout` seconds for the first.

    Any other parameter is a filter: `kind`, or a field of the event or of its message or call (`sid`, `status`, `to`).
    `last` is the number to ask after next, also where events were left out by a filter.
    """
    filters = dict(request.query)
    last = int(filters.pop("after", "0"))
    loop = asyncio.get_running_loop()
    deadline = loop.time() + min(float(filters.pop("timeout", "0")), MAX_WAIT_SECONDS)
    limit = min(int(filters.pop("limit", "1000")), 10_000)
    while True:
        left = max(0.0, deadline - loop.time())
        found = await carrier.ledger.history.wait(last, timeout_seconds=left, limit=limit)
        last = found[-1]["n"] if found else last
        wanted = [event for event in found if _passes(event, filters)]
        if wanted or not found:
            return {"events": wanted, "last": last}


def _passes(event: dict[str, Any], filters: dict[str, str]) -> bool:
    fields = event | event.get("message", event.get("call", event.get("changes", {})))
    return all(str(fields.get(name)) == value for name, value in filters.items())


async def reset(carrier: "Carrier", request: web.Request, wish: dict[str, Any]) -> dict[str, Any]:
    """Forget messages, calls, rules and faults; the clock and the settings stay."""
    await carrier.switchboard.stop()
    carrier.faults.remove()
    carrier.ledger.reset(at=carrier.time.now())
    return {"last_event": carrier.ledger.history.last}


ROUTES: tuple[tuple[str, str, ControlHandler], ...] = (
    ("GET", "state", state),
    ("GET", "messages", messages),
    ("GET", "tally", tally),
    ("GET", "phones", phones),
    ("GET", "clock", get_clock),
    ("GET", "events", events),
    ("POST", "inbound", post_inbound),
    ("POST", "numbers", set_number),
    ("POST", "settings", set_settings),
    ("POST", "clock", move_clock),
    ("POST", "faults", add_fault),
    ("DELETE", "faults", remove_faults),
    ("POST", "reset", reset),
)
