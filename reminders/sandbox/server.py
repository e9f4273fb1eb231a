"""The HTTP server: which address leads where."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

from aiohttp import web

from reminders.sandbox import call_control, calls, control, messages, pages
from reminders.sandbox.carrier import Carrier
from reminders.sandbox.pages import Pages, page_handler
from reminders.sandbox.rest import RestHandler, endpoint, refusal
from reminders.sandbox.wire import API_VERSION, JSON_HEADERS, CarrierError, dump

REST_ROUTES: tuple[tuple[str, str, str, RestHandler], ...] = (
    ("POST", "/Messages.json", "messages.create", messages.create),
    ("GET", "/Messages.json", "messages.list", messages.listing),
    ("GET", "/Messages/{sid}.json", "messages.fetch", messages.fetch),
    ("POST", "/Messages/{sid}.json", "messages.update", messages.update),
    ("DELETE", "/Messages/{sid}.json", "messages.delete", messages.delete),
    ("GET", "/Messages/{sid}/Media.json", "media.list", messages.media_listing),
    ("GET", "/Messages/{sid}/Media/{media}.json", "media.fetch", messages.media_fetch),
    ("DELETE", "/Messages/{sid}/Media/{media}.json", "media.delete", messages.media_delete),
    ("GET", "/Messages/{sid}/Media/{media}", "media.content", messages.media_content),
    ("DELETE", "/Messages/{sid}/Media/{media}", "media.delete", messages.media_delete),
    ("POST", "/Messages/{sid}/Feedback.json", "feedback.create", messages.feedback),
    ("POST", "/Calls.json", "calls.create", calls.create),
    ("GET", "/Calls.json", "calls.list", calls.listing),
    ("GET", "/Calls/{sid}.json", "calls.fetch", calls.fetch),
    ("POST", "/Calls/{sid}.json", "calls.update", calls.update),
    ("DELETE", "/Calls/{sid}.json", "calls.delete", calls.delete),
    ("GET", "/Calls/{sid}/Events.json", "calls.events", calls.events),
    ("GET", "/Calls/{sid}/Notifications.json", "calls.notifications", calls.notifications),
)


def build_app(carrier: Carrier) -> web.Application:
    """Return the aiohttp application of a carrier. Whoever runs it also starts and stops the carrier."""
    app = web.Application(client_max_size=1024**2)
    root = f"/{API_VERSION}/Accounts"
    for method, path, operation, rest_handler in REST_ROUTES:
        handler = endpoint(carrier, operation, rest_handler)
        # The account's own address first and without a pattern: aiohttp finds such a route with one dictionary look-up.
        app.router.add_route(method, f"{root}/{carrier.settings.account_sid}{path}", handler)
    for method, path, operation, rest_handler in REST_ROUTES:
        app.router.add_route(method, root + "/{account}" + path, endpoint(carrier, operation, rest_handler))
    for method, name, control_handler in (*control.ROUTES, *call_control.ROUTES):
        app.router.add_route(method, f"/sandbox/api/{name}", control.control(carrier, control_handler))

    async def healthz(request: web.Request) -> web.Response:
        return web.Response(body=dump({"status": "ok"}), headers=JSON_HEADERS)

    async def unknown(request: web.Request) -> web.Response:
        return refusal(CarrierError(20404))

    page_set = Pages(carrier)
    for method, path, page in pages.ROUTES:
        app.router.add_route(method, path, page_handler(page_set, page))
    app.router.add_get("/healthz", healthz)
    app.router.add_route("*", f"/{API_VERSION}/{{path:.*}}", unknown)
    return app


@contextlib.asynccontextmanager
async def running(carrier: Carrier) -> AsyncIterator[str]:
    """Serve a carrier for the length of a `with` block; yields its base URL, with the port the system chose for 0."""
    runner = web.AppRunner(build_app(carrier), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await carrier.start()
        try:
            await web.TCPSite(runner, carrier.settings.host, carrier.settings.port, backlog=1024).start()
            addresses: list[Any] = runner.addresses
            carrier.settings = replace(carrier.settings, port=addresses[0][1])
            own_url = f"http://{carrier.settings.host}:{carrier.settings.port}"
            carrier.public_url = carrier.settings.public_url.rstrip("/") or own_url
            carrier.resume()
            yield own_url
        finally:
            await carrier.stop()
    finally:
        await runner.cleanup()


async def serve(carrier: Carrier, *, announce: Any) -> None:
    """Serve until SIGINT or SIGTERM; `announce` is called with the base URL once requests are taken."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with running(carrier) as url:
        announce(url)
        await stop.wait()
