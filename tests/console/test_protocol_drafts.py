"""Changing a protocol in the browser: nothing a patient gets changes, nothing typed is lost, and wrong says where."""

from typing import Any

import pytest
from django.test import Client

from reminders import clock
from reminders.clinic.models import AuditEvent, Clinic, Clinician
from reminders.content.models import Protocol, ProtocolVersion
from reminders.content.selectors import definition_of
from reminders.content.services import load_starters
from reminders.core.protocol_changes import protocol_changes
from tests.console.conftest import LogIn
from tests.console.sent_forms import fields_of
from tests.factories import Staff

PAGE = "/protocols/dry-needling/"
DRAFT = f"{PAGE}draft/"


@pytest.fixture(autouse=True)
def starters(clinic: Clinic) -> None:
    load_starters(clinic=clinic, now=clock.now())


@pytest.fixture
def typed(therapist: Client) -> dict[str, Any]:
    """What the browser would send from the page as it opens."""
    return fields_of(therapist.get(DRAFT), action=DRAFT)


def _draft(clinic: Clinic) -> ProtocolVersion | None:
    return ProtocolVersion.objects.filter(protocol__clinic=clinic, published_at__isnull=True).first()


def _in_force(clinic: Clinic) -> ProtocolVersion:
    found = Protocol.objects.get(clinic=clinic, key="dry-needling").published
    assert found is not None
    return found


def test_the_form_as_it_opens_is_the_version_in_force(therapist: Client, clinic: Clinic, typed: dict[str, Any]) -> None:
    assert therapist.post(DRAFT, {**typed, "action": "keep"}).status_code == 302

    draft = _draft(clinic)
    assert draft is not None
    assert protocol_changes(before=definition_of(_in_force(clinic)), after=definition_of(draft)) == []


def test_a_kept_draft_says_what_it_changes_and_no_patient_gets_it(
    therapist: Client, clinic: Clinic, staff: Staff, typed: dict[str, Any]
) -> None:
    changed = {**typed, "step-0-offset": "90 min", "same_day_score": "8", "step-1-techniques": ["deep"]}

    page = therapist.post(DRAFT, {**changed, "action": "keep"}, follow=True).content.decode()

    assert "Heat advice, due: 1 h becomes 1 h 30 min." in page
    assert "A same-day matter from: 7 of 10 becomes 8 of 10." in page
    assert "Exercise advice, for: everybody becomes deep" in page
    assert _in_force(clinic).number == 1
    assert AuditEvent.objects.get(verb="protocol_drafted").clinician == staff.therapist


def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(
    therapist: Client, clinic: Clinic, typed: dict[str, Any]
) -> None:
    wrong = {**typed, "step-0-offset": "soon", "persists_score": "9", "same_day_score": "7", "name": "Needling 2"}

    response = therapist.post(DRAFT, {**wrong, "action": "keep"})
    page = response.content.decode()

    assert response.status_code == 422
    assert '<a href="#step-0-offset">Step 1, due: Write a time like 90 min, 24 h or 2 days.</a>' in page
    assert 'value="soon"' in page
    assert 'value="Needling 2"' in page
    assert _draft(clinic) is None

    numbers = therapist.post(DRAFT, {**wrong, "step-0-offset": "1 h", "action": "keep"}).content.decode()
    assert '<a href="#same_day_score">' in numbers
    assert "Let it be “Soreness persists from” or more" in numbers


@pytest.mark.parametrize(
    ("field", "words", "sentence"),
    [
        ("step-0-offset", "30 days", "Give 1 min to 14 days."),
        ("step-0-expires", "24", "Write a time like"),
        ("step-0-template_key", "no_such_text", "Publish the words of this text first."),
        ("step-0-when_quiet", "at_night", "Use one of"),
        ("line-0-at_most", "eleven", "Give a whole number."),
        ("line-0-at_most", "11", "Give a whole number from 0 to 10."),
        ("clarify_limit", "9", "Give a whole number from 0 to 3."),
        ("silent_after_minutes", "5 min", "Give 1 h to 14 days."),
        ("name", " ", "Give 1 to 80 characters."),
        ("step-1-techniques", "acupuncture", "Use only deep, superficial, electro."),
    ],
)
def test_each_field_has_its_own_complaint(
    therapist: Client, typed: dict[str, Any], field: str, words: str, sentence: str
) -> None:
    response = therapist.post(DRAFT, {**typed, field: words, "action": "keep"})

    assert response.status_code == 422
    assert sentence in response.content.decode()


def test_rows_are_added_moved_and_removed_without_losing_what_was_typed(
    therapist: Client, clinic: Clinic, typed: dict[str, Any]
) -> None:
    half_done = {**typed, "step-0-offset": "soon"}

    added = fields_of(therapist.post(DRAFT, {**half_done, "action": "add-step"}), action=DRAFT)
    moved = fields_of(therapist.post(DRAFT, {**added, "action": "step-6-up"}), action=DRAFT)
    removed = fields_of(therapist.post(DRAFT, {**moved, "action": "step-1-remove"}), action=DRAFT)

    assert added["step-6-offset"] == "24 h"
    assert (moved["step-5-offset"], moved["step-6-key"]) == ("24 h", "recheck")
    assert removed["step-0-offset"] == "soon"
    assert [removed[f"step-{number}-key"] for number in range(6)] == ["heat", "otc", "check_in", "nudge", "", "recheck"]
    assert _draft(clinic) is None, "nothing is kept by this"


