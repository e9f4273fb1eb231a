"""`reminders example-csv`: a file to try the import with."""

import csv
import io
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from reminders.management.example_sessions import COLUMNS, example_rows

FEWEST_ROWS = 50
MOST_ROWS = 1500


@click.command("example-csv")
@click.option("--rows", type=click.IntRange(FEWEST_ROWS, MOST_ROWS), default=220, show_default=True, help="Sessions.")
@click.option("--seed", type=int, default=7, show_default=True, help="The same seed makes the same people.")
@click.option(
    "--now", "now_text", metavar="ISO", help="The moment the ends lie before; default: this computer's clock."
)
@click.option("--relative", is_flag=True, help="Write ended_minutes_ago in place of dates: fits any day.")
@click.option("--clinician", default="", metavar="USER", help="Who treated; an external id or user name of the clinic.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Default: standard output.")
def example_csv(
    rows: int, seed: int, now_text: str | None, relative: bool, clinician: str, output: Path | None
) -> None:
    """Write invented sessions that ended within the last 20 hours, nine of them bad on purpose.

    Without --relative the ids hold the time, so that each file brings sessions of its own. Needs no database.
    """
    now = None if relative else _read_now(now_text)
    text = io.StringIO()
    columns = [{"ended_at": "ended_minutes_ago"}.get(name, name) if relative else name for name in COLUMNS]
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(example_rows(rows=rows, seed=seed, now=now, clinician=clinician))
    content = text.getvalue().encode()
    if output is None:
        sys.stdout.buffer.write(content)
        return
    try:
        output.write_bytes(content)
    except OSError as error:
        raise click.ClickException(f"{output} cannot be written: {error.strerror}.") from None
    click.echo(f"{rows} sessions are in {output}.")


def _read_now(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        now = datetime.fromisoformat(text)
    except ValueError:
        now = None
    if now is None or now.tzinfo is None:
        raise click.BadParameter("Write it as 2025-03-04T17:40-06:00, with the offset.", param_hint="--now")
    return now
