"""Runs a carrier and a listening product in a thread, so that tests can use Twilio's own synchronous client."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Any

import requests
from aiohttp import web
from twilio.rest import Client

from reminders.sandbox.carrier import Carrier
from reminders.sandbox.clock import LocalClock
from reminders.sandbox.server import running
from reminders.sandbox.settings import Behaviour, SandboxSettings
from tests.sandbox.contract import CheckedHttpClient
from tests.sandbox.product import Product

ACCOUNT = "AC" + "0123456789abcdef" * 2
TOKEN = "sandbox-token"
CLINIC = "+13125550199"
PATIENT = "+13125550101"


class Sandbox:
    """A running carrier: Twilio's client, the control API, and a product that keeps what it is sent."""

    def __init__(self, *, behaviour: Behaviour | None = None, **settings: Any) -> None:
        self.clock = LocalClock()
        self.product = Product()
        self._settings = SandboxSettings(account_sid=ACCOUNT, auth_token=TOKEN, **settings)
        self._behaviour = behaviour or Behaviour(sent_after=0, delivered_after=0, min_gather_seconds=0)
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._http = requests.Session()
        self.seen = 0

    def __enter__(self) -> "Sandbox":
        self._thread.start()
        if not self._ready.wait(10):
            raise RuntimeError("the sandbox did not start")
        self.http_client = CheckedHttpClient(self.url)
        self.client = Client(ACCOUNT, TOKEN, http_client=self.http_client)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        self._http.close()
        self.http_client.close()

    def _run(self) -> None:
        with contextlib.closing(self._loop):
            self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.product.handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.product.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        self.carrier = Carrier(self._settings, behaviour=self._behaviour, clock=self.clock)
        self._behaviour.inbound_url = self.product.base_url + "/inbound/"
        async with running(self.carrier) as self.url:
            self._ready.set()
            await self._stop.wait()
        await runner.cleanup()

    @property
    def account_url(self) -> str:
        """Address of the account's resources."""
        return f"{self.url}/2010-04-01/Accounts/{ACCOUNT}"

    def control(self, method: str, path: str, body: object = None, *, status: int = 200) -> Any:
        """Call the control API and return its JSON."""
        response = self._http.request(method, f"{self.url}/sandbox/api/{path}", json=body, timeout=30)
        assert response.status_code == status, response.text
        return response.json()

    def raw(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        """Call Twilio's API without its client."""
        kwargs.setdefault("auth", (ACCOUNT, TOKEN))
        return self._http.request(method, self.account_url + path, timeout=10, **kwargs)

    def page(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        """Call anything else on the server, as a browser would."""
        return self._http.request(method, self.url + path, timeout=10, **kwargs)

    def send(self, body: str = "How is the shoulder today?", **fields: Any) -> Any:
        """Create a text to the patient with Twilio's client."""
        fields = {"to": PATIENT, "from_": CLINIC, "body": body} | fields
        return self.client.messages.create(**fields)

    def events(self, *, until: str, count: int = 1, **match: Any) -> list[dict[str, Any]]:
        """Wait until `count` new events of one kind (and with these fields) have come; return them."""
        found: list[dict[str, Any]] = []
        while len(found) < count:
            answer = self.control("GET", f"events?after={self.seen}&timeout=10&limit=1")
            assert answer["events"], f"no {until} with {match} came; so far {found}"
            self.seen = answer["last"]
            event = answer["events"][0]
            if event["kind"] == until and all(event.get(k) == v for k, v in match.items()):
                found.append(event)
        return found

    def posted(self, *, count: int = 1, **match: Any) -> list[dict[str, Any]]:
        """Wait until so many webhooks have been posted (or lost by a fault)."""
        return self.events(until="webhook.posted", count=count, **match)


@contextlib.contextmanager
def sandbox(**settings: Any) -> Iterator[Sandbox]:
    """Run a sandbox for the length of a `with` block."""
    with Sandbox(**settings) as one:
        yield one
