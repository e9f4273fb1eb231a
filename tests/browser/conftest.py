"""A real browser on the real pages."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests import factories
from tests.browser.story import Day, make_day

SIZES = {"desk": (1280, 900), "phone": (390, 844)}
OpenPage = Callable[..., Page]

# The pages refresh themselves every five seconds.
expect.set_options(timeout=15_000)


@pytest.fixture
def day(transactional_db: None) -> Day:
    """The clinic's day, with every state somewhere."""
    return make_day()


@pytest.fixture
def complaints() -> list[str]:
    """What the browser complains about, gathered while a test runs."""
    return []


@pytest.fixture
def open_page(browser: Browser, live_server: object, complaints: list[str]) -> Iterator[OpenPage]:
    """Return a function that opens a page of the running console, on a desk or a phone."""
    contexts = []

    def opened(*, size: str = "desk", scheme: str = "light", script: bool = True) -> Page:
        width, height = SIZES[size]
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if scheme == "dark" else "light",
            base_url=str(live_server),
            reduced_motion="reduce",
            java_script_enabled=script,
        )
        contexts.append(context)
        page = context.new_page()

        def note(message: ConsoleMessage) -> None:
            if message.type in {"error", "warning"}:
                complaints.append(f"{page.url}: {message.text}")

        page.on("console", note)
        page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
        return page

    yield opened
    for context in contexts:
        context.close()


def log_in(page: Page, username: str = "theo") -> None:
    """Log in by the form, as a person does."""
    page.goto("/login/")
    page.get_by_label("User name").fill(username)
    page.get_by_label("Password").fill(factories.PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(lambda url: "/login/" not in url)
