"""The clinic's own protocol decides: from which number soreness persists, and for whom a second check-in is."""

import pytest

from reminders.content.models import ProtocolVersion, Step
from tests.answering import Story, begin

pytestmark = pytest.mark.django_db


@pytest.fixture
def story() -> Story:
    """A patient who was deep-needled a day ago and has been asked."""
    started = begin()
    started.asked()
    return started


def _numbers(story: Story, **changed: int) -> None:
    version = ProtocolVersion.objects.get(clinic=story.clinic)
    version.thresholds |= changed
    version.save(update_fields=["thresholds"])


@pytest.mark.parametrize(("persists_score", "cases"), [(3, 1), (4, 0)])
def test_the_protocol_says_from_which_number_a_case_comes_up(story: Story, persists_score: int, cases: int) -> None:
    _numbers(story, persists_score=persists_score)

    story.texts("3")

    assert len(story.cases()) == cases
    assert story.answers() == (["told_your_pt_follow_up"] if cases else ["thanks_resolved"])


def test_a_higher_number_lets_a_bare_five_pass_but_not_one_with_words(story: Story) -> None:
    _numbers(story, persists_score=6)

    story.texts("5 and getting worse")

    assert story.case().severity == "same_day"


@pytest.mark.parametrize(("techniques", "is_asked"), [(["deep"], True), (["superficial"], False), ([], True)])
def test_a_second_check_in_is_for_whom_its_step_says(story: Story, techniques: list[str], is_asked: bool) -> None:
    condition = {"techniques": techniques} if techniques else {}
    Step.objects.filter(clinic=story.clinic, kind="recheck").update(condition=condition)

    story.texts("5")

    assert story.session.messages.filter(kind="recheck").exists() is is_asked


def test_a_second_check_in_can_hang_on_the_screening(story: Story) -> None:
    Step.objects.filter(clinic=story.clinic, kind="recheck").update(condition={"screening": {"pregnancy": True}})

    story.texts("5")

    assert not story.session.messages.filter(kind="recheck").exists(), "what is not known does not match"
