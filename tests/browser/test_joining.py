"""From the invitation to a login with a code, in a real browser: with the keyboard alone, and with script off."""

import pyotp
import pytest
from playwright.sync_api import Page, expect

from tests import factories
from tests.browser.conftest import OpenPage, log_in
from tests.browser.story import Day
from tests.browser.test_looks import look

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PASSWORD = "seventeen green umbrellas"


def _invited(page: Page) -> str:
    """Invite somebody with the keyboard alone; return the link."""
    log_in(page, "olivia")
    page.goto("/staff/")
    page.get_by_label("First name").focus()
    page.keyboard.type("Sam")
    page.keyboard.press("Tab")
    page.keyboard.type("Silva")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    return page.get_by_label("Copy it now").input_value()


@pytest.mark.parametrize("script", [True, False])
def test_somebody_is_invited_joins_and_logs_in_with_a_code(
    open_page: OpenPage, day: Day, complaints: list[str], script: bool
) -> None:
    size = "desk" if script else "phone"

    def seen(page: Page, name: str) -> list[str]:
        return look(page, f"{name}-{size}-light") if script else []  # the check is a script itself

    owner = open_page(size=size, script=script)
    link = _invited(owner)
    wrong = seen(owner, "staff-link")

    page = open_page(size=size, script=script)
    page.goto(link)
    assert link.split("/")[-2] not in page.url, "the secret does not stay in the address"
    wrong += seen(page, "welcome")
    page.get_by_label("User name").fill("sam")
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_label("The same password again").fill(PASSWORD)
    page.get_by_role("button", name="Make my account").click()
    page.get_by_label("User name").fill("sam")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()

    page.goto("/account/codes/")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Begin").click()
    secret = page.locator("code.key").inner_text().replace(" ", "")
    wrong += seen(page, "codes-connect")
    page.get_by_label("The six digits").fill(pyotp.TOTP(secret).now())
    page.get_by_role("button", name="Turn codes on").click()
    recovery = page.locator(".recovery-codes code").first.inner_text()
    wrong += seen(page, "recovery-codes")
    page.get_by_role("button", name="Log out").click()
    page.get_by_label("User name").fill("sam")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    wrong += seen(page, "login-code")
    page.get_by_label("Code").fill(recovery)
    page.get_by_role("button", name="Log in").click()

    expect(page.get_by_role("status").first).to_contain_text("9 are left")
    assert wrong == []
    assert complaints == []


def test_a_hidden_number_is_shown_with_script_off(open_page: OpenPage, day: Day) -> None:
    page = open_page(size="phone", script=False)
    log_in(page)
    page.goto(f"/patients/{day.sore.pk}/")
    number = factories.phone_of(day.sore)
    assert number not in page.content()

    page.get_by_role("button", name="Show").first.click()

    assert page.locator(f'a[href="tel:{number}"]').is_visible()
    assert page.url.endswith("/number/")
