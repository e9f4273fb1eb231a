"""`reminders import-sessions`: treatment sessions from a CSV file."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from reminders.clinic.session_files import (
    Refusal,
    SessionFile,
    SessionFileError,
    read_session_file,
    refusals_path,
    write_refusals,
)
from reminders.management.django_setup import set_up_django

if TYPE_CHECKING:
    from reminders.messaging.session_import import Tally

SHOWN_REFUSALS: Final = 50


@click.command("import-sessions")
@click.argument("source", metavar="FILE.csv", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--clinic", "slug", metavar="SLUG", help="Whose sessions these are; not needed where there is one clinic."
)
@click.option("--dry-run", is_flag=True, help="Check every row and store nothing.")
@click.option(
    "--rejects", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
    help="Where to write refused rows; default: FILE.rejected.csv (none in a dry run).",
)  # fmt: skip
def import_sessions(source: Path, slug: str | None, dry_run: bool, rejects: Path | None) -> None:
    """Take in treatment sessions from a CSV file; docs/importing.md describes its columns.

    Each row is stored by itself, and a row that was stored before changes nothing. Refused rows are listed and written
    to a file of their own, to be corrected there and imported again.

    Exit code: 0 where every row was taken, 1 where some were refused, 2 where the file could not be imported at all.
    """
    try:
        file = read_session_file(source.read_bytes())
        tally = _import(file, slug=slug, dry_run=dry_run)
        if tally.refusals:
            _show_refusals(tally.refusals)
            target = rejects or (None if dry_run else refusals_path(source))
            if target is not None:
                write_refusals(path=target, file=file, refusals=tally.refusals)
                click.echo(
                    f"Refused rows are in {target}: correct them there and import that file. "
                    "It holds patients' details; only you can read it, delete it when you are done."
                )
    except SessionFileError as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    except OSError as error:
        click.echo(f"A file cannot be read or written: {error.strerror}.", err=True)
        sys.exit(2)
    if file.note:
        click.echo(file.note)
    click.echo(_totals(tally, rows=len(file.rows), dry_run=dry_run))
    sys.exit(1 if tally.refusals else 0)


def _import(file: SessionFile, *, slug: str | None, dry_run: bool) -> "Tally":
    set_up_django()
    from django.db import OperationalError, ProgrammingError

    from reminders.management.choose_clinic import choose_clinic
    from reminders.messaging.session_import import import_rows

    try:
        clinic = choose_clinic(slug)
    except ProgrammingError:
        raise SessionFileError(
            "The database has no tables yet: run `reminders manage migrate`, or `reminders up` once."
        ) from None
    except OperationalError:
        raise SessionFileError("The database does not answer: check DATABASE_URL, and whether it runs.") from None
    with _progress_bar(len(file.rows)) as advance:
        return import_rows(clinic=clinic, rows=file.rows, dry_run=dry_run, progress=advance)


@contextmanager
def _progress_bar(rows: int) -> Iterator[Callable[[], None]]:
    """Show a bar on a terminal and nothing elsewhere; calling what this yields moves it by one row."""
    console = Console(stderr=True)
    columns = (TextColumn("Importing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("Importing", total=rows)
        yield lambda: progress.advance(task)


def _show_refusals(refusals: Sequence[Refusal]) -> None:
    table = Table("Row", "Field", "Reason", title=f"{len(refusals)} refused", title_justify="left")
    problems = [(refusal.row.number, problem) for refusal in refusals for problem in refusal.problems]
    for number, problem in problems[:SHOWN_REFUSALS]:
        # As Text: square brackets in a field's name are no markup.
        table.add_row(str(number), Text(problem.field), Text(problem.sentence))
    console = Console(width=None if sys.stdout.isatty() else 160)
    console.print(table)
    if len(problems) > SHOWN_REFUSALS:
        console.print(f"... and {len(problems) - SHOWN_REFUSALS} more.")


def _totals(tally: "Tally", *, rows: int, dry_run: bool) -> str:
    counts = ", ".join(f"{number} {outcome}" for outcome, number in tally.outcomes.items())
    prefix = "Dry run, nothing was stored. " if dry_run else ""
    return f"{prefix}{rows} rows: {counts}, {len(tally.refusals)} rejected."
