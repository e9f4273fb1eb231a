import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner, Result

from reminders import clock
from reminders.clinic.models import AuditEvent, Clinic, ConsentRecord, Patient, ScreeningRecord, TreatmentSession
from reminders.config import BASE_DIR
from reminders.management.example_csv import example_csv
from reminders.management.import_sessions import import_sessions
from tests.clinic.intakes import raw_intake
from tests.factories import make_clinic

EXAMPLE = BASE_DIR / "examples" / "treatment-sessions.csv"


@pytest.fixture
def clinic(db: None) -> Clinic:
    return make_clinic(slug="northside")


def write(path: Path, *rows: dict[str, object]) -> Path:
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(rows)
    return path


def row(**changes: object) -> dict[str, object]:
    return raw_intake(**{"ended_at": (clock.now() - timedelta(hours=1)).isoformat(), **changes})


def run(*words: object) -> Result:
    return CliRunner().invoke(import_sessions, [str(word) for word in words])


def last_line(result: Result) -> str:
    return result.output.strip().splitlines()[-1]


def test_good_rows_are_stored_and_a_second_import_changes_nothing(clinic: Clinic, tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.csv",
        row(),
        row(external_id="S-2", technique="electro"),
        row(external_id="S-3", patient_external_id="P-2", given_name="Luis", phone="312 555 0177"),
    )

    first, second = run(path), run(path)

    assert (first.exit_code, last_line(first)) == (
        0,
        "3 rows: 3 created, 0 unchanged, 0 corrected, 0 voided, 0 rejected.",
    )
    assert last_line(second) == "3 rows: 0 created, 3 unchanged, 0 corrected, 0 voided, 0 rejected."
    assert TreatmentSession.objects.filter(clinic=clinic).count() == 3
    assert list(tmp_path.iterdir()) == [path]


def test_a_column_with_the_words_of_consent_is_kept_with_it(clinic: Clinic, tmp_path: Path) -> None:
    result = run(write(tmp_path / "a.csv", row(consent_disclosure="Text me, please.\nSTOP ends it.")))

    assert result.exit_code == 0, result.output
    assert ConsentRecord.objects.get().disclosure == "Text me, please.\nSTOP ends it."


def test_a_bad_row_stops_no_other_and_can_be_corrected_and_fed_in_again(clinic: Clinic, tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.csv",
        row(),
        row(external_id="S-2", technique="cupping", phone="911"),
        row(external_id="S-3", patient_external_id="P-3", given_name="Luis", phone="312 555 0177"),
    )

    result = run(path)

    assert result.exit_code == 1
    assert last_line(result) == "3 rows: 2 created, 0 unchanged, 0 corrected, 0 voided, 1 rejected."
    assert "Write deep, superficial or electro." in result.output
    assert "delete it when you are done" in result.output
    assert "Dana" not in result.output
    rejected = tmp_path / "a.rejected.csv"
    (refused,) = list(csv.DictReader(rejected.read_text("utf-8-sig").splitlines()))
    assert (refused["external_id"], refused["row"], refused["field"]) == ("S-2", "3", "technique; phone")

    rejected.write_text(rejected.read_text("utf-8-sig").replace("cupping", "deep").replace("911", "312 555 0123"))
    assert last_line(run(rejected)) == "1 rows: 1 created, 0 unchanged, 0 corrected, 0 voided, 0 rejected."


def test_corrections_and_voids_are_counted(clinic: Clinic, tmp_path: Path) -> None:
    first, second = row(), row(external_id="S-2")
    run(write(tmp_path / "a.csv", first, second))

    result = run(
        write(tmp_path / "b.csv", {**first, "technique": "electro"}, {"external_id": "S-2", "status": "voided"})
    )

    assert last_line(result) == "2 rows: 0 created, 0 unchanged, 1 corrected, 1 voided, 0 rejected."


def test_a_dry_run_sees_rows_that_belong_together_and_stores_nothing(clinic: Clinic, tmp_path: Path) -> None:
    first = row()
    path = write(
        tmp_path / "a.csv",
        first,
        row(external_id="S-2", consent=""),
        first,
        {"external_id": "S-2", "status": "voided"},
        row(external_id="S-3", technique="cupping"),
    )

    result = run(path, "--dry-run")

    assert result.exit_code == 1
    assert last_line(result) == (
        "Dry run, nothing was stored. 5 rows: 2 created, 1 unchanged, 0 corrected, 1 voided, 1 rejected."
    )
    assert not Patient.objects.exists()
    assert not AuditEvent.objects.exists()
    assert list(tmp_path.iterdir()) == [path]
    run(path, "--dry-run", "--rejects", tmp_path / "bad.csv")
    assert (tmp_path / "bad.csv").exists()


