import stat
from pathlib import Path

import pytest

from reminders.clinic.errors import Problem
from reminders.clinic.session_files import (
    MAX_BYTES,
    Refusal,
    SessionFileError,
    read_session_file,
    refusals_path,
    write_refusals,
)

HEADER = "external_id,technique,ended_at,given_name,phone"
ROW = "S-1,deep,2025-03-04T17:40-06:00,José,+13125550123"
GOOD = f"{HEADER}\n{ROW}\n"
FIELDS = {
    "external_id": "S-1",
    "technique": "deep",
    "ended_at": "2025-03-04T17:40-06:00",
    "given_name": "José",
    "phone": "+13125550123",
}


@pytest.mark.parametrize(
    "content",
    [
        GOOD.encode(),
        GOOD.encode("utf-8-sig"),
        GOOD.encode("utf-16"),
        GOOD.replace("\n", "\r\n").encode(),
        GOOD.replace("\n", "\r").encode(),
        GOOD.replace(",", ";").encode(),
        GOOD.replace(",", "\t").encode(),
        ("sep=;\r\n" + GOOD.replace(",", ";")).encode(),
        GOOD.replace("external_id", "External ID").replace("given_name", " Given-Name ").encode(),
        GOOD.replace(HEADER, ",".join(f'"{name}"' for name in HEADER.split(","))).encode(),
        GOOD.replace(HEADER, HEADER + ",,").replace(ROW, ROW + ",,").encode(),
        GOOD.replace("+1312", "'+1312").encode(),
        GOOD.strip().encode(),
    ],
    ids=["utf8", "mark", "utf16", "crlf", "cr", "semicolon", "tab", "sep", "names", "quotes", "empty", "guard", "end"],
)  # fmt: skip
def test_a_file_is_read_however_a_spreadsheet_wrote_it(content: bytes) -> None:
    file = read_session_file(content)

    assert [dict(row.fields) for row in file.rows] == [FIELDS]
    assert file.note == ""


def test_an_old_encoding_is_read_and_said() -> None:
    file = read_session_file(GOOD.encode("cp1252"))

    assert file.rows[0].fields["given_name"] == "José"
    assert "Windows-1252" in file.note


def test_rows_are_counted_as_a_spreadsheet_counts_them() -> None:
    content = f'{HEADER}\n\n"S-1\nx",deep,,,\n,,,,\n{ROW}\n'

    assert [row.number for row in read_session_file(content.encode()).rows] == [3, 5]


def test_the_report_of_an_earlier_import_is_ignored() -> None:
    content = f"{HEADER},row,field,reason\n{ROW},7,phone,wrong\n"

    assert [dict(row.fields) for row in read_session_file(content.encode()).rows] == [FIELDS]


def test_a_row_with_too_many_cells_is_a_problem_of_that_row_alone() -> None:
    first, second = read_session_file(f"{HEADER}\n{ROW},extra\n{ROW}\n".encode()).rows

    assert first.problem is not None
    assert first.problem.code == "too_many_cells"
    assert second.problem is None


def test_a_row_that_ends_early_has_empty_cells() -> None:
    (row,) = read_session_file(f"{HEADER}\nS-1,deep\n".encode()).rows

    assert dict(row.fields) == {"external_id": "S-1", "technique": "deep"}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "first line must hold the names"),
        (ROW.encode(), "first line must hold the names"),
        (b"PK\x03\x04rest", "spreadsheet, not a CSV"),
        (b"\xd0\xcf\x11\xe0rest", "spreadsheet, not a CSV"),
        (b"external_id\x00", "not text in UTF-8"),
        (b"external_id\x81\x8d", "not text in UTF-8"),
        (b"x" * (MAX_BYTES + 1), "larger than 20 MB"),
        (b"external_id,phone\nS-1,1\n", "These columns are missing: technique, ended_at, given_name."),
        (f"{HEADER},pacemkr\n{ROW},yes\n".encode(), "There is no field for these columns: pacemkr."),
        (f"{HEADER},Phone\n{ROW},1\n".encode(), "Two columns have the same name"),
        (f'{HEADER}\n"S-1,deep\n'.encode(), "quotation marks near line 2"),
        (f'{HEADER}\n"S"-1,deep\n'.encode(), "quotation marks near line 2"),
    ],
)
def test_a_file_that_cannot_be_read_says_what_to_do(content: bytes, sentence: str) -> None:
    with pytest.raises(SessionFileError, match=sentence) as caught:
        read_session_file(content)

    assert "José" not in str(caught.value)
    assert "5550123" not in str(caught.value)


def test_a_file_of_voids_needs_no_other_columns() -> None:
    (row,) = read_session_file(b"external_id,status\nS-1,voided\n").rows

    assert dict(row.fields) == {"external_id": "S-1", "status": "voided"}


def refused(path: Path, content: str) -> str:
    file = read_session_file(content.encode())
    problems = (Problem("technique", "unknown_technique", "Write deep."), Problem("phone", "missing", "It is missing."))
    write_refusals(path=path, file=file, refusals=[Refusal(row, problems) for row in file.rows])
    return path.read_bytes().decode("utf-8-sig")


def test_refused_rows_can_be_corrected_and_fed_in_again(tmp_path: Path) -> None:
    written = refused(tmp_path / "out.csv", GOOD.replace(",", ";"))

    header, row, end = written.split("\r\n")
    assert header == HEADER.replace(",", ";") + ";row;field;reason"
    original = ROW.replace(",", ";").replace("+1312", "'+1312")
    assert row == f'{original};2;"technique; phone";technique: Write deep. phone: It is missing.'
    assert end == ""
    again = read_session_file((tmp_path / "out.csv").read_bytes())
    assert [dict(each.fields) for each in again.rows] == [FIELDS]
    assert refused(tmp_path / "again.csv", written).split("\r\n")[0] == header


def test_refused_rows_are_inert_in_a_spreadsheet(tmp_path: Path) -> None:
    written = refused(tmp_path / "out.csv", f"{HEADER}\n=cmd|' /C calc'!A0,@x,-1,+x,+13125550123\n")

    cells = written.split("\r\n")[1].split(",")
    assert [cell[:2] for cell in cells[:5]] == ["'=", "'@", "'-", "'+", "'+"]
    (row,) = read_session_file(written.encode()).rows
    assert row.fields["phone"] == "+13125550123"


def test_cells_too_many_are_kept_so_that_the_row_never_passes_shifted(tmp_path: Path) -> None:
    refused(tmp_path / "out.csv", f"{HEADER}\n{ROW},extra\n")

    (row,) = read_session_file((tmp_path / "out.csv").read_bytes()).rows
    assert row.problem is not None


def test_refused_rows_are_for_nobody_else_to_read(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.touch(mode=0o644)

    refused(path, GOOD)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_earlier_report_is_never_overwritten(tmp_path: Path) -> None:
    source = tmp_path / "sessions.csv"

    assert refusals_path(source).name == "sessions.rejected.csv"
    (tmp_path / "sessions.rejected.csv").touch()
    assert refusals_path(source).name == "sessions.rejected-2.csv"
    assert refusals_path(tmp_path / "sessions.rejected.csv").name == "sessions.rejected-2.csv"
