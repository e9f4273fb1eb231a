"""The Insights room: figures that can be counted by hand, files, and what an address may ask for."""

import csv
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from reminders.clinic.models import Clinic, Clinician, TreatmentSession
from tests import factories
from tests.console.conftest import LogIn
from tests.factories import Staff

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
SECTIONS = ("replies", "soreness", "persisting", "cases", "waiting", "opt-outs", "delivery", "parts")


def _treated(clinic: Clinic, by: Clinician | None, *, days_ago: int = 3, **fields: object) -> TreatmentSession:
    ended_at = datetime.now(UTC) - timedelta(days=days_ago)
    return factories.make_treatment_session(
        patient=factories.make_patient(clinic=clinic), clinician=by, ended_at=ended_at, now=ended_at, **fields
    )


def _asked(
    row: TreatmentSession, *, score: int | None = None, after: timedelta = 10 * MINUTE, outcome: str = ""
) -> None:
    """Ask 24 hours after the session; with a score it was answered so much later."""
    plan = factories.make_plan(treatment_session=row, now=row.ended_at)
    at = row.ended_at + 24 * HOUR
    said = {"state": "silent", "outcome": "silent"}
    if score is not None:
        said = {"state": "answered", "outcome": outcome or ("persists" if score >= 4 else "resolved")}
    factories.make_check_in(
        plan=plan, now=at, score=score, answered_at=at + after if score is not None else None, **said
    )


@pytest.fixture
def story(clinic: Clinic, staff: Staff) -> None:
    """Four deep sessions on the neck, one superficial one on the calf, one voided, one of long ago."""
    for score, minutes in ((2, 10), (4, 20), (6, 90)):
        _asked(
            _treated(clinic, staff.therapist, technique="deep", regions=["neck"]), score=score, after=minutes * MINUTE
        )
    silent = _treated(clinic, staff.therapist, technique="deep", regions=["neck", "shoulder"])
    _asked(silent)
    _asked(_treated(clinic, staff.owner, technique="superficial", regions=["calf"]), score=0)
    _asked(_treated(clinic, staff.owner, technique="deep", regions=["calf"], status="voided"), score=10)
    _asked(_treated(clinic, staff.owner, technique="deep", regions=["calf"], days_ago=60), score=10)
    came = silent.ended_at + 30 * HOUR
    factories.make_escalation(
        patient=silent.patient,
        treatment_session=silent,
        now=came,
        state="resolved",
        owner=staff.therapist,
        acknowledged_at=came + 12 * MINUTE,
        resolved_at=came + 2 * HOUR,
        outcome="advised",
    )
    factories.make_escalation(patient=silent.patient, treatment_session=silent, severity="urgent", now=came)
    factories.make_consent(patient=silent.patient, decision="revoked", method="text", now=came)


def _table(client: Client, section: str, query: str = "") -> dict[tuple[str, ...], dict[str, str]]:
    """Return a section's file: its rows by what stands in the columns before the figures."""
    response = client.get(f"/insights/{section}.csv{query}")
    assert response.status_code == 200, response.content
    rows = list(csv.DictReader(StringIO(response.content.decode("utf-8-sig"))))
    return {
        tuple(row[key] for key in ("By", "Which") if key in row) or (next(iter(row.values())),): row for row in rows
    }


@pytest.mark.usefixtures("story")
def test_replies_are_counted_by_group_with_their_interval(therapist: Client) -> None:
    rows = _table(therapist, "replies")

    everybody = rows[("All", "All")]
    assert (everybody["Asked"], everybody["Answered"], everybody["Share"]) == ("5", "4", "80.0")
    assert (everybody["95% from"], everybody["95% to"]) == ("37.6", "96.4")
    assert everybody["Half within"] == "15.0"
    assert everybody["Within an hour"] == "3"
    assert rows[("Technique", "Deep dry needling")]["Asked"] == "4"
    assert rows[("Region", "Neck")]["Answered"] == "3"
    assert rows[("Region", "Shoulder")]["Answered"] == "0"
    assert rows[("Clinician", "Theo Tran")]["Asked"] == "4"


@pytest.mark.usefixtures("story")
def test_soreness_and_its_persisting_share_leave_out_voided_and_older_sessions(therapist: Client) -> None:
    scores, still = _table(therapist, "soreness"), _table(therapist, "persisting")

    assert (scores[("All", "All")]["Scores at 24 h"], scores[("All", "All")]["Mean at 24 h"]) == ("4", "3.0")
    assert scores[("Technique", "Deep dry needling")]["Mean at 24 h"] == "4.0"
    assert scores[("All", "All")]["Mean at 48 h"] == ""
    assert (still[("All", "All")]["Answered"], still[("All", "All")]["Still sore"]) == ("4", "2")


def test_an_answer_on_the_second_day_counts_at_48_hours(therapist: Client, clinic: Clinic, staff: Staff) -> None:
    _asked(_treated(clinic, staff.therapist), score=5, after=20 * HOUR)

    assert _table(therapist, "soreness")[("All", "All")]["Mean at 48 h"] == "5.0"


