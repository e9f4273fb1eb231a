"""What a person sees of a login that ends, in a real browser."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage, log_in
from tests.browser.story import Day

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def _come_back(page: Page) -> None:
    """Let the page think that its tab was opened again: then it asks the server at once."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_a_login_that_ends_asks_first_and_keeps_what_was_typed(
    open_page: OpenPage, day: Day, complaints: list[str]
) -> None:
    page = open_page()
    log_in(page)
    page.goto(f"/patients/{day.sore.pk}/write/")
    Session.objects.update(expire_date=timezone.now() + timedelta(seconds=50))
    _come_back(page)
    expect(page.get_by_role("alertdialog")).to_contain_text("Are you still there?")
    page.get_by_role("button", name="Stay logged in").click()
    expect(page.get_by_role("alertdialog")).to_have_count(0)
    assert Session.objects.get().expire_date > timezone.now() + timedelta(minutes=14)

    words = page.locator("textarea").first
    words.fill("Please rest the arm today.")
    Session.objects.all().delete()
    _come_back(page)
    expect(page.get_by_role("alertdialog")).to_contain_text("You are logged out")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(page.get_by_role("alertdialog")).to_be_visible()
    other = page.context.new_page()
    log_in(other)
    page.get_by_role("button", name="I have logged in: go on").click()

    expect(page.get_by_role("alertdialog")).to_have_count(0)
    expect(words).to_have_value("Please rest the arm today.")
    with page.expect_navigation():
        page.locator("form.stack button[type=submit]").click()
    expect(page.get_by_role("heading", level=1)).not_to_contain_text("Forbidden")
    assert "/login/" not in page.url
    assert complaints == []


def test_a_page_without_typed_words_goes_to_the_login_and_comes_back(open_page: OpenPage, day: Day) -> None:
    page = open_page()
    log_in(page)
    page.goto("/protocols/")
    Session.objects.all().delete()

    _come_back(page)

    page.wait_for_url("**/login/?next=%2Fprotocols%2F")
