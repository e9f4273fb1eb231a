"""Every page, on a desk and on a phone, in light and in dark: nothing broken, nothing cut off, nothing unreadable.

With `SCREENSHOTS=folder` (`make screenshots`) each page is also kept as a picture.
"""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from reminders.content.models import RehearsalCheck
from tests.browser.conftest import SIZES, OpenPage, log_in
from tests.browser.story import Day

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def addresses(day: Day) -> dict[str, str]:
    """Return every page of the console by name."""
    return {
        "today": "/",
        "more": "/more/",
        "inbox": "/inbox/",
        "patients": "/patients/",
        "patient": f"/patients/{day.sore.pk}/",
        "patient-edit": f"/patients/{day.sore.pk}/correct/",
        "patient-same": f"/patients/{day.sore.pk}/same/",
        "patient-merge": f"/patients/{day.sore.pk}/same/{day.breathless.patient_id}/",
        "patient-write": f"/patients/{day.sore.pk}/write/?use=quick_call_us",
        "consent": f"/phones/{day.sore.phones.get().pk}/consent/",
        "patient-urgent": f"/patients/{day.breathless.patient_id}/",
        "escalation-open": f"/escalations/{day.breathless.pk}/",
        "escalation-taken": f"/escalations/{day.taken.pk}/",
        "escalation-closed": f"/escalations/{day.closed.pk}/",
        "templates": "/templates/",
        "template": "/templates/advice_otc/en/",
        "template-spanish": "/templates/check_in/es/",
        "template-version": "/templates/nudge/en/versions/2/",
        "template-draft": "/templates/nudge/en/",
        "protocols": "/protocols/",
        "protocol": "/protocols/dry-needling/",
        "protocol-draft": "/protocols/dry-needling/draft/",
        "protocol-publish": "/protocols/dry-needling/publish/",
        "protocol-check": f"/protocols/dry-needling/checks/{RehearsalCheck.objects.get(clinic=day.clinic).pk}/",
        "protocol-replay": "/protocols/dry-needling/replay/?persists=6&same_day=8&change=3&curve=none",
        "protocol-copy": "/protocols/dry-needling/copy/",
        "protocol-version": "/protocols/dry-needling/versions/1/",
        "delivery": "/delivery/",
        "delivery-day": "/delivery/?days=1",
        "insights": "/insights/",
        "session-new": "/sessions/new/",
        "session-patient": f"/sessions/new/?patient={day.sore.pk}",
        "session-correct": f"/sessions/{day.session.pk}/",
    }


def owner_addresses(day: Day) -> dict[str, str]:
    """Return the pages that only the owner sees."""
    return {
        "patient-erase": f"/patients/{day.sore.pk}/erase/",
        "staff-member": f"/staff/{day.therapist.pk}/",
        "staff": "/staff/",
        "account": "/account/",
        "account-password": "/account/password/",
        "account-codes": "/account/codes/",
        "setup": "/setup/",
        "setup-clinic": "/setup/clinic/",
        "setup-hours": "/setup/hours/",
        "setup-numbers": "/setup/numbers/",
        "setup-test": "/setup/test/",
        "setup-ladder": "/setup/ladder/",
        "setup-keys": "/setup/keys/",
    }


def week() -> bytes:
    """A file as another system writes it: two good rows, two that need a look."""
    ended = (datetime.now(UTC) - timedelta(hours=2)).astimezone(ZoneInfo("America/Chicago"))
    day, hour = ended.strftime("%m/%d/%Y"), ended.strftime("%I:%M %p")
    rows = [
        "Appointment ID,Date of Service,End Time,Patient Name,Cell Phone,DOB,Visit Type,Texts OK,Fee",
        f'L-{ended:%d%H%M%S}1,{day},{hour},"Moreau, Ana Sofía",(312) 555-0161,5/17/1980,deep,yes,80',
        f'L-{ended:%d%H%M%S}2,{day},{hour},"Haddad, Youssef",(312) 555-0162,,superficial,yes,80',
        f'L-{ended:%d%H%M%S}3,{day},{hour},"Kim, Noah",555-016,2/30/1990,deep,yes,80',
        f'L-{ended:%d%H%M%S}4,{day},{hour},"Okafor, Chidi",(312) 555-0164,,dry,,80',
    ]
    return "\r\n".join(rows).encode()


def _keep(page: Page, name: str) -> None:
    folder = os.environ.get("SCREENSHOTS")
    if folder:
        path = Path(folder)
        path.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(path / f"{name}.png"), full_page=True)


