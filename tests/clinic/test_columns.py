"""Guessing the columns of other people's tables, and reading their cells."""

import pytest

from reminders.clinic.column_guesses import DateOrder, guess_columns, guess_date_order, is_known
from reminders.clinic.column_mapping import (
    ColumnMapping,
    problems_of,
    read_day,
    read_moment,
    read_time,
    rows_of,
    split_name,
)
from reminders.clinic.intake_fields import FIELDS
from reminders.clinic.tables import read_table

MONTH, DAY, YEAR = DateOrder.MONTH_FIRST, DateOrder.DAY_FIRST, DateOrder.YEAR_FIRST


@pytest.mark.parametrize(
    ("header", "guesses"),
    [
        (list(FIELDS), list(FIELDS)),
        (
            ["Appointment ID", "Date of Service", "End Time", "Patient Name", "Cell Phone", "DOB", "Visit Type", "Fee"],
            ["external_id", "ended_on_day", "ended_at_time", "full_name", "phone", "birth_date", "technique", ""],
        ),
        (
            ["Nº de cita", "Fecha y hora", "Nombre", "Apellidos", "Teléfono móvil", "Fecha de nacimiento", "Técnica"],
            ["external_id", "ended_at", "given_name", "family_name", "phone", "birth_date", "technique"],
        ),
        (["ID", "Name", "Last Name", "Mobile"], ["external_id", "given_name", "family_name", "phone"]),
        (["Date", "Phone", "Phone Number"], ["ended_at", "phone", ""]),
        (["ended_at", "Date", "Time"], ["ended_at", "", ""]),
        (["", "???"], ["", ""]),
    ],
)
def test_columns_are_known_by_their_names_in_both_languages(header: list[str], guesses: list[str]) -> None:
    assert guess_columns(header) == guesses


@pytest.mark.parametrize(
    ("cells", "order"),
    [
        (["2025-03-04 17:40", ""], YEAR),
        (["3/4/2025 5:40 PM", "3/14/2025"], MONTH),
        (["4/3/2025", "14/3/2025"], DAY),
        (["4/3/2025"], MONTH),
        ([], YEAR),
    ],
)
def test_how_dates_are_written_is_told_by_a_day_after_the_twelfth(cells: list[str], order: DateOrder) -> None:
    assert guess_date_order(cells) is order


@pytest.mark.parametrize(
    ("text", "order", "moment"),
    [
        ("3/4/2025 5:40 PM", MONTH, "2025-03-04 17:40"),
        ("03/04/25 12:05 am", MONTH, "2025-03-04 00:05"),
        ("4.3.2025 17.40", DAY, "2025-03-04 17:40"),
        ("4/3/2025 5:40 p. m.", DAY, "2025-03-04 17:40"),
        ("2025/3/4 17:40:30", MONTH, "2025-03-04 17:40:30"),
        ("2025-03-04T17:40-06:00", MONTH, "2025-03-04T17:40-06:00"),
        ("3/4/2025", MONTH, "3/4/2025"),
        ("3/4/2025 5:40 PM", YEAR, "3/4/2025 5:40 PM"),
        ("13/13/2025 5:40 PM", MONTH, "13/13/2025 5:40 PM"),
        ("yesterday", MONTH, "yesterday"),
    ],
)
def test_moments_are_read_as_people_write_them_or_left_alone(text: str, order: DateOrder, moment: str) -> None:
    assert read_moment(text, order) == moment


def test_two_digits_of_a_birth_year_are_not_guessed() -> None:
    assert read_day("5/17/1980", MONTH, past=True) == "1980-05-17"
    assert read_day("17/5/1980 0:00", DAY, past=True) == "1980-05-17"
    assert read_day("5/17/25", MONTH, past=True) == "5/17/25"


@pytest.mark.parametrize(
    ("text", "read"),
    [("5 PM", "17:00"), ("12 am", "00:00"), ("17h30", "17:30"), ("9:05", "09:05"),
     ("17", "17"), ("13 pm", "13 pm"), ("25:00", "25:00")],
)  # fmt: skip
def test_times_are_read_as_people_write_them(text: str, read: str) -> None:
    assert read_time(text) == read


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("Reyes, Dana", ("Dana", "Reyes")),
        ("Dana Reyes Gómez", ("Dana", "Reyes Gómez")),
        ("Dana", ("Dana", "")),
        ("", ("", "")),
    ],
)
def test_a_name_in_one_cell_is_taken_apart(name: str, parts: tuple[str, str]) -> None:
    assert split_name(name) == parts


def test_a_row_becomes_the_fields_of_an_intake() -> None:
    content = "Cita;Fecha;Hora;Paciente;Móvil;Zona\n7;4/3/2025;17:40;Reyes, Dana;312 555 0142;Hombro / Espalda baja\n"
    table = read_table(content.encode(), known=is_known)
    mapping = ColumnMapping(tuple(guess_columns(table.header)), DAY, technique="deep", consent_method="paper_form")

    assert problems_of(mapping) == []
    (row,) = rows_of(table, mapping)
    assert row.number == 2
    assert dict(row.fields) == {
        "external_id": "7",
        "ended_at": "2025-03-04 17:40",
        "given_name": "Dana",
        "family_name": "Reyes",
        "phone": "312 555 0142",
        "regions": "shoulder;lower_back",
        "technique": "deep",
        "consent": "yes",
        "consent_method": "paper_form",
    }


def test_what_is_missing_or_twice_is_named() -> None:
    assert problems_of(ColumnMapping(("phone", "phone", ""), YEAR)) == [
        "twice:phone",
        "missing:external_id",
        "missing:given_name",
        "missing:technique",
        "missing:ended_at",
    ]
    assert problems_of(ColumnMapping(("external_id", "status"), YEAR)) == []


def test_what_a_file_says_of_consent_counts_before_what_is_said_for_all() -> None:
    table = read_table(b"external_id,consent\n1,no\n2,\n", known=is_known)
    rows = rows_of(table, ColumnMapping(("external_id", "consent"), YEAR, consent_method="paper_form"))

    assert [row.fields["consent"] for row in rows] == ["no", ""]
