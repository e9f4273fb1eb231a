"""The pages: every phone as a chat, the clock, and the faults. Plain forms; htmx only keeps them fresh."""

from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from aiohttp import web
from aiohttp.typedefs import Handler
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from reminders.sandbox import call_control, control, inbound
from reminders.sandbox.faults import EFFECTS
from reminders.sandbox.phone_views import CALL_WORDS, chat, moment, phone_rows, ringing_calls

if TYPE_CHECKING:
    from reminders.sandbox.carrier import Carrier

ASSETS = Path(__file__).parent / "assets"
TEMPLATES = Path(__file__).parents[2] / "templates"
KEYPAD = "123456789*0#"
QUICK_REPLIES = ("7", "2", "STOP", "can't breathe")
STEPS = (("10", "+10 min"), ("60", "+1 h"), ("1440", "+1 day"))
POLL_SECONDS = 2
FAULT_SWITCHES = {
    "too_many": "429, too many requests",
    "error": "500, nothing processed",
    "error-processed": "500, but processed",
    "reset": "Connection reset, nothing processed",
    "reset-processed": "Connection reset, but processed",
    "hang": "Hangs, nothing processed",
    "hang-processed": "Hangs, but processed",
    "truncate": "Answer cut in half",
    "delay": "Answers after 2 s",
    "unauthorized": "Credentials refused (20003)",
    "late": "Callbacks 5 s late",
    "doubled": "Callbacks doubled",
    "reordered": "Callbacks reordered",
    "lost": "Callbacks lost",
    "forged": "Callbacks with a wrong signature",
}

Page = Callable[["Pages", web.Request], Awaitable[web.StreamResponse]]


def _htmx_file() -> Path:
    """Return the htmx that django-htmx ships, found without importing Django."""
    spec = find_spec("django_htmx")
    if spec is None or spec.origin is None:
        raise RuntimeError("django-htmx is not installed; it ships the page's script")
    return Path(spec.origin).parent / "static/django_htmx/htmx-2.min.js"


class Pages:
    """The pages of one carrier, and which texts were already looked at."""

    def __init__(self, carrier: "Carrier") -> None:
        self.carrier = carrier
        self.seen: dict[str, int] = {}
        self._templates = Environment(
            loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )

    async def context(self, request: web.Request, number: str | None) -> dict[str, Any]:
        """Return what every page shows: the list, the clock, ringing phones, and the opened chat."""
        carrier = self.carrier
        book = await carrier.time.phonebook()
        opened = chat(carrier, book, number) if number else None
        thread = carrier.ledger.threads.get(number) if number else None
        if number and thread:
            self.seen[number] = thread[-1].serial
        search = request.query.get("q", "")
        rows, more = phone_rows(carrier, book, seen=self.seen, search=search)
        next_at = await carrier.time.next_message_at()
        now = carrier.time.now()
        return {
            "rows": rows,
            "more": more,
            "search": search,
            "chat": opened,
            "now": moment(now, None),
            "next_at": moment(next_at, None) if next_at else None,
            "ringing": [(call, book[call.to].label if call.to in book else "") for call in ringing_calls(carrier)],
            "steps": STEPS,
            "keypad": KEYPAD,
            "quick_replies": QUICK_REPLIES,
            "call_words": CALL_WORDS,
            "faults_on": len(carrier.faults.rules),
            "here": request.path,
            "problem": request.query.get("problem", ""),
            "poll_seconds": POLL_SECONDS,
            "state_key": self.state_key(number, search),
            "path_of": lambda phone: f"/phones/{quote(phone)}",
        }

    def state_key(self, number: str | None, search: str) -> str:
        """Return the query of the next poll; it changes with every event and every minute of the shared clock."""
        stamp = f"{self.carrier.ledger.history.last}-{self.carrier.time.now():%d%H%M}"
        return urlencode({"phone": number or "", "q": search, "seen": stamp})

    def render(self, template: str, context: dict[str, Any]) -> web.Response:
        """Return a page."""
        text = self._templates.get_template(f"sandbox/{template}").render(context)
        return web.Response(text=text, content_type="text/html", headers={"Cache-Control": "no-store"})


async def phones_page(pages: Pages, request: web.Request) -> web.StreamResponse:
    """Show the list of phones, and one of them as a chat."""
    number = request.match_info.get("number")
    return pages.render("phones.j2", await pages.context(request, number))


async def live(pages: Pages, request: web.Request) -> web.StreamResponse:
    """Answer a poll: 204 where nothing changed, else the parts that may have."""
    number, search = request.query.get("phone") or None, request.query.get("q", "")
    if pages.state_key(number, search) == request.query_string:
        return web.Response(status=204)
    return pages.render("live.j2", await pages.context(request, number))


def _back(form: Any, fallback: str, problem: str = "") -> web.Response:
    """Send the browser back to the page it came from, with a sentence where something was wrong."""
    target = str(form.get("back", "")) or fallback
    if not target.startswith("/") or target.startswith("//"):
        target = fallback
    if problem:
        target += "?" + urlencode({"problem": problem})
    return web.Response(status=303, headers={"Location": target})


