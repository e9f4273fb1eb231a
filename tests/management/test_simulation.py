"""What `reminders simulate` is made of: who is treated, what they write, when it is looked at, and what it counts."""

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from reminders.config import BASE_DIR
from reminders.core.understanding import Intent, read
from reminders.management.simulation import rates
from reminders.management.simulation.behaviour import Voice
from reminders.management.simulation.clockwork import Calendar, next_look
from reminders.management.simulation.cohort import COURSE_DAYS, Cohort, make_cohort
from reminders.management.simulation.command import first_monday
from reminders.management.simulation.meaning import Meaning
from reminders.management.simulation.naive import naive_calls, naive_score
from reminders.management.simulation.phrases import BANK

MONDAY = datetime(2026, 3, 2, tzinfo=ZoneInfo("America/Chicago"))
DAYS = 30
A_DAY = timedelta(days=1)


def cohort(*, seed: int = 5, patients: int = 300, major_rate: float = rates.MAJOR.value) -> Cohort:
    """Draw one over the clock change in spring."""
    return make_cohort(patients=patients, days=DAYS, seed=seed, begins_at=MONDAY, major_rate=major_rate)


def test_the_same_seed_draws_the_same_people_and_another_seed_others() -> None:
    assert cohort() == cohort()
    assert cohort() != cohort(seed=6)


def test_sessions_end_on_working_days_in_time_for_their_course() -> None:
    for visit in cohort().visits:
        local = visit.ended_at.astimezone(visit.patient.zone)
        assert local.isoweekday() <= 6
        assert 8 <= local.hour < 18
        assert MONDAY - A_DAY < visit.ended_at < MONDAY + timedelta(days=DAYS - COURSE_DAYS + 1)


def test_nobody_shares_a_phone_and_every_id_is_used_once() -> None:
    drawn = cohort()
    assert len({patient.phone for patient in drawn.patients}) == len(drawn.patients) == 300
    assert len({visit.id for visit in drawn.visits}) == len(drawn.visits) > 300


def test_answers_follow_the_published_rates() -> None:
    drawn = cohort(patients=1500)
    asked = [(Voice(seed=5, visit=visit), visit.ended_at + A_DAY) for visit in drawn.visits]
    replies = [(voice.answer_question(kind="check_in", asked_at=at), at) for voice, at in asked]
    answered = [(reply, at) for reply, at in replies if reply is not None]
    assert len(answered) / len(asked) == pytest.approx(rates.REPLIES.value, abs=0.03)
    # What would be written at night is written in the morning, so a little less than the published share.
    assert sum(reply.at - at <= timedelta(hours=1) for reply, at in answered) / len(answered) > 0.75
    keeps = sum(patient.keeps_to_format for patient in drawn.patients) / len(drawn.patients)
    assert keeps == pytest.approx(1 - rates.NO_FORMAT.value, abs=0.04)


def test_everybody_with_a_major_event_writes_about_it_once() -> None:
    for visit in cohort(major_rate=1).visits:
        voice = Voice(seed=5, visit=visit)
        texts = [voice.alarm(), voice.answer_question(kind="check_in", asked_at=visit.ended_at + A_DAY)]
        assert Counter(text.meaning for text in texts if text is not None)[Meaning.DANGER] == 1


def test_both_languages_can_say_everything() -> None:
    assert set(BANK) == {"en", "es"}
    for phrases in BANK.values():
        assert set(phrases) == set(Meaning)
        assert all(words.strip() for meaning in phrases.values() for words in meaning)


@pytest.mark.parametrize("language", BANK)
def test_no_harmless_text_of_the_bank_rings_anybody(language: str) -> None:
    harmless = [words for meaning, texts in BANK[language].items() if meaning is not Meaning.DANGER for words in texts]
    rung = [words for words in harmless if read(words.replace("{n}", "3")).intent is Intent.RED_FLAG]
    assert rung == []


@pytest.mark.parametrize("language", BANK)
def test_every_danger_sign_of_the_bank_is_seen(language: str) -> None:
    dangers = [words.replace("{n}", "3") for words in BANK[language][Meaning.DANGER]]
    missed = [words for words in dangers if read(words).intent is not Intent.RED_FLAG]
    assert missed == []


@pytest.mark.parametrize(
    ("body", "score", "calls"),
    [
        pytest.param("6", 6, True, id="a number"),
        pytest.param("3", 3, False, id="a low one"),
        pytest.param("was a 7 last night, now 2", 7, True, id="the first number, though it is yesterday's"),
        pytest.param("no fever but 2, can't breathe", 2, False, id="a danger sign beside a low number"),
        pytest.param("took 600 mg at 8", 8, True, id="an hour"),
        pytest.param("still very sore", None, False, id="words"),
    ],
)
def test_the_naive_rule_sees_the_first_number_and_nothing_else(body: str, score: int | None, calls: bool) -> None:
    assert (naive_score(body), naive_calls(body)) == (score, calls)


@pytest.mark.parametrize(
    ("at", "look"),
    [
        pytest.param("10:00:00", "10:29:00", id="the first half of an hour"),
        pytest.param("10:29:00", "10:29:00", id="at a look"),
        pytest.param("10:29:01", "10:59:00", id="the second half"),
        pytest.param("10:59:10", "10:59:30", id="the last minute, so still before the full hour"),
        pytest.param("10:59:50", "10:59:58", id="the last seconds, likewise"),
        pytest.param("10:59:59", "10:59:59", id="the last second: at once"),
    ],
)
def test_nothing_due_before_a_full_hour_is_looked_at_after_it(at: str, look: str) -> None:
    day = "2026-03-02T{}+00:00"
    assert next_look(datetime.fromisoformat(day.format(at))) == datetime.fromisoformat(day.format(look))


def test_a_calendar_gives_what_is_due_in_order_and_keeps_the_rest() -> None:
    calendar: Calendar[str] = Calendar()
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    for hours, what in ((2, "later"), (0, "first"), (0, "second")):
        calendar.add(noon + timedelta(hours=hours), what)
    assert calendar.due(noon) == ["first", "second"]
    assert calendar.next_at() == noon + timedelta(hours=2)


@pytest.mark.parametrize(
    ("now", "begins"),
    [
        pytest.param("2026-03-02T12:00Z", "2026-03-09T00:00-05:00", id="from a Monday, over the clock change"),
        pytest.param("2026-03-08T12:00Z", "2026-03-09T00:00-05:00", id="from a Sunday"),
    ],
)
def test_a_cohort_begins_with_the_next_monday_in_chicago(now: str, begins: str) -> None:
    assert first_monday(datetime.fromisoformat(now).astimezone(UTC)) == datetime.fromisoformat(begins)


def test_the_documentation_has_every_rate_with_its_source() -> None:
    page = (BASE_DIR / "docs" / "simulation.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([\d.]+) \| (.+?) \| (.+?) \|$", page, re.MULTILINE)
    assert rows == [(f"{rate.value:g}", rate.what, rate.source) for rate in rates.TABLE]
