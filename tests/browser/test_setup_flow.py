"""A new clinic from nothing to its first test text, and a week of sessions from a file, by forms alone."""

import pytest
from playwright.sync_api import Page, expect

from reminders.clinic.models import Clinic, TreatmentSession
from reminders.insights.heartbeats import DUTIES
from reminders.insights.models import Heartbeat
from reminders.messaging.models import Message
from tests import factories
from tests.browser.conftest import OpenPage, log_in
from tests.browser.test_looks import week

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def bare_clinic(transactional_db: None) -> Clinic:
    """A clinic that has its owner, and nothing else."""
    clinic = factories.make_clinic(name="Harbor Physio", opening_hours={}, reply_hours="", booking_url="")
    clinic.senders.all().delete()
    factories.make_clinician(clinic=clinic, role="owner", username="olivia", phone="+13125550170")
    factories.make_clinician(clinic=clinic, role="therapist", username="theo", phone="+13125550171")
    Heartbeat.objects.bulk_create(Heartbeat(kind=kind, duty=duty, name="here:1") for kind, duty in DUTIES)
    return clinic


def _save(page: Page, button: str = "Save") -> None:
    with page.expect_navigation():
        page.get_by_role("button", name=button, exact=True).click()


def test_an_owner_sets_up_a_clinic_from_the_list_with_script_off(
    open_page: OpenPage, bare_clinic: Clinic, complaints: list[str]
) -> None:
    page = open_page(script=False)
    log_in(page, "olivia")
    page.goto("/setup/")
    expect(page.get_by_role("heading", level=1)).to_have_text("5 things are missing before going live.")

    page.get_by_role("link", name="Next: hours").click()
    for label in ("Monday, opens", "Friday, opens"):
        page.get_by_label(label).fill("08:00")
    page.get_by_label("Monday, closes").fill("18:00")
    page.get_by_label("Your hours in English").fill("Mondays and Fridays 8 am to 6 pm")
    page.get_by_label("Your hours in Spanish").fill("lunes y viernes de 8 am a 6 pm")
    _save(page)
    page.get_by_role("link", name="Give both times").click()
    expect(page.get_by_label("Friday, opens")).to_have_value("08:00")
    page.get_by_label("Friday, closes").fill("17:00")
    _save(page)

    page.get_by_role("link", name="Next: numbers you text from").click()
    page.get_by_label("Number", exact=True).fill("312 555 0180")
    _save(page, "Add")
    page.goto("/setup/")
    page.get_by_role("link", name="Next: who is called").click()
    _save(page)
    _save(page, "Publish the texts we came with")
    page.get_by_role("link", name="Next: first test text").click()
    expect(page.get_by_label("To your own phone")).to_have_value("(312) 555-0170")
    _save(page, "Send the test")
    expect(page.get_by_text("Planned", exact=True)).to_be_visible()
    Message.objects.update(state="delivered")

    page.goto("/setup/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Ready to go live.")
    assert bare_clinic.ladder.count() == 4
    # A form that is refused answers 422, which the browser notes.
    assert [one for one in complaints if "422" not in one] == []


def test_a_front_desk_brings_in_a_file_with_script_off(open_page: OpenPage, bare_clinic: Clinic) -> None:
    factories.make_clinician(clinic=bare_clinic, role="front_desk", username="fran")
    page = open_page(size="phone", script=False)
    log_in(page, "fran")
    page.goto("/sessions/new/")
    page.get_by_role("link", name="Import a file").click()
    page.get_by_label("CSV file").set_input_files({"name": "week.csv", "mimeType": "text/csv", "buffer": week()})
    for button in ("Read the file", "Check the rows", "Take in 2 rows"):
        _save(page, button)
    expect(page.get_by_role("heading", level=1)).to_have_text("2 rows taken in, 2 refused.")
    with page.expect_download() as saved:
        page.get_by_role("link", name="Fetch the refused rows").click()

    assert "Okafor, Chidi" in saved.value.path().read_text("utf-8-sig")
    assert TreatmentSession.objects.filter(clinic=bare_clinic).count() == 2