def test_a_step_that_is_taken_out_and_put_back_keeps_its_key(
    therapist: Client, clinic: Clinic, typed: dict[str, Any]
) -> None:
    """A patient who was asked under this key must not be asked again by a plan that is laid out anew."""
    without = fields_of(therapist.post(DRAFT, {**typed, "action": "step-3-remove"}), action=DRAFT)
    again = fields_of(therapist.post(DRAFT, {**without, "action": "add-step"}), action=DRAFT)

    therapist.post(DRAFT, {**again, "step-5-template_key": "check_in", "action": "keep"})

    draft = _draft(clinic)
    assert draft is not None
    assert draft.steps.get(template_key="check_in").key == "check_in"


def test_a_second_step_with_the_same_text_gets_a_key_of_its_own(
    therapist: Client, clinic: Clinic, typed: dict[str, Any]
) -> None:
    added = fields_of(therapist.post(DRAFT, {**typed, "action": "add-step"}), action=DRAFT)

    therapist.post(DRAFT, {**added, "step-6-template_key": "advice_heat", "action": "keep"})

    draft = _draft(clinic)
    assert draft is not None
    assert set(draft.steps.filter(template_key="advice_heat").values_list("key", flat=True)) == {"heat", "heat_2"}


def test_two_who_change_it_at_once_do_not_overwrite_each_other_unseen(
    therapist: Client, staff: Staff, log_in: LogIn, clinic: Clinic, typed: dict[str, Any]
) -> None:
    log_in(staff.owner).post(DRAFT, {**typed, "step-0-offset": "2 h", "action": "keep"})

    response = therapist.post(DRAFT, {**typed, "step-0-offset": "3 h", "action": "keep"})
    page = response.content.decode()

    assert response.status_code == 422
    assert "A colleague kept or published another version meanwhile." in page
    draft = _draft(clinic)
    assert draft is not None
    assert draft.steps.get(key="heat").offset_minutes == 120

    mine = fields_of(response, action=DRAFT)
    assert mine["step-0-offset"] == "3 h"
    assert therapist.post(DRAFT, {**mine, "action": "keep"}).status_code == 302


def test_a_draft_can_be_rehearsed_and_thrown_away(therapist: Client, clinic: Clinic, typed: dict[str, Any]) -> None:
    therapist.post(DRAFT, {**typed, "step-0-offset": "2 h", "action": "keep"})
    story = {"technique": "deep", "region": "", "language": "en", "ended_on": "2026-06-01", "ended_at": "10:00"}

    page = therapist.post(f"{PAGE}versions/2/", story).content.decode().split('id="story"')[1]
    assert "12:00 PM CDT" in page

    therapist.post(f"{DRAFT}discard/")
    assert _draft(clinic) is None
    assert therapist.get(PAGE).status_code == 200


def test_a_question_that_the_night_can_swallow_is_said_to_the_author(therapist: Client, typed: dict[str, Any]) -> None:
    page = therapist.post(DRAFT, {**typed, "step-3-expires": "6 h", "action": "keep"}, follow=True).content.decode()

    assert "Step 4 asks, and can be lost in the night" in page
    assert "14 h last through every night." in page


def test_an_older_version_becomes_the_draft_again(therapist: Client, clinic: Clinic) -> None:
    assert therapist.post(f"{PAGE}versions/1/restore/").status_code == 302

    draft = _draft(clinic)
    assert draft is not None
    assert definition_of(draft) == definition_of(_in_force(clinic))


def test_the_axis_says_when_each_text_leaves(therapist: Client) -> None:
    page = therapist.get(PAGE).content.decode().split('class="lanes"')[1].split("</figure>")[0]

    assert page.count('class="lane-words"><b>') == 6
    assert "11:00 AM" in page
    assert "after the question, if no answer came" in page
    assert 'class="lane-night"' in page


def test_a_front_desk_reads_protocols_but_does_not_change_them(staff: Staff, log_in: LogIn) -> None:
    client = log_in(staff.front_desk)

    assert "Change it" not in client.get(PAGE).content.decode()
    assert client.get(DRAFT).status_code == 403
    assert client.post(f"{PAGE}versions/1/restore/").status_code == 403


def test_a_stranger_finds_no_draft_of_another_clinic(
    therapist: Client, stranger: Clinician, log_in: LogIn, typed: dict[str, Any]
) -> None:
    therapist.post(DRAFT, {**typed, "action": "keep"})
    client = log_in(stranger)

    assert client.get(DRAFT).status_code == 404
    assert client.get(f"{PAGE}versions/2/").status_code == 404
    assert client.post(f"{DRAFT}discard/").status_code == 404
