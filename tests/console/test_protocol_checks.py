"""Stories that were found right are kept as checks, and stand in the way of a version that plays them otherwise."""

from typing import Any

import pytest
from django.test import Client

from reminders import clock
from reminders.clinic.models import AuditEvent, Clinic, Clinician
from reminders.content.models import Protocol, RehearsalCheck
from reminders.content.services import load_starters
from tests import factories
from tests.console.conftest import LogIn
from tests.console.sent_forms import fields_of
from tests.factories import Staff

PAGE = "/protocols/dry-needling/"
DRAFT, PUBLISH = f"{PAGE}draft/", f"{PAGE}publish/"
STORY = {
    "technique": "deep",
    "region": "thorax",
    "language": "en",
    "ended_on": "2026-10-31",
    "ended_at": "10:30",
    "first": "7, worse",
    "check_name": "Worse over the change of the clock",
}


@pytest.fixture(autouse=True)
def starters(clinic: Clinic) -> None:
    load_starters(clinic=clinic, now=clock.now())


def _keep_draft(client: Client, **changed: Any) -> None:
    typed = fields_of(client.get(DRAFT), action=DRAFT)
    assert client.post(DRAFT, {**typed, **changed, "action": "keep"}).status_code == 302


def _number(clinic: Clinic) -> int:
    published = Protocol.objects.select_related("published").get(clinic=clinic).published
    assert published is not None
    return published.number


def test_a_played_story_is_kept_as_a_check_with_what_has_to_happen(
    therapist: Client, staff: Staff, clinic: Clinic
) -> None:
    page = therapist.post(PAGE, {**STORY, "action": "save"}, follow=True).content.decode()

    assert "Worse over the change of the clock" in page
    assert "Sun, Nov 1, 9:30 AM" in page, "the clock went back in the night"
    assert "A case for the clinic, same day: Soreness persists" in page
    assert "It plays as it was kept." in page
    assert AuditEvent.objects.get(verb="rehearsal_check_kept").clinician == staff.therapist


@pytest.mark.parametrize(
    ("name", "sentence"), [("", "Give the check a name."), ("A danger sign", "has this name already")]
)
def test_a_check_needs_a_name_of_its_own_and_the_story_stays(
    therapist: Client, clinic: Clinic, name: str, sentence: str
) -> None:
    factories.make_rehearsal_check(clinic=clinic)

    response = therapist.post(PAGE, {**STORY, "check_name": name, "action": "save"})
    page = response.content.decode()

    assert response.status_code == 422
    assert sentence in page
    assert 'value="7, worse"' in page
    assert 'id="story"' in page
    assert RehearsalCheck.objects.count() == 1


def test_a_version_that_plays_all_checks_as_kept_is_published_without_a_word(therapist: Client, clinic: Clinic) -> None:
    factories.make_rehearsal_check(clinic=clinic)
    _keep_draft(therapist, **{"step-5-offset": "25 h"})

    page = therapist.get(PUBLISH)
    assert "The story plays as kept." in page.content.decode()

    assert therapist.post(PUBLISH, fields_of(page, action=PUBLISH)).status_code == 302
    assert _number(clinic) == 2


def test_a_check_that_differs_stops_the_publishing_until_somebody_says_that_it_is_meant(
    therapist: Client, staff: Staff, clinic: Clinic
) -> None:
    check = factories.make_rehearsal_check(clinic=clinic)
    kept = check.moments
    _keep_draft(therapist, **{"step-0-offset": "2 h"})

    page = therapist.get(PUBLISH)
    words = page.content.decode()
    assert "1 of 1 story plays otherwise with this draft." in words
    assert "<del>" in words.split('id="checks"')[1].split('id="whose"')[0]

    refused = therapist.post(PUBLISH, fields_of(page, action=PUBLISH))
    assert refused.status_code == 422
    assert "read what differs, and tick that it is meant" in refused.content.decode()
    assert _number(clinic) == 1

    meant = {**fields_of(refused, action=PUBLISH), "meant": "yes"}
    assert therapist.post(PUBLISH, meant).status_code == 302
    assert _number(clinic) == 2
    check.refresh_from_db()
    assert check.moments != kept, "from now on it expects what was meant"
    assert AuditEvent.objects.get(verb="rehearsal_check_taken_over").clinician == staff.therapist
    assert "It plays as it was kept." in therapist.get(f"{PAGE}checks/{check.pk}/").content.decode()


def test_hours_that_the_clinic_changes_do_not_make_a_check_differ(therapist: Client, clinic: Clinic) -> None:
    factories.make_rehearsal_check(clinic=clinic)
    _keep_draft(therapist)
    Clinic.objects.filter(pk=clinic.pk).update(timezone="America/New_York")

    assert "The story plays as kept." in therapist.get(PUBLISH).content.decode()


def test_a_check_shows_how_the_draft_would_play_it(therapist: Client, clinic: Clinic) -> None:
    check = factories.make_rehearsal_check(clinic=clinic, answer="7, worse")
    _keep_draft(therapist, same_day_score="9", meaningful_change="9")

    page = therapist.get(f"{PAGE}checks/{check.pk}/").content.decode()

    assert "With version 1, in force" in page
    assert "With the draft" in page


def test_a_check_is_removed_on_record(therapist: Client, staff: Staff, clinic: Clinic) -> None:
    check = factories.make_rehearsal_check(clinic=clinic)

    assert therapist.post(f"{PAGE}checks/{check.pk}/remove/").status_code == 302

    assert not RehearsalCheck.objects.exists()
    assert AuditEvent.objects.get(verb="rehearsal_check_removed").clinician == staff.therapist


def test_a_front_desk_plays_stories_but_keeps_none(staff: Staff, log_in: LogIn) -> None:
    client = log_in(staff.front_desk)

    assert "Keep this story as a check" not in client.post(PAGE, STORY).content.decode()
    assert client.post(PAGE, {**STORY, "action": "save"}).status_code == 403


def test_a_stranger_finds_no_check(stranger: Clinician, log_in: LogIn, clinic: Clinic) -> None:
    check = factories.make_rehearsal_check(clinic=clinic)
    load_starters(clinic=stranger.clinic, now=clock.now())

    assert log_in(stranger).get(f"{PAGE}checks/{check.pk}/").status_code == 404
    assert log_in(stranger).post(f"{PAGE}checks/{check.pk}/remove/").status_code == 404