def _check(page: Page, name: str) -> list[str]:
    """Return what is wrong with the page as it stands."""
    wrong = []
    width = page.viewport_size["width"] if page.viewport_size else 0
    if page.evaluate("document.documentElement.scrollWidth") > width:
        wrong.append(f"{name} scrolls sideways")
    if page.locator("h1").count() != 1:
        wrong.append(f"{name} has {page.locator('h1').count()} first headings")
    small = page.evaluate(
        """() => [...document.querySelectorAll('button, .button, input:not([type=hidden]), select, .choice')]
            .filter(e => !e.closest('.choice, .trio') || e.matches('.choice'))
            .filter(e => { const r = e.getBoundingClientRect(); return r.height > 0 && r.height < 43.5; })
            .map(e => e.outerHTML.slice(0, 80))"""
    )
    wrong += [f"{name} has a small target: {one}" for one in small]
    for violation in Axe().run(page).response["violations"]:
        nodes = "; ".join(" ".join(map(str, node["target"])) for node in violation["nodes"][:4])
        wrong.append(f"{name}: {violation['id']} at {nodes}")
    return wrong


def look(page: Page, name: str) -> list[str]:
    """Keep a picture of the page where asked to, and return what is wrong with it; for stories that pass by."""
    _keep(page, name)
    return _check(page, name)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", list(SIZES))
def test_every_page_is_whole(open_page: OpenPage, day: Day, complaints: list[str], size: str, scheme: str) -> None:
    page = open_page(size=size, scheme=scheme)
    wrong = []
    page.goto("/login/")
    wrong += _check(page, "login")
    _keep(page, f"login-{size}-{scheme}")
    log_in(page)
    for name, address in addresses(day).items():
        response = page.goto(address)
        assert response is not None
        assert response.ok, f"{address} answered {response.status}"
        wrong += _check(page, name)
        _keep(page, f"{name}-{size}-{scheme}")

    owners = open_page(size=size, scheme=scheme)
    log_in(owners, "olivia")
    for name, address in owner_addresses(day).items():
        response = owners.goto(address)
        assert response is not None
        assert response.ok, f"{address} answered {response.status}"
        wrong += _check(owners, name)
        _keep(owners, f"{name}-{size}-{scheme}")

    for room, words in (("patients", "an"), ("patients", "nobody"), ("sessions/new", "rey")):
        page.goto(f"/{room}/")
        page.get_by_role("searchbox").fill(words)
        with page.expect_navigation():
            page.get_by_role("searchbox").press("Enter")
        assert words not in page.url, "addresses hold no names"
        name = f"{room.replace('/', '-')}-search-{words}"
        wrong += _check(page, name)
        _keep(page, f"{name}-{size}-{scheme}")

    page.goto("/import/")
    wrong += _check(page, "import")
    _keep(page, f"import-{size}-{scheme}")
    page.get_by_label("CSV file").set_input_files({"name": "week.csv", "mimeType": "text/csv", "buffer": week()})
    page.get_by_role("button", name="Read the file").click()
    for step, button in (("columns", "Check the rows"), ("check", "Take in 2 rows"), ("done", "")):
        page.wait_for_load_state()
        wrong += _check(page, f"import-{step}")
        _keep(page, f"import-{step}-{size}-{scheme}")
        if button:
            with page.expect_navigation():
                page.get_by_role("button", name=button).click()
    assert "2 rows taken in, 2 refused." in page.get_by_role("heading", level=1).inner_text()

    page.goto("/templates/check_in/en/")
    page.get_by_label("Words in English").press("Control+End")
    page.keyboard.type(" Thank you.")
    with page.expect_navigation():
        page.get_by_role("button", name="Publish as version").click()
    assert "older words" in page.get_by_role("heading", level=1).inner_text(), "nothing is planned in this story"
    wrong += _check(page, "template-publish")
    _keep(page, f"template-publish-{size}-{scheme}")

    page.goto(f"/escalations/{day.taken.pk}/")
    for closed in page.locator("details").all():
        closed.locator("summary").click()
    wrong += _check(page, "escalation-unfolded")
    _keep(page, f"escalation-unfolded-{size}-{scheme}")

    page.goto("/sessions/new/")
    page.get_by_role("button", name="Save and start the texts").click()
    wrong += _check(page, "session-problems")
    _keep(page, f"session-problems-{size}-{scheme}")

    expected = "422"  # the form that was sent empty answers so, and browsers report it
    assert [one for one in complaints if expected not in one] == []
    assert wrong == []
