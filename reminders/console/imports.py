"""Bringing sessions in from a file: upload, say which column is what, look at what would happen, take it in."""

from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render

from reminders import clock
from reminders.clinic.column_guesses import DateOrder
from reminders.clinic.column_mapping import ColumnMapping, problems_of, rows_of
from reminders.clinic.errors import ReminderError
from reminders.clinic.models import Technique
from reminders.clinic.session_files import SessionFileError
from reminders.clinic.tables import Table
from reminders.console import import_words
from reminders.console.access import May, StaffRequest, access_import, room
from reminders.console.forms import Labelled, choices_with_blank
from reminders.console.import_files import check, keep_upload, mapping_of, refused_rows, table_of, take_in
from reminders.console.models import ImportFile
from reminders.console.uploads import was_too_large
from reminders.console.wording import CONSENT_METHODS

UNPROCESSABLE: Final = 422
SAMPLES: Final = 3
SHOWN_ROWS: Final = 5
ONE_PLACE: Final = ("paper_form", "intake_form")


class UploadForm(Labelled):
    """The file."""

    table = forms.FileField(
        label="CSV file",
        allow_empty_file=True,
        error_messages={"required": "Choose a file.", "missing": "Choose a file."},
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,text/csv,text/plain"}),
        help_text="Up to 1,000 rows and 2 MB, with the names of the columns in its first line.",
    )


class ColumnsForm(Labelled):
    """A field for each column, how dates are written, and what holds for all rows."""

    kind = forms.ChoiceField(
        label="What is in this file?",
        choices=[("sessions", "Finished sessions, with their patients"), ("patients", "Patients alone")],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what is in the file."},
    )
    date_order = forms.ChoiceField(label="How dates are written", choices=import_words.DATE_ORDERS)
    technique = forms.ChoiceField(
        label="Technique",
        choices=choices_with_blank(Technique.choices, "As the file says"),
        required=False,
        help_text="For rows that say none.",
    )
    consent_method = forms.ChoiceField(
        label="Agreement to texts",
        choices=[
            ("", "As the file says, or as it is on file"),
            *((method, f"Everybody in this file: {CONSENT_METHODS[method].lower()}") for method in ONE_PLACE),
        ],
        required=False,
        help_text="Only where each of them has agreed. It is kept as your word.",
    )

    def __init__(self, *args: Any, table: Table, mapping: ColumnMapping, **kwargs: Any) -> None:
        initial = {
            "kind": "patients" if mapping.patients_only else "sessions",
            "date_order": mapping.date_order,
            "technique": mapping.technique,
            "consent_method": mapping.consent_method,
        }
        super().__init__(*args, initial=initial, **kwargs)
        self.table = table
        for index, name in enumerate(table.header):
            self.fields[f"c{index}"] = forms.ChoiceField(
                label=name or f"Column {index + 1}",
                choices=import_words.column_choices,
                required=False,
                initial=mapping.columns[index] if index < len(mapping.columns) else "",
            )

    def columns(self) -> list[tuple[Any, list[str]]]:
        """Return each column's field with the first cells that hold anything."""
        return [(self[f"c{index}"], _samples(self.table, index)) for index in range(len(self.table.header))]

    def said(self) -> ColumnMapping:
        """Return what was chosen."""
        chosen = self.cleaned_data
        return ColumnMapping(
            columns=tuple(chosen[f"c{index}"] for index in range(len(self.table.header))),
            date_order=DateOrder(chosen["date_order"]),
            technique=chosen["technique"],
            consent_method=chosen["consent_method"],
            patients_only=chosen["kind"] == "patients",
        )


