"""How serious soreness is: by the number, by what came before it, and by what was done where and how long ago."""

from datetime import timedelta

import pytest
from django.test import Client

from reminders.clinic.models import TreatmentSession
from reminders.conversations.models import CheckIn
from tests.answering import Story, begin, set_clock
from tests.factories import make_check_in, make_plan, make_treatment_session

pytestmark = pytest.mark.django_db


def needled(technique: str, *regions: str) -> Story:
    story = begin()
    TreatmentSession.objects.update(technique=technique, regions=list(regions))
    story.session.refresh_from_db()
    return story


def answered_before(story: Story, score: int, *, days_ago: int) -> CheckIn:
    """An earlier session of the patient, and what they answered a day after it."""
    ended = story.started_at - timedelta(days=days_ago)
    earlier = make_treatment_session(patient=story.patient, ended_at=ended, now=ended)
    plan = make_plan(treatment_session=earlier, now=ended)
    outcome = "persists" if score > 3 else "resolved"
    at = ended + timedelta(days=1)
    return make_check_in(plan=plan, now=at, state="answered", outcome=outcome, score=score, answered_at=at)


@pytest.mark.parametrize(
    ("technique", "regions", "words", "severity", "grounds"),
    [
        ("deep", ["calf"], "6", "routine", None),
        ("deep", ["calf"], "7", "same_day", ["high_score"]),
        ("deep", ["shoulder"], "5", "routine", None),
        ("deep", ["shoulder"], "6", "same_day", ["above_expected"]),
        ("superficial", ["calf"], "5", "routine", None),
        ("superficial", ["calf"], "6", "same_day", ["above_expected"]),
        ("electro", ["shoulder"], "6", "routine", None),
        ("deep", ["calf"], "5 and getting worse", "same_day", ["says_worse"]),
    ],
)
def test_soreness_is_graded_by_number_technique_and_region(
    technique: str, regions: list[str], words: str, severity: str, grounds: list[str] | None
) -> None:
    story = needled(technique, *regions)
    story.asked()

    story.texts(words)

    assert (story.case().severity, story.case().details.get("grounds")) == (severity, grounds)


def test_more_than_after_every_earlier_session_is_a_same_day_matter() -> None:
    story = needled("deep", "calf")
    answered_before(story, 2, days_ago=30)
    answered_before(story, 3, days_ago=20)
    story.asked()

    story.texts("5")

    assert (story.case().severity, story.case().details["grounds"]) == ("same_day", ["more_than_usual"])


def test_as_much_as_after_an_earlier_session_is_routine() -> None:
    story = needled("deep", "calf")
    answered_before(story, 1, days_ago=30)
    answered_before(story, 5, days_ago=20)
    story.asked()

    story.texts("5")

    assert story.case().severity == "routine"


def test_what_was_usual_long_ago_is_forgotten_after_three_more_sessions() -> None:
    story = needled("deep", "calf")
    answered_before(story, 6, days_ago=100)
    for days_ago in (30, 20, 10):
        answered_before(story, 2, days_ago=days_ago)
    story.asked()

    story.texts("5")

    assert story.case().details["grounds"] == ["more_than_usual"]


def test_soreness_of_the_third_day_is_more_than_expected_though_nobody_asked() -> None:
    story = needled("electro", "calf")
    set_clock(story.started_at + timedelta(days=2))

    story.texts("4")

    assert (story.case().severity, story.case().details["grounds"]) == ("same_day", ["above_expected"])


@pytest.mark.parametrize(("technique", "is_asked"), [("deep", True), ("superficial", False), ("electro", False)])
def test_the_pt_is_asked_about_superficial_needling_next_time_where_deep_needling_stayed_sore(
    technique: str, is_asked: bool
) -> None:
    story = needled(technique, "calf")
    story.asked()
    story.texts("8")
    browser = Client()
    browser.force_login(story.staff.therapist)

    page = browser.get(f"/escalations/{story.case().pk}/").content.decode()

    assert ("superficial technique next time?" in page) is is_asked
    assert "The number is high." in page


def test_an_answer_that_holds_a_question_too_is_read_by_a_person() -> None:
    story = needled("deep", "calf")
    check_in = story.asked()

    text = story.texts("2, can I go running tomorrow?")

    check_in.refresh_from_db()
    assert (check_in.outcome, check_in.score) == ("resolved", 2)
    assert (text.inbox, text.inbox_reason) == ("open", "question")
    assert story.answers() == ["question_received"]
