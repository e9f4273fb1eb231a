"""A therapist's day with the pages, in a real browser."""

from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from reminders.clinic.models import TreatmentSession
from reminders.content.models import Template
from reminders.escalations.models import Escalation
from reminders.messaging.planning import plan_aftercare
from tests import factories
from tests.browser.conftest import OpenPage, log_in
from tests.browser.story import Day

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(open_page: OpenPage, day: Day) -> Page:
    opened = open_page()
    log_in(opened)
    return opened


def test_a_new_case_appears_by_itself(page: Page, day: Day, complaints: list[str]) -> None:
    expect(page.get_by_role("heading", level=1)).to_contain_text("3 patients need you")
    page.get_by_role("link", name="Open (Marisol Vega)").focus()

    newcomer = factories.make_patient(clinic=day.clinic, given_name="Just", family_name="Now")
    factories.make_escalation(patient=newcomer, severity="urgent", reason="red_flag")

    expect(page.get_by_role("heading", level=1)).to_contain_text("4 patients need you")
    expect(page.get_by_role("link", name="Just Now", exact=True)).to_be_visible()
    expect(page).to_have_title("(4) Today · Aftercare")
    expect(page.get_by_role("link", name="Open (Marisol Vega)")).to_be_focused()
    assert complaints == []


def test_a_page_nobody_looks_at_asks_for_nothing(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/live/" in request.url else None)
    page.evaluate("Object.defineProperty(document, 'visibilityState', {value: 'hidden', configurable: true})")
    with page.expect_event("console", lambda message: message.text == "six seconds later"):
        page.evaluate("setTimeout(() => console.log('six seconds later'), 6000)")
    assert asked == []

    with page.expect_request("**/today/live/"):
        page.evaluate(
            "Object.defineProperty(document, 'visibilityState', {value: 'visible'});"
            "document.dispatchEvent(new Event('visibilitychange'))"
        )


def test_a_case_is_taken_and_closed_with_the_keyboard_alone(page: Page, day: Day) -> None:
    take = page.get_by_role("button", name="I’ll take it (Marisol Vega)")
    take.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("It is in your hands.")

    page.get_by_role("button", name="Close with this outcome").focus()
    page.keyboard.press("Enter")
    summary = page.get_by_role("alert")
    expect(summary).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Spoke with the patient, advice given")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.type("Told her to call 911; her sister is with her.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(page.get_by_text("Closed. It is on record")).to_be_visible()
    case = Escalation.objects.get(pk=day.breathless.pk)
    assert (case.state, case.outcome, case.resolved_by) == ("resolved", "emergency", day.therapist)


def test_the_phone_follows_the_words_while_typing(page: Page, day: Day, complaints: list[str]) -> None:
    page.goto("/templates/check_in/en/")
    words = page.get_by_label("Words in English")
    phone = page.get_by_role("group", name="Preview on a phone")

    words.fill("How are you, ")
    expect(phone).to_contain_text("How are you,")
    page.get_by_role("button", name="{{ clinic_name }}").click()
    expect(phone).to_contain_text("How are you, Northside Physio & Rehab")
    expect(page.get_by_text("Let the text say STOP")).to_be_visible()
    words.press_sequentially(" 👍")
    expect(page.get_by_text("UCS-2")).to_be_visible()
    words.fill("{{ clinic_name }}: 0 to 10?{% if is_first %} STOP ends this.{% endif %}")
    expect(phone).to_contain_text("STOP ends this.")
    page.get_by_label("First text of the plan").uncheck()
    expect(phone).not_to_contain_text("STOP")

    page.get_by_role("button", name="Publish as version 2").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("5 planned texts carry older words")
    page.get_by_role("button", name="Publish, and change them too").click()
    expect(page.get_by_text("5 planned texts have the new words.")).to_be_visible()
    expect(page.get_by_role("status").first).to_contain_text("Published as version 2.")
    template = Template.objects.get(clinic=day.clinic, key="check_in", language="en")
    assert template.published is not None
    assert template.published.number == 2
    assert complaints == []


def test_the_words_of_consent_follow_the_patients_language(page: Page, day: Day) -> None:
    page.goto("/sessions/new/")
    english, spanish = page.get_by_text("I agree that"), page.get_by_text("Acepto que")
    expect(english).to_be_visible()
    expect(spanish).to_be_hidden()

    page.get_by_label("Language of the texts").select_option("es")

    expect(spanish).to_be_visible()
    expect(english).to_be_hidden()


def test_a_saved_session_shows_the_plan_that_follows(page: Page, day: Day) -> None:
    page.goto("/sessions/new/")
    page.get_by_label("Given name").fill("Nora")
    page.get_by_label("Family name").fill("Quist")
    page.get_by_label("Mobile phone").fill("312 555 0133")
    page.get_by_label("Superficial dry needling").check()
    page.get_by_label("Calf").check()
    page.get_by_label("The patient agreed to this").check()
    page.get_by_role("button", name="Save and start the texts").click()

    expect(page.get_by_role("heading", level=1, name="Nora Quist")).to_be_visible()
    expect(page.get_by_text("The texts are being laid out.")).to_be_visible()
    session = TreatmentSession.objects.get(patient__family_name="Quist")
    plan_aftercare(treatment_session_id=session.pk, now=datetime.now(UTC))
    expect(page.get_by_role("cell", name="Soreness check-in")).to_be_visible()
    expect(page.get_by_text("The texts are being laid out.")).to_have_count(0)


def test_everything_that_changes_something_works_without_script(open_page: OpenPage, day: Day) -> None:
    page = open_page(script=False)
    log_in(page)
    page.get_by_role("button", name="I’ll take it (Dana Reyes)").click()
    page.get_by_label("Patient will come in").check()
    page.get_by_role("button", name="Close with this outcome").click()
    expect(page.get_by_text("Closed. It is on record")).to_be_visible()

    page.goto(f"/escalations/{day.taken.pk}/")
    page.get_by_text("Put it aside for now").click()
    page.get_by_label("Three hours").check()
    page.get_by_role("button", name="Put it aside until then").click()
    expect(page.get_by_text("it comes back by itself", exact=False).first).to_be_visible()
    page.get_by_text("Hand it to a colleague").click()
    page.get_by_label("Colleague", exact=True).select_option(label="Olivia Okafor")
    page.get_by_role("button", name="Hand it over").click()
    expect(page.get_by_text("In the hands of Olivia Okafor")).to_be_visible()

    page.goto("/templates/help/en/")
    page.get_by_label("Words in English").fill("Hello from {{ clinic_name }}")
    page.get_by_role("button", name="Show the preview").click()
    expect(page.get_by_role("group", name="Preview on a phone")).to_contain_text("Hello from Northside")

    page.goto(f"/sessions/{day.session.pk}/")
    page.get_by_role("button", name="Take it back").click()
    expect(page.get_by_text("Taken back. Nothing more is sent")).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", level=1, name="Log in")).to_be_visible()