@pytest.mark.usefixtures("story")
def test_cases_are_told_per_session_and_by_how_long_they_waited(therapist: Client) -> None:
    cases, waiting = _table(therapist, "cases"), _table(therapist, "waiting")

    everybody = cases[("All", "All")]
    assert (everybody["Sessions"], everybody["Cases"], everybody["Per 100"]) == ("5", "2", "40.0")
    assert everybody["With a case"] == "1"
    assert (waiting[("All",)]["Cases"], waiting[("All",)]["Taken"]) == ("2", "1")
    assert waiting[("Same day",)]["Half taken within"] == "12.0"
    assert waiting[("Same day",)]["Half resolved within"] == "120.0"
    assert waiting[("Urgent",)]["Half taken within"] == ""


@pytest.mark.usefixtures("story")
def test_opt_outs_delivery_and_parts_are_counted(therapist: Client, clinic: Clinic) -> None:
    patient = factories.make_patient(clinic=clinic)
    at = datetime.now(UTC) - HOUR
    before = _table(therapist, "delivery")[("All",)], _table(therapist, "parts")[("All",)]
    factories.make_message(patient=patient, state="delivered", segments=3, due_at=at, now=at)
    factories.make_message(patient=patient, state="failed", segments=2, due_at=at, now=at)
    factories.make_message(patient=patient, state="scheduled", segments=5, due_at=at, now=at)

    delivery, parts = _table(therapist, "delivery"), _table(therapist, "parts")
    assert int(delivery[("All",)]["Texts"]) == int(before[0]["Texts"]) + 2
    assert delivery[("Failed",)]["Texts"] == "1"
    assert int(parts[("All",)]["Parts"]) == int(before[1]["Parts"]) + 3
    assert _table(therapist, "opt-outs")[("All",)]["Opt-outs"] == "1"


@pytest.mark.usefixtures("story")
def test_filters_and_days_in_the_address_choose_the_sessions(therapist: Client, staff: Staff) -> None:
    def asked(query: str) -> str:
        return _table(therapist, "replies", query)[("All", "All")]["Asked"]

    assert asked("?technique=superficial") == "1"
    assert asked("?region=neck") == "4"
    assert asked(f"?clinician={staff.owner.pk}") == "1"
    assert asked("?days=90") == "6"
    long_ago = (datetime.now(UTC) - timedelta(days=63)).date()
    assert asked(f"?from={long_ago}&to={long_ago + timedelta(days=10)}") == "1"
    assert int(_table(therapist, "delivery", "?technique=superficial")[("All",)]["Texts"]) == 1


@pytest.mark.usefixtures("story")
def test_another_clinic_counts_none_of_it(stranger: Clinician, log_in: LogIn, staff: Staff) -> None:
    client = log_in(stranger)

    for section in SECTIONS:
        for row in _table(client, section).values():
            assert {value for value in row.values() if value.replace(".", "").isdecimal()} <= {"0"}, section
    assert "Theo Tran" not in client.get("/insights/").content.decode()
    assert client.get(f"/insights/?clinician={staff.therapist.pk}").status_code == 404


@pytest.mark.usefixtures("story")
def test_small_numbers_are_said_and_no_patient_is_named(therapist: Client) -> None:
    page = therapist.get("/insights/").content.decode()

    assert "4 of 5 questions were answered: too few to tell a share." in page
    assert "80% (few)" in page
    assert "Dana" not in page
    assert all("Reyes" not in therapist.get(f"/insights/{one}.csv").content.decode() for one in SECTIONS)


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("from=2024-02-30&to=2024-03-01", "Give both days"),
        ("from=2024-03-01", "Give both days"),
        ("from=2024-03-02&to=2024-03-01", "must not come after"),
        ("from=2022-01-01&to=2023-06-01", "a year at most"),
        ("from=0001-01-01&to=0001-01-02", "after the year 1999"),
    ],
)
def test_days_that_cannot_be_shown_are_said_and_stay_typed(therapist: Client, query: str, says: str) -> None:
    page = therapist.get(f"/insights/?{query}")

    assert page.status_code == 422
    assert says in page.content.decode()
    assert f'value="{query[5:15]}"' in page.content.decode()
    assert therapist.get(f"/insights/replies.csv?{query}").status_code == 422


@pytest.mark.parametrize("address", ["?technique=other", "?region=tail", "?clinician=x", "nothing.csv"])
def test_what_no_list_holds_is_not_found(therapist: Client, address: str) -> None:
    assert therapist.get(f"/insights/{address}").status_code == 404


def test_a_name_that_looks_like_a_formula_is_text_in_the_file(therapist: Client, clinic: Clinic) -> None:
    clever = factories.make_clinician(clinic=clinic, first_name='=HYPERLINK("x")', last_name="")
    _asked(_treated(clinic, clever), score=1)

    assert ("Clinician", '\'=HYPERLINK("x")') in _table(therapist, "replies")


def test_more_rows_take_no_more_queries(therapist: Client, clinic: Clinic, staff: Staff) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert therapist.get("/insights/").status_code == 200
        return len(asked)

    _asked(_treated(clinic, staff.therapist), score=1)
    few = queries()
    for number in range(20):
        _asked(_treated(clinic, staff.owner, regions=["calf"]), score=number % 10)
    assert queries() == few
