"""Last month's answers under other numbers: what it says is what the rules decided, and what others would."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from reminders import clock
from reminders.clinic.models import Clinic, Clinician
from reminders.content.models import Protocol
from reminders.content.selectors import definition_of
from reminders.content.services import load_starters
from reminders.conversations.models import CheckIn
from reminders.core.threshold_replay import Effect
from reminders.escalations.models import Escalation
from reminders.insights.threshold_replay import Replay, replay
from tests import factories
from tests.answering import Story, add_session, begin
from tests.console.conftest import LogIn
from tests.factories import phone_of

PAGE = "/protocols/dry-needling/replay/"
YOURS = f"{PAGE}?persists=6&same_day=9&change=4&curve=none"


@pytest.fixture(autouse=True)
def starters(clinic: Clinic) -> None:
    load_starters(clinic=clinic, now=clock.now())


def _answered(clinic: Clinic, *, score: int, days_ago: float = 2, family: str = "Reyes", **case: str) -> CheckIn:
    now = clock.now() - timedelta(days=days_ago)
    patient = factories.make_patient(clinic=clinic, family_name=family, now=now)
    session = factories.make_treatment_session(
        patient=patient, ended_at=now - timedelta(hours=25), now=now, technique="electro", regions=["calf"]
    )
    plan = factories.make_plan(treatment_session=session, now=now)
    intent = "persists" if score >= 4 else "resolved"
    text = factories.make_inbound(patient=patient, body=str(score), intent=intent, score=score, now=now)
    check_in = factories.make_check_in(
        plan=plan, state="answered", outcome=intent, score=score, answer=text, now=now, answered_at=now
    )
    if case:
        factories.make_escalation(
            patient=patient, treatment_session=session, check_in=check_in, state="resolved",
            resolved_at=now, now=now, **case,
        )  # fmt: skip
    return check_in


def test_the_page_counts_what_would_be_saved_later_and_besides(therapist: Client, clinic: Clinic) -> None:
    for score, family in ((5, "Saved"), (8, "Later"), (2, "Fine"), (9, "Always")):
        _answered(clinic, score=score, family=family)

    page = therapist.get(YOURS).content.decode()

    tiles = page.split('class="card tiles')[1].split("</dl>")[0]
    numbers = [part.split("</dd>")[0] for part in tiles.split("<dd>")[1:]]
    assert numbers == ["3", "2", "1", "1", "0", "0"]
    assert "Dana Saved" in page
    assert "Answered 8 of 10: a same-day case; with yours a routine case." in page
    assert "Dana Always" not in page
    assert "Few cases." in page


def test_what_the_saved_calls_led_to_is_not_hidden(therapist: Client, clinic: Clinic) -> None:
    _answered(clinic, score=5, family="Seen", outcome="seen")
    sick = _answered(clinic, score=5, family="Sick", outcome="advised")
    factories.make_escalation(
        patient=sick.patient, treatment_session=sick.treatment_session, reason="red_flag", severity="urgent"
    )

    page = therapist.get(YOURS).content.decode()

    assert "<b>1</b> ended with a visit or emergency care, and <b>1</b> had a danger sign" in page
    assert "It ended: Patient will come in." in page
    assert "A danger sign came in the same days." in page


def test_lower_numbers_show_the_calls_besides(therapist: Client, clinic: Clinic) -> None:
    _answered(clinic, score=3, family="Besides")

    page = therapist.get(f"{PAGE}?persists=3&same_day=7&change=2&curve=in_force").content.decode()

    assert "Call besides" in page
    assert "Answered 3 of 10: no case; with yours a routine case." in page


def test_answers_of_longer_ago_are_left_out(therapist: Client, clinic: Clinic) -> None:
    _answered(clinic, score=5, days_ago=31)

    assert "Nobody answered with a number in the last 30 days." in therapist.get(YOURS).content.decode()


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("persists=&same_day=7&change=2&curve=in_force", "Give a number."),
        ("persists=8&same_day=7&change=2&curve=in_force", "or higher"),
        ("persists=11&same_day=12&change=2&curve=in_force", "less than or equal to 10"),
    ],
)
def test_numbers_that_make_no_sense_are_told_at_their_field(therapist: Client, query: str, sentence: str) -> None:
    response = therapist.get(f"{PAGE}?{query}")

    assert response.status_code == 422
    assert sentence in response.content.decode()


def test_the_page_asks_as_often_for_many_answers_as_for_one(therapist: Client, clinic: Clinic) -> None:
    _answered(clinic, score=5)
    therapist.get(YOURS)
    with CaptureQueriesContext(connection) as few:
        therapist.get(YOURS)
    for _ in range(12):
        _answered(clinic, score=8)

    with CaptureQueriesContext(connection) as many:
        therapist.get(YOURS)

    assert len(many) == len(few)


def test_another_clinics_answers_are_not_counted(
    therapist: Client, stranger: Clinician, log_in: LogIn, clinic: Clinic
) -> None:
    load_starters(clinic=stranger.clinic, now=clock.now())
    _answered(stranger.clinic, score=5, family="Theirs")

    assert "Nobody answered" in therapist.get(YOURS).content.decode()
    assert "Dana Theirs" in log_in(stranger).get(YOURS).content.decode()


def _replayed(story: Story) -> Replay:
    protocol = Protocol.objects.select_related("published").get(clinic=story.clinic)
    assert protocol.published is not None
    protocol.published.protocol = protocol
    numbers = definition_of(protocol.published).thresholds
    return replay(clinic=story.clinic, protocol_id=protocol.pk, now_in_force=numbers, other=numbers, now=clock.now())


@pytest.mark.django_db
def test_under_the_numbers_in_force_a_replay_finds_just_the_cases_that_came_up() -> None:
    """The same texts go through the real way in; the replay has to decide each as it was decided then."""
    story = begin()
    said = ["7", "5", "4, worse than yesterday", "2", "0", "6 and it hurts to lift my arm", "3", "mild, maybe 1", "10"]
    treated = [("deep", ["calf"]), ("superficial", ["shoulder"]), ("deep", ["neck"]), ("electro", ["hip"])]
    for number, words in enumerate(said):
        technique, regions = treated[number % len(treated)]
        patient = factories.make_patient(clinic=story.clinic, now=story.started_at)
        session = add_session(patient, story.staff.therapist, story.started_at, technique=technique, regions=regions)
        factories.make_check_in(plan=session.plans.get(), now=story.started_at - timedelta(minutes=30))
        story.texts(words, sender=phone_of(patient))

    found = _replayed(story)

    really = dict(
        Escalation.objects.filter(clinic=story.clinic, reason="persists").values_list(
            "treatment_session_id", "severity"
        )
    )
    replayed = {
        one.treatment_session_id: one.now[0].severity.value for one in found.courses if one.now[0].severity is not None
    }
    assert len(really) >= 4
    assert replayed == really
    assert {one.effect for one in found.courses} == {Effect.SAME}