async def post_reply(pages: Pages, request: web.Request) -> web.StreamResponse:
    """Send what was typed on a phone."""
    form = await request.post()
    number = str(form.get("from", "")).strip()
    place = f"/phones/{quote(number)}" if number else "/"
    body = str(form.get("quick") or form.get("body", ""))
    try:
        photo = 1 if form.get("photo") else 0
        if not body.strip() and not photo:
            return _back(form, place, "Type a text first, or send a photo.")
        to = str(form.get("to", "")).strip()
        message = inbound.take(pages.carrier, sender=number, to=to, body=body, media_count=photo)
    except ValueError as error:
        return _back({}, "/", f"Not sent: {error}.")
    await inbound.deliver(pages.carrier, message)
    return _back({}, place)


async def post_call(pages: Pages, request: web.Request) -> web.StreamResponse:
    """Do something with a phone that rings or talks."""
    form = await request.post()
    call = pages.carrier.ledger.calls.get(request.match_info["sid"])
    if call is None:
        return _back(form, "/", "That call is gone.")
    place = f"/phones/{quote(call.to)}"
    try:
        await call_control.act(pages.carrier, call, str(form.get("action", "")), digits=str(form.get("digits", "")))
    except ValueError as error:
        return _back(form, place, f"Not done: {error}.")
    return _back(form, place)


async def post_clock(pages: Pages, request: web.Request) -> web.StreamResponse:
    """Move the clock."""
    form = await request.post()
    step = str(form.get("step", ""))
    wish = {"to": "next"} if step == "next" else {"advance_minutes": step or "0"}
    try:
        await control.move_clock(pages.carrier, request, wish)
    except ValueError as error:
        return _back(form, "/", f"The clock was not moved: {error}.")
    return _back(form, "/")


async def faults_page(pages: Pages, request: web.Request) -> web.StreamResponse:
    """Show which faults are on, and how phones and the carrier behave."""
    carrier = pages.carrier
    context = await pages.context(request, None)
    context |= {
        "switches": FAULT_SWITCHES,
        "on": {_switch_of(rule.effect, rule.processed): rule for rule in carrier.faults.rules},
        "rules": carrier.faults.rules,
        "effects": EFFECTS,
        "behaviour": carrier.ledger.behaviour,
        "outcome": (carrier.ledger.numbers.get("*") or {}).get("outcome", "delivered"),
        "creates": carrier.ledger.created_per_text.total(),
        # The same words may be owed twice (two sessions, one phone); one row must never be created twice.
        "doubles": sum(n > 1 for n in carrier.ledger.created_per_callback.values()),
    }
    return pages.render("faults.j2", context)


def _switch_of(effect: str, processed: bool) -> str:
    return f"{effect}-processed" if processed else effect


async def post_fault(pages: Pages, request: web.Request) -> web.StreamResponse:
    """Switch one fault on or off."""
    form = await request.post()
    switch = str(form.get("switch", ""))
    effect, _, processed = switch.partition("-")
    on = [r for r in pages.carrier.faults.rules if _switch_of(r.effect, r.processed) == switch]
    for rule in on:
        pages.carrier.faults.remove(rule.id)
    if not on and effect in EFFECTS:
        seconds = {"delay": 2.0, "late": 5.0}.get(effect, 1.0)
        await control.add_fault(
            pages.carrier, request, {"effect": effect, "processed": bool(processed), "seconds": seconds}
        )
    return _back({}, "/faults")


async def post_behaviour(pages: Pages, request: web.Request) -> web.StreamResponse:
    """Change how texts end, for all phones or one, and who keeps STOP."""
    form = await request.post()
    if "number" in form:
        outcome = str(form.get("outcome", ""))
        wish = {"number": str(form["number"]), "outcome": outcome if outcome != "delivered" else None}
        await control.set_number(pages.carrier, request, wish)
    if "opt_out" in form:
        await control.set_settings(pages.carrier, request, {"carrier_handles_opt_out": form["opt_out"] == "carrier"})
    return _back(form, "/faults")


async def stylesheet(pages: Pages, request: web.Request) -> web.StreamResponse:
    """Serve the page's own style."""
    return web.FileResponse(ASSETS / "sandbox.css")


async def htmx(pages: Pages, request: web.Request) -> web.StreamResponse:
    """Serve the htmx that django-htmx ships."""
    return web.FileResponse(_htmx_file(), headers={"Cache-Control": "max-age=3600"})


ROUTES: tuple[tuple[str, str, Page], ...] = (
    ("GET", "/", phones_page),
    ("GET", "/phones/{number}", phones_page),
    ("GET", "/live", live),
    ("POST", "/reply", post_reply),
    ("POST", "/calls/{sid}", post_call),
    ("POST", "/clock", post_clock),
    ("GET", "/faults", faults_page),
    ("POST", "/faults", post_fault),
    ("POST", "/behaviour", post_behaviour),
    ("GET", "/assets/sandbox.css", stylesheet),
    ("GET", "/assets/htmx.js", htmx),
)


def page_handler(pages: Pages, page: Page) -> Handler:
    """Return an aiohttp handler for a page; another site's forms are refused."""

    async def handle(request: web.Request) -> web.StreamResponse:
        if request.method == "POST" and request.headers.get("Sec-Fetch-Site") == "cross-site":
            return web.Response(status=403, text="Another site may not steer the sandbox.")
        return await page(pages, request)

    return handle