def test_the_clinic_is_named_where_there_are_several(clinic: Clinic, tmp_path: Path) -> None:
    make_clinic(slug="southside")
    path = write(tmp_path / "a.csv", row())

    assert "Say which clinic with --clinic: northside, southside." in run(path).output
    assert run(path, "--clinic", "eastside").exit_code == 2
    assert run(path, "--clinic", "southside").exit_code == 0
    assert TreatmentSession.objects.get().clinic.slug == "southside"


@pytest.mark.django_db
def test_without_a_clinic_it_says_how_to_get_one(tmp_path: Path) -> None:
    result = run(write(tmp_path / "a.csv", row()))

    assert result.exit_code == 2
    assert "There is no clinic yet" in result.output


def test_a_file_that_cannot_be_read_ends_with_one_sentence(clinic: Clinic, tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"PK\x03\x04")

    result = run(path)

    assert (result.exit_code, len(result.output.strip().splitlines())) == (2, 1)


def test_refused_rows_that_cannot_be_written_are_still_told(clinic: Clinic, tmp_path: Path) -> None:
    result = run(write(tmp_path / "a.csv", row(technique="x")), "--rejects", tmp_path / "missing" / "bad.csv")

    assert result.exit_code == 2
    assert "unknown" in result.output or "Write deep" in result.output
    assert "No such file" in result.output


class TestTheExample:
    def test_it_imports_on_any_day_with_its_bad_rows_told(self, clinic: Clinic, tmp_path: Path) -> None:
        result = run(EXAMPLE, "--rejects", tmp_path / "bad.csv")

        assert last_line(result) == "220 rows: 211 created, 0 unchanged, 0 corrected, 0 voided, 9 rejected."
        refused = list(csv.DictReader((tmp_path / "bad.csv").read_text("utf-8-sig").splitlines()))
        assert sorted(each["field"] for each in refused) == sorted(
            ["technique", "phone", "ended_minutes_ago", "consent", "timezone", "ended_at", "patient_external_id",
             "soreness_after", "given_name"]
        )  # fmt: skip
        assert last_line(run(EXAMPLE, "--rejects", tmp_path / "bad.csv")) == (
            "220 rows: 0 created, 211 unchanged, 0 corrected, 0 voided, 9 rejected."
        )

    def test_it_is_varied_like_a_clinic(self, clinic: Clinic, tmp_path: Path) -> None:
        run(EXAMPLE, "--rejects", tmp_path / "bad.csv")

        sessions = TreatmentSession.objects.all()
        assert {session.technique for session in sessions} == {"deep", "superficial", "electro"}
        assert len({region for session in sessions for region in session.regions}) > 12
        assert len({patient.timezone for patient in Patient.objects.all()}) == 8
        assert {patient.language for patient in Patient.objects.all()} == {"en", "es"}
        assert set(ScreeningRecord.objects.values_list("anticoagulant", flat=True)) == {True, False, None}
        assert all(clock.now() - session.ended_at < timedelta(hours=20, minutes=5) for session in sessions)

    def test_the_shipped_file_is_what_the_command_writes(self) -> None:
        result = CliRunner().invoke(example_csv, ["--relative"])

        assert result.output == EXAMPLE.read_text("utf-8"), (
            "write it anew: reminders example-csv --relative --output examples/treatment-sessions.csv"
        )

    def test_a_dated_file_imports_as_well(self, clinic: Clinic, tmp_path: Path) -> None:
        path = tmp_path / "dated.csv"
        arguments = ["--now", clock.now().isoformat(), "--rows", "60", "--output", str(path)]
        assert CliRunner().invoke(example_csv, arguments).exit_code == 0

        assert last_line(run(path)) == "60 rows: 51 created, 0 unchanged, 0 corrected, 0 voided, 9 rejected."

    def test_dates_are_told_on_the_patients_own_clock(self) -> None:
        now = datetime(2025, 3, 4, 23, 40, tzinfo=UTC)
        result = CliRunner().invoke(example_csv, ["--now", now.isoformat(), "--rows", "60"])

        rows = [each for each in csv.DictReader(result.output.splitlines()) if each["timezone"] != "EST"]
        assert len(rows) == 59
        for each in rows:
            ended_at = datetime.fromisoformat(each["ended_at"])
            assert ended_at.utcoffset() == ended_at.astimezone(ZoneInfo(each["timezone"])).utcoffset()

    def test_no_number_in_it_belongs_to_anybody(self) -> None:
        for each in csv.DictReader(EXAMPLE.read_text("utf-8").splitlines()):
            assert " 555 01" in each["phone"]

    @pytest.mark.parametrize("words", [["--now", "today"], ["--now", "2025-03-04T10:00"], ["--rows", "3"]])
    def test_a_wrong_option_is_told(self, words: list[str]) -> None:
        assert CliRunner().invoke(example_csv, words).exit_code == 2
