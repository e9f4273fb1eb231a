"""The pages in a real browser: they stay fresh, fit both screens, and pass axe."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from reminders.sandbox.clock import PhoneEntry
from tests.sandbox.harness import CLINIC, PATIENT, Sandbox

pytestmark = pytest.mark.browser

CLINICIAN = "+13125550150"
PROMPT = '<Response><Gather numDigits="1"><Say>A patient needs you. Press 1.</Say></Gather></Response>'
WIDE, NARROW = (1280, 900), (390, 844)


@pytest.fixture
def pages(browser: Browser) -> Iterator[Page]:
    """One page of the system's Chromium."""
    with browser.new_page() as page:
        yield page


@pytest.fixture
def busy(carrier: Sandbox) -> Sandbox:
    """A carrier with a conversation, a photo, and a ringing phone."""
    carrier.clock.phones = {
        PATIENT: PhoneEntry("Ana R. (patient)", "patient", "America/Chicago"),
        CLINICIAN: PhoneEntry("Dr. Lee (clinician)", "clinician", "America/Chicago"),
    }
    carrier.send("How sore is the muscle today, from 0 to 10?")
    carrier.control("POST", "inbound", {"from": PATIENT, "to": CLINIC, "body": "still 7", "media": 1})
    call = carrier.client.calls.create(to=CLINICIAN, from_=CLINIC, twiml=PROMPT)
    carrier.events(until="call.status", sid=call.sid)
    return carrier


@pytest.mark.parametrize("size", [WIDE, NARROW])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/", f"/phones/{PATIENT}", f"/phones/{CLINICIAN}", "/faults"])
def test_pages_fit_the_screen_and_pass_axe(
    busy: Sandbox, pages: Page, path: str, scheme: str, size: tuple[int, int]
) -> None:
    pages.set_viewport_size({"width": size[0], "height": size[1]})
    pages.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    pages.goto(busy.url + path)

    assert pages.evaluate("document.documentElement.scrollWidth") <= size[0]
    results = Axe().run(pages)
    assert results.violations_count == 0, results.generate_report()
    small = "[...document.querySelectorAll('button, a[href], select, input:not([type=hidden]), summary')]"
    heights = f"{small}.filter(e => e.offsetParent && !e.matches('.skip')).map(e => [e.outerHTML, e.offsetHeight])"
    assert [html for html, height in pages.evaluate(heights) if height < 44] == []


def test_a_new_text_shows_up_without_a_reload_and_the_reply_box_keeps_its_words(busy: Sandbox, pages: Page) -> None:
    pages.goto(f"{busy.url}/phones/{PATIENT}")
    pages.get_by_label("Text from this phone").fill("half a tho")

    busy.send("Thank you, your PT has been told.")

    expect(pages.get_by_role("log")).to_contain_text("your PT has been told", timeout=10_000)
    expect(pages.get_by_label("Text from this phone")).to_have_value("half a tho")


def test_a_clinician_takes_a_call_with_a_key(busy: Sandbox, pages: Page) -> None:
    pages.goto(busy.url)

    pages.get_by_role("link", name="The phone of Dr. Lee (clinician) rings. Open it").click()
    pages.get_by_role("button", name="Answer").click()
    pages.get_by_role("button", name="Key 1", exact=True).click()

    expect(pages.get_by_role("log")).to_contain_text("keys pressed: 1")
