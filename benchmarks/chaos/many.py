"""One storm per seed, each on a stack of its own: `python -m benchmarks.chaos.many --seeds 1-20 --messages 2000`.

Keeps everything in build/chaos.json after each seed, so that what is stopped half-way has told what it knows. Exit
code: 0 where every promise held for every seed, 1 otherwise.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click

from benchmarks.chaos.table import Results, Storm, print_table

RESULTS = Path("build/chaos.json")
STORM, NAIVE = "benchmarks.chaos", "benchmarks.chaos.naive"


@click.command()
@click.option("--seeds", default="1-3", show_default=True, help="As 1-20, or 3,5,8.")
@click.option("--messages", default=2000, show_default=True, help="Texts of each seed.")
@click.option("--faults", default="all", show_default=True, help="Names separated by commas.")
@click.option("--window", default=60.0, show_default=True, help="Seconds over which they become due.")
@click.option("--naive/--no-naive", default=True, show_default=True, help="The naive way too, for contrast.")
@click.option("--results", default=RESULTS, show_default=True, type=click.Path(path_type=Path, dir_okay=False))
def main(seeds: str, messages: int, faults: str, window: float, naive: bool, results: Path) -> None:
    """Run one storm after the other, and print what all of them came to."""
    numbers = _numbers(seeds)
    found = Results()
    failed: list[int] = []
    if naive:
        found.naive = _run(NAIVE, "--seed", str(numbers[0]))
        found.write(results)
    for seed in numbers:
        began = time.monotonic()
        words = ("--messages", str(messages), "--faults", faults, "--window", str(window))
        storm = _run(STORM, "--seed", str(seed), *words)
        if storm is None:
            failed.append(seed)
            click.echo(f"Seed {seed} could not be done.")
            continue
        found.storms.append(storm)
        found.write(results)
        verdict = "broken" if storm.is_broken else "held"
        click.echo(f"Seed {seed}: every promise {verdict}, {time.monotonic() - began:.0f} s")
        for line in storm.oddities:
            click.echo(f"  {line}")
    print_table(found)
    broken = any(storm.is_broken for storm in found.storms)
    sys.exit(1 if broken or failed else 0)


def _run(module: str, *words: str) -> Storm | None:
    """Run one storm in a process of its own; return what it came to, or None where it came to nothing."""
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder) / "storm.json"
        command = [sys.executable, "-m", module, *words, "--json", str(kept)]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if kept.exists():
            return Storm.read(kept)
    click.echo((result.stdout + result.stderr)[-2000:])
    return None


def _numbers(seeds: str) -> list[int]:
    numbers: list[int] = []
    for part in seeds.split(","):
        first, _, last = part.partition("-")
        numbers += range(int(first), int(last or first) + 1)
    return numbers


if __name__ == "__main__":
    main()
