from datetime import UTC, date, datetime, timedelta

import pytest

from reminders.clinic.errors import InvalidInputError
from reminders.clinic.intake import FIELDS, REQUIRED_FIELDS, Visit, parse_session
from reminders.clinic.models import Clinic
from reminders.core.advice import SCREENING_FACTS
from tests.clinic.intakes import NOW, less, raw_intake

CLINIC = Clinic(timezone="America/Chicago")


def visit(**changes: object) -> Visit:
    parsed = parse_session(raw_intake(**changes), clinic=CLINIC, now=NOW).visit
    assert parsed is not None
    return parsed


def problems(raw: dict[str, object], now: datetime = NOW) -> list[tuple[str, str]]:
    with pytest.raises(InvalidInputError) as caught:
        parse_session(raw, clinic=CLINIC, now=now)
    return [(problem.field, problem.code) for problem in caught.value.problems]


def test_a_good_intake_is_understood_whole() -> None:
    parsed = visit()

    assert (parsed.technique, parsed.regions) == ("deep", ("shoulder", "neck"))
    assert parsed.ended_at == NOW - timedelta(hours=1)
    assert (parsed.soreness_before, parsed.soreness_after) == (5, 3)
    assert (parsed.patient.phone, parsed.patient.birth_date) == ("+13125550123", date(1985, 5, 17))
    assert (parsed.consent.agreed, parsed.consent.method, parsed.consent.at) == (True, "paper_form", None)
    assert parsed.screening is not None
    assert (parsed.screening["anticoagulant"], parsed.screening["pregnancy"]) == (False, None)


def test_only_five_fields_are_needed() -> None:
    raw = {name: raw_intake()[name] for name in REQUIRED_FIELDS}

    parsed = parse_session(raw, clinic=CLINIC, now=NOW).visit

    assert parsed is not None
    assert (parsed.regions, parsed.soreness_after, parsed.screening) == ((), None, None)
    assert (parsed.consent.agreed, parsed.patient.language, parsed.patient.timezone) == (None, "", "")


def test_all_problems_are_told_at_once_in_the_order_of_the_fields() -> None:
    raw = raw_intake(technique="cupping", phone="911", timezone="EST", soreness_after="11", colour="red")

    assert problems(less(raw, "given_name")) == [
        ("colour", "unknown_field"),
        ("technique", "unknown_technique"),
        ("soreness_after", "bad_score"),
        ("given_name", "missing"),
        ("phone", "impossible_phone"),
        ("timezone", "unknown_zone"),
    ]


@pytest.mark.parametrize("field", REQUIRED_FIELDS)
@pytest.mark.parametrize("nothing", ["", "   ", None])
def test_what_is_needed_is_asked_for(field: str, nothing: object) -> None:
    assert problems(raw_intake(**{field: nothing})) == [(field, "missing")]
    assert problems(less(raw_intake(), field)) == [(field, "missing")]


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("external_id", "Dana Reyes", "bad_id"),
        ("external_id", "S" * 65, "bad_id"),
        ("external_id", ["S-1"], "not_text"),
        ("status", "done", "unknown_status"),
        ("technique", "=cmd()", "unknown_technique"),
        ("technique", True, "not_text"),
        ("regions", "shoulder;elbows", "unknown_region"),
        ("regions", ["neck", 7], "unknown_region"),
        ("regions", {"neck": 1}, "not_text"),
        ("ended_at", "2025-03-03", "bad_time"),
        ("ended_at", "20250304", "bad_time"),
        ("ended_at", "3/4/2025 5:40 PM", "bad_time"),
        ("ended_at", "2025-02-30T10:00Z", "bad_time"),
        ("ended_at", "0001-01-01T00:00+14:00", "bad_time"),
        ("ended_at", 1741131600, "bad_time"),
        ("ended_at", (NOW + timedelta(minutes=3)).isoformat(), "in_future"),
        ("soreness_before", "-1", "bad_score"),
        ("soreness_before", "7/10", "bad_score"),
        ("soreness_after", 3.5, "bad_score"),
        ("soreness_after", float("nan"), "bad_score"),
        ("soreness_after", "٣", "bad_score"),
        ("given_name", "=HYPERLINK(1)", "bad_name"),
        ("given_name", "12", "bad_name"),
        ("given_name", "{{ clinic_name }}", "bad_name"),
        ("given_name", "D" * 61, "too_long"),
        ("family_name", "Re\x00yes", "not_text"),
        ("family_name", "Re\nyes", "not_text"),
        ("phone", "+1 555 0101", "impossible_phone"),
        ("phone", 5.5, "not_text"),
        ("language", "fr", "unknown_language"),
        ("timezone", "Mars/Olympus", "unknown_zone"),
        ("timezone", "Etc/GMT+5", "unknown_zone"),
        ("timezone", "../../etc/passwd", "unknown_zone"),
        ("birth_date", "17.05.1985", "bad_date"),
        ("birth_date", "2025-03-06", "bad_date"),
        ("birth_date", "1885-01-01", "bad_date"),
        ("consent", "maybe", "bad_yes_no"),
        ("consent_method", "keyword_start", "unknown_consent_method"),
        ("consent_at", "2030-01-01T00:00Z", "in_future"),
        ("pacemaker", "perhaps", "bad_yes_no"),
    ],
)
def test_a_bad_value_is_named_by_field_and_code_and_never_repeated(field: str, value: object, code: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse_session(raw_intake(**{field: value}), clinic=CLINIC, now=NOW)

    (problem,) = caught.value.problems
    assert (problem.field, problem.code) == (field, code)
    assert problem.sentence.endswith(".")
    assert str(value) not in str(caught.value)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("2025-03-04T17:00-06:00", datetime(2025, 3, 4, 23, 0, tzinfo=UTC)),
        ("2025-03-04T23:00:00Z", datetime(2025, 3, 4, 23, 0, tzinfo=UTC)),
        ("2025-03-04 17:00", datetime(2025, 3, 4, 23, 0, tzinfo=UTC)),
        ("2025-03-04T17:00:30", datetime(2025, 3, 4, 23, 0, 30, tzinfo=UTC)),
        ((NOW + timedelta(minutes=2)).isoformat(), NOW + timedelta(minutes=2)),
    ],
)
def test_an_end_without_offset_is_on_the_clinics_clock(typed: str, expected: datetime) -> None:
    assert visit(ended_at=typed, timezone="America/Denver").ended_at == expected


