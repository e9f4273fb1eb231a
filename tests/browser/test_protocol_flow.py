"""A protocol is changed, rehearsed, checked and published in a browser, with script off and by the keyboard's means."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from reminders import clock
from reminders.messaging.models import AftercarePlan
from reminders.messaging.planning import plan_aftercare
from tests import factories
from tests.browser.conftest import OpenPage, log_in
from tests.browser.story import Day

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_therapist_changes_the_protocol_and_moves_a_running_plan_with_script_off(
    open_page: OpenPage, day: Day
) -> None:
    ended_at = clock.now() - timedelta(hours=1)
    patient = factories.make_patient(clinic=day.clinic, given_name="Rowan", family_name="Ash", now=ended_at)
    session = factories.make_treatment_session(patient=patient, ended_at=ended_at, now=ended_at)
    plan_aftercare(treatment_session_id=session.pk, now=ended_at)
    page = open_page(size="phone", script=False)
    log_in(page)

    page.goto("/protocols/dry-needling/")
    page.get_by_role("link", name="Change it").click()
    page.locator("#step-3-offset").fill("50 h")
    # What Enter does: the draft is kept, no row is moved.
    page.locator("#step-3-offset").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Draft kept.")
    expect(page.get_by_text("Soreness check-in, due: 24 h becomes 50 h.")).to_be_visible()

    page.get_by_role("link", name="Rehearse it").click()
    page.get_by_label("Treated on").fill("2026-10-31")
    page.get_by_label("First answer").fill("chest pain")
    page.get_by_role("button", name="Play it through").click()
    expect(page.get_by_text("The clock went back an hour.")).to_be_visible()
    page.get_by_label("Name of the check").fill("Chest pain over the change")
    page.get_by_role("button", name="Keep this story as a check").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Chest pain over the change")

    page.goto("/protocols/dry-needling/publish/")
    expect(page.get_by_role("link", name="Rowan Ash")).to_be_visible()
    page.get_by_label("I have read what differs").check()
    page.get_by_label("Move them too").check()
    page.get_by_role("button", name="Publish version 2").click()

    expect(page.get_by_text("Published as version 2.")).to_be_visible()
    plan = AftercarePlan.objects.get(treatment_session=session, state="active")
    assert plan.protocol_version.number == 2
    due_at = session.messages.get(step_key="check_in", state="scheduled").due_at
    assert due_at >= ended_at + timedelta(hours=50)
