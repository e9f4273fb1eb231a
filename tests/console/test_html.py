"""What holds for the HTML of every page."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from reminders.clinic.models import Clinic, Patient
from reminders.content.services import load_starters
from tests import factories
from tests.console.conftest import LogIn
from tests.factories import Staff

OWNER_ADDRESSES = [
    "/setup/", "/setup/clinic/", "/setup/hours/", "/setup/numbers/", "/setup/test/", "/setup/ladder/", "/setup/keys/",
]  # fmt: skip
VOID = {"input", "meta", "link", "img", "br"}


class Outline(HTMLParser):
    """What the rules below need to know about a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.tags: Counter[str] = Counter()
        self.labels: set[str] = set()
        self.fields: list[dict[str, str]] = []
        self.post_forms = 0
        self.tokens = 0
        self.inline_scripts = 0
        self.title = ""
        self.handlers: list[str] = []
        self._open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.tags[tag] += 1
        self.handlers += [name for name in found if name.startswith("on")]
        self.post_forms += tag == "form" and found.get("method", "").lower() == "post"
        self.tokens += found.get("name") == "csrfmiddlewaretoken"
        self.inline_scripts += tag == "script" and "src" not in found
        if "id" in found:
            self.ids.append(found["id"])
        if tag == "label":
            self.labels.add(found.get("for", ""))
        if tag in {"input", "select", "textarea"} and found.get("type") != "hidden":
            self.fields.append(found)
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            while self._open.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "title":
            self.title += data


@pytest.fixture
def pages(therapist: Client, clinic: Clinic, patient: Patient, staff: Staff, log_in: LogIn) -> dict[str, Outline]:
    """Every page with rows on it, by its address."""
    load_starters(clinic=clinic, now=datetime.now(UTC))
    check = factories.make_rehearsal_check(clinic=clinic)
    session = factories.make_treatment_session(patient=patient)
    plan = factories.make_plan(treatment_session=session)
    check_in = factories.make_check_in(plan=plan)
    reply = factories.make_inbound(patient=patient, intent="persists", score=7, inbox="open", inbox_reason="question")
    unknown = factories.make_inbound(clinic=clinic, inbox="open", inbox_reason="unknown_number")
    factories.make_inbound(patient=patient, inbox="done", inbox_reason="question")
    cases = [
        factories.make_escalation(patient=patient, check_in=check_in, inbound=reply, treatment_session=session),
        factories.make_escalation(patient=patient, severity="urgent", reason="red_flag"),
    ]
    for state in ("failed", "unresolved", "ambiguous"):
        factories.make_message(patient=patient, state=state)
    patient.phones.update(state="dead")
    clinic.senders.update(paused_until=datetime.now(UTC) + timedelta(hours=1), paused_reason="sender_fault")
    addresses = [
        "/", "/more/", "/inbox/", "/inbox/?show=done",
        f"/inbox/{unknown.pk}/whose/", "/patients/", f"/patients/{patient.pk}/", f"/escalations/{cases[0].pk}/",
        "/templates/", "/templates/check_in/en/", "/templates/check_in/en/versions/1/",
        f"/patients/{patient.pk}/correct/", f"/patients/{patient.pk}/same/",
        f"/patients/{patient.pk}/same/{factories.make_patient(clinic=clinic).pk}/",
        f"/patients/{patient.pk}/write/",
        f"/phones/{patient.phones.get().pk}/consent/", f"/inbox/{unknown.pk}/answer/",
        "/import/", "/sessions/new/", f"/sessions/new/?patient={patient.pk}",
        f"/sessions/{session.pk}/", "/delivery/", "/insights/", "/protocols/", "/protocols/dry-needling/",
        f"/protocols/dry-needling/checks/{check.pk}/",
        "/protocols/dry-needling/copy/", "/protocols/dry-needling/replay/", "/protocols/dry-needling/publish/",
        "/protocols/dry-needling/draft/", "/protocols/dry-needling/versions/1/",
    ]  # fmt: skip
    outlines = {address: Outline(therapist.get(address).content.decode()) for address in addresses}
    owner = log_in(staff.owner)
    owner.post("/staff/", {"first_name": "Sam", "role": "viewer"})
    for address in (*OWNER_ADDRESSES, "/staff/", f"/staff/{staff.viewer.pk}/"):
        outlines[address] = Outline(owner.get(address).content.decode())
    for address in ("/account/", "/account/password/", "/account/codes/"):
        outlines[address] = Outline(owner.get(address).content.decode())
    owner.post("/account/codes/", {"current": factories.PASSWORD})
    outlines["an app to connect"] = Outline(owner.get("/account/codes/").content.decode())
    made = owner.post(f"/staff/{staff.viewer.pk}/password-link/").content.decode()
    outlines["a link, once"] = Outline(made)
    link = made.split("readonly>http://testserver")[1].split("<")[0]
    outlines["/welcome/"] = Outline(Client().get(link, follow=True).content.decode())
    outlines["a link that ended"] = Outline(Client().get("/link/old/").content.decode())
    content = b"id,date,name,phone,type\nA-1,today,Dana,555,deep\n"
    columns = therapist.post("/import/", {"table": SimpleUploadedFile("week.csv", content)})["Location"]
    outlines[columns] = Outline(therapist.get(columns).content.decode())
    said = {f"c{index}": field for index, field in enumerate(["external_id", "ended_at", "given_name", "phone"])}
    checked = therapist.post(
        columns, said | {"kind": "sessions", "date_order": "year", "technique": "deep"}, follow=True
    ).content.decode()
    assert "No row can be taken in." in checked
    outlines["import, checked"] = Outline(checked)
    shown = therapist.post(f"/phones/{patient.phones.get().pk}/number/").content.decode()
    outlines["a number that was asked for"] = Outline(shown)
    for address in ("/patients/", "/sessions/new/"):
        found = therapist.post(address, {"q": "dana"}).content.decode()
        assert patient.display_name in found
        outlines[f"{address} after a search"] = Outline(found)
    outlines["/login/"] = Outline(Client().get("/login/").content.decode())
    outlines["(nothing here)"] = Outline(therapist.get("/patients/0/").content.decode())
    return outlines


def test_every_page_has_one_first_heading_one_main_part_and_a_title(pages: dict[str, Outline]) -> None:
    for address, page in pages.items():
        assert page.tags["h1"] == page.tags["main"] == 1, address
        assert len(page.title) > len(" · Aftercare"), address


def test_every_id_is_there_once(pages: dict[str, Outline]) -> None:
    for address, page in pages.items():
        assert [one for one, times in Counter(page.ids).items() if times > 1] == [], address


def test_every_field_has_a_label(pages: dict[str, Outline]) -> None:
    for address, page in pages.items():
        assert [field for field in page.fields if field.get("id") not in page.labels] == [], address


def test_every_form_that_changes_something_carries_its_token(pages: dict[str, Outline]) -> None:
    assert sum(page.post_forms for page in pages.values()) > len(pages)
    for address, page in pages.items():
        assert page.tokens == page.post_forms, address


def test_no_page_holds_script_of_its_own(pages: dict[str, Outline]) -> None:
    for address, page in pages.items():
        assert page.handlers == [], address
        assert page.inline_scripts == 0, f"{address}: scripts are files"


def test_pages_with_patients_stay_out_of_every_cache(therapist: Client, patient: Patient) -> None:
    response = therapist.get(f"/patients/{patient.pk}/")

    assert response["Cache-Control"] == "no-store"
    assert "script-src 'self'" in response["Content-Security-Policy"]