def test_a_wall_time_that_happened_twice_needs_its_offset() -> None:
    morning_after = datetime(2025, 11, 2, 15, 0, tzinfo=UTC)

    assert problems(raw_intake(ended_at="2025-11-02 01:30"), morning_after) == [("ended_at", "ambiguous_time")]
    raw = raw_intake(ended_at="2025-11-02T01:30-05:00")
    parsed = parse_session(raw, clinic=CLINIC, now=morning_after).visit
    assert parsed is not None
    assert parsed.ended_at == datetime(2025, 11, 2, 6, 30, tzinfo=UTC)


def test_a_wall_time_that_never_happened_is_refused() -> None:
    spring_morning = datetime(2025, 3, 9, 15, 0, tzinfo=UTC)

    assert problems(raw_intake(ended_at="2025-03-09 02:30"), spring_morning) == [("ended_at", "nonexistent_time")]


def test_an_example_may_say_how_long_ago_it_ended() -> None:
    parsed = visit(ended_at="", ended_minutes_ago="95")

    assert (parsed.ended_at, parsed.ended_at_is_relative) == (NOW - timedelta(minutes=95), True)
    assert visit(ended_minutes_ago="95").ended_at_is_relative is False
    for minutes, code in (("-5", "in_future"), ("soon", "bad_time")):
        assert problems(less(raw_intake(ended_minutes_ago=minutes), "ended_at")) == [("ended_minutes_ago", code)]


def test_a_void_needs_nothing_but_the_id() -> None:
    raw = {"external_id": "S-1", "status": "voided"}

    assert parse_session(raw, clinic=CLINIC, now=NOW).visit is None
    assert parse_session(raw_intake(status="VOIDED", phone="?"), clinic=CLINIC, now=NOW).visit is None


@pytest.mark.parametrize("answer", ["yes", "Y", "TRUE", "1", "x", "sí", True])
def test_a_yes_is_understood(answer: object) -> None:
    assert visit(consent=answer).consent.agreed is True


@pytest.mark.parametrize("answer", ["no", "N", "false", "0", False, 0])
def test_a_no_is_understood(answer: object) -> None:
    assert visit(consent=answer).consent.agreed is False


@pytest.mark.parametrize("answer", ["", None, "unknown", "?", "not asked"])
def test_an_unknown_is_not_a_no(answer: object) -> None:
    screening = visit(ulcer=answer).screening
    assert screening is not None
    assert screening["ulcer"] is None


@pytest.mark.parametrize(
    "value", [["Neck", "lower back"], "neck; lower-back;", "neck|lower_back|neck", ("neck", "LOWER  BACK")]
)
def test_regions_are_read_as_a_list_or_as_text(value: object) -> None:
    assert visit(regions=value).regions == ("neck", "lower_back")


def test_words_of_people_are_taken_as_they_write_them() -> None:
    parsed = visit(
        technique="Deep dry needling", language="es-MX", given_name=" María  José ", family_name="O'Neill-Ruiz"
    )

    assert parsed.technique == "deep"
    assert parsed.patient.language == "es"
    assert (parsed.patient.given_name, parsed.patient.family_name) == ("María José", "O'Neill-Ruiz")


def test_no_repr_shows_the_patient() -> None:
    intake = parse_session(raw_intake(), clinic=CLINIC, now=NOW)

    assert intake.visit is not None
    for shown in (repr(intake), repr(intake.visit), repr(intake.visit.patient), str(intake.visit.patient)):
        assert "Dana" not in shown
        assert "5550123" not in shown


def test_every_screening_fact_is_a_field_with_a_meaning() -> None:
    assert set(SCREENING_FACTS) < set(FIELDS)
    assert all(sentence.endswith(".") for sentence in FIELDS.values())
