"""Puts the table of build/chaos.json into docs/chaos.md: `python -m benchmarks.chaos.docs`."""

from pathlib import Path

import click

from benchmarks.chaos.many import RESULTS
from benchmarks.chaos.table import Results, table
from reminders.config import BASE_DIR

PAGE = BASE_DIR / "docs" / "chaos.md"
BEGIN, END = "<!-- begin: the table -->", "<!-- end: the table -->"


@click.command()
@click.option("--results", default=RESULTS, show_default=True, type=click.Path(path_type=Path, exists=True))
def main(results: Path) -> None:
    """Replace what stands between the two marks by the table and how it came about."""
    found = Results.read(results)
    seeds = ", ".join(str(storm.seed) for storm in found.storms)
    seconds = sorted(storm.seconds for storm in found.storms)
    broken = sum(storm.is_broken for storm in found.storms)
    sentence = (
        f"Seeds: {seeds}. At least {found.storms[0].messages:,} texts each; {seconds[0]:.0f} to {seconds[-1]:.0f} s. "
        + (f"{broken} of {len(found.storms)} broke a promise." if broken else "No promise was broken.")
    )
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    if not after:
        raise click.ClickException(f"{PAGE} lacks the marks {BEGIN} and {END}.")
    PAGE.write_text("\n".join([before + BEGIN, sentence, "", *table(found), END + after]), encoding="utf-8")


if __name__ == "__main__":
    main()
