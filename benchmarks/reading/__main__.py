"""How well replies are read: `python -m benchmarks.reading` prints it, and fails where a goal is missed.

The locked part and the benign messages are counted, never shown. `--misses` shows what is misread of the part that is
there to build on.
"""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from benchmarks.reading.cases import FOLDER, LANGUAGES, Case, read_cases
from benchmarks.reading.measures import (
    BENIGN_FALSE_ALARMS,
    MEASURES,
    Measure,
    Read,
    Share,
    confusion,
    flag_recall,
)
from reminders.core.understanding import Flag, Intent, read


@click.command()
@click.option("--misses", is_flag=True, help="Show what is misread of the part to build on.")
@click.option("--folder", default=FOLDER, show_default=True, type=click.Path(path_type=Path, exists=True))
def main(misses: bool, folder: Path) -> None:
    """Print recall, precision, false alarms and confusion with 95 % intervals; exit code 1 where a goal is missed."""
    console = Console(width=120)
    read("warm up")
    locked, signs, ordinary, benign = (
        _read_all(read_cases(folder / f"{name}.tsv")) for name in ("locked", "develop", "ordinary", "benign")
    )
    develop = [*signs, *ordinary]
    console.print(_table("Locked: only measured", locked))
    console.print(_table("To build on", develop))
    console.print(_confusion(locked))
    console.print(_flags(locked))
    benign_share = BENIGN_FALSE_ALARMS.count(benign)
    console.print(f"{BENIGN_FALSE_ALARMS.name}: {_words(benign_share)} of {benign_share.of}")
    console.print(_pace([*locked, *develop, *benign]))
    if misses:
        _show(console, develop)
    missed = [_said(one, share) for one in MEASURES if not one.is_met(share := one.count(locked))]
    if not BENIGN_FALSE_ALARMS.is_met(benign_share):
        missed.append(_said(BENIGN_FALSE_ALARMS, benign_share))
    for line in missed:
        console.print(f"Missed: {line}", style="red")
    sys.exit(1 if missed else 0)


def _read_all(cases: Sequence[Case]) -> list[Read]:
    return [Read(case, read(case.text)) for case in cases]


def _table(title: str, reads: Sequence[Read]) -> Table:
    table = Table(title=f"{title} ({len(reads)} replies)", title_justify="left")
    columns = {"all": list(reads)}
    columns |= {name: [one for one in reads if one.case.language == name] for name in LANGUAGES}
    columns["hard"] = [one for one in reads if one.case.kind == "hard"]
    table.add_column("")
    table.add_column("goal", justify="right")
    for name, part in columns.items():
        table.add_column(f"{name} ({len(part)})", justify="right")
    for measure in MEASURES:
        table.add_row(measure.name, _goal(measure), *(_words(measure.count(part)) for part in columns.values()))
    return table


def _confusion(reads: Sequence[Read]) -> Table:
    table = Table(title="Locked: is (down), read as (across)", title_justify="left")
    table.add_column("")
    for intent in Intent:
        table.add_column(str(intent), justify="right")
    counts = confusion(reads)
    for intent in Intent:
        table.add_row(str(intent), *(str(counts[intent, other] or "") for other in Intent))
    return table


def _flags(reads: Sequence[Read]) -> Table:
    table = Table(title="Locked: danger signs found, by flag", title_justify="left")
    table.add_column("")
    table.add_column("found", justify="right")
    table.add_column("of", justify="right")
    for flag in Flag:
        share = flag_recall(flag, reads)
        table.add_row(str(flag), _words(share), str(share.of))
    return table


def _pace(reads: Sequence[Read]) -> str:
    began = time.process_time()
    for one in reads:
        read(one.case.text)
    return f"{(time.process_time() - began) * 1000 / len(reads):.3f} ms of a core for each of {len(reads)} replies"


def _show(console: Console, reads: Sequence[Read]) -> None:
    for one in reads:
        case, reading = one.case, one.reading
        if (case.intent, case.score, case.flags) != (reading.intent, reading.score, reading.flags):
            console.print(f"{case.intent} {case.score} {sorted(case.flags)}, read as", end=" ", markup=False)
            console.print(f"{reading.intent} {reading.score} {sorted(reading.flags)}: {case.text!r}", markup=False)


def _goal(measure: Measure) -> str:
    if measure.least is not None:
        return f">= {measure.least:.1%}"
    return f"<= {measure.most:.1%}" if measure.most is not None else ""


def _words(share: Share) -> str:
    if not share.of:
        return ""
    low, high = share.interval()
    return f"{share.value:.1%} ({low:.1%}-{high:.1%})"


def _said(measure: Measure, share: Share) -> str:
    return f"{measure.name}: {_words(share)}, the goal is {_goal(measure)}"


if __name__ == "__main__":
    main()