@room(may=May.RECORD_SESSIONS, methods=("GET", "HEAD", "POST"))
def upload(request: StaffRequest) -> HttpResponse:
    """Ask for a file, and keep it for an hour."""
    form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
    if request.method == "POST":
        if was_too_large(request):
            form.errors.clear()
            form.add_error("table", "The file is larger than 2 MB: leave out what is not needed, or split it.")
        elif form.is_valid():
            try:
                file = keep_upload(content=form.cleaned_data["table"].read(), clinician=request.user, now=clock.now())
            except SessionFileError as error:
                form.add_error("table", str(error))
            else:
                return redirect("import_columns", file.public_id)
    waiting = ImportFile.objects.filter(clinician=request.user, forget_at__gt=clock.now()).first()
    context = {"form": form, "waiting": waiting, "zone": request.user.clinic.timezone}
    return render(request, "console/import.j2", context, status=UNPROCESSABLE if form.errors else 200)


@room(may=May.RECORD_SESSIONS, methods=("GET", "HEAD", "POST"))
def columns(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """Ask which column is what; by POST try all rows with that."""
    file = access_import(request, public_id)
    if file.state == ImportFile.State.DONE:
        return redirect("import_check", public_id)
    table = table_of(file)
    form = ColumnsForm(request.POST or None, table=table, mapping=mapping_of(file))
    if request.method == "POST" and form.is_valid():
        mapping = form.said()
        for code in problems_of(mapping):
            form.add_error(None, import_words.problem_in_words(code))
        if form.is_valid():
            try:
                check(file=file, mapping=mapping, now=clock.now())
            except SessionFileError as error:
                form.add_error(None, str(error))
            else:
                return redirect("import_check", public_id)
    context = {"form": form, "file": file, "table": table}
    return render(request, "console/import_columns.j2", context, status=UNPROCESSABLE if form.errors else 200)


@room(may=May.RECORD_SESSIONS)
def checked(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """Show what would happen to each row, or what happened."""
    file = access_import(request, public_id)
    if file.state == ImportFile.State.UPLOADED:
        return redirect("import_columns", public_id)
    is_done = file.state == ImportFile.State.DONE
    outcomes: dict[str, int] = file.result["outcomes"]
    names = {} if is_done else _column_names(file)
    context = {
        "file": file,
        "is_done": is_done,
        "is_running": file.state == ImportFile.State.RUNNING,
        "result": file.result,
        "good": sum(outcomes.values()),
        "outcomes": outcomes,
        "problems": [
            (row, import_words.NAMES.get(field, field), names.get(field, ""), sentence)
            for row, field, sentence in file.result["problems"]
        ],
        "patients_only": file.mapping["patients_only"],
        "sample": [] if is_done else rows_of(table_of(file), mapping_of(file))[:SHOWN_ROWS],
        "zone": request.user.clinic.timezone,
    }
    return render(request, "console/import_check.j2", context)


@room(may=May.RECORD_SESSIONS, methods=("POST",))
def run(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """Take in every row that can be stored."""
    file = access_import(request, public_id)
    try:
        take_in(file=file, now=clock.now())
    except ReminderError as error:
        messages.error(request, str(error))
    return redirect("import_check", public_id)


@room(may=May.RECORD_SESSIONS)
def refused(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """Answer with a file of the rows that were not taken in, as they stood, with what is wrong with each."""
    content = refused_rows(access_import(request, public_id))
    if not content:
        raise Http404
    response = HttpResponse(content, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="refused-rows.csv"'
    return response


@room(may=May.RECORD_SESSIONS, methods=("POST",))
def forget(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """Remove the file."""
    access_import(request, public_id).delete()
    messages.success(request, "The file is gone. What was taken in stays.")
    return redirect("import")


def _samples(table: Table, index: int) -> list[str]:
    filled = (cells[index] for _number, cells in table.rows if index < len(cells) and cells[index])
    return [cell[:60] for _count, cell in zip(range(SAMPLES), filled, strict=False)]


def _column_names(file: ImportFile) -> dict[str, str]:
    """Return what the file calls its columns, by our fields."""
    return {field: name for field, name in zip(mapping_of(file).columns, table_of(file).header, strict=False) if field}
