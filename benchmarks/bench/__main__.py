"""`python -m benchmarks.bench`: measure, print each figure with its goal, write build/bench.json.

Exit code: 0 where everything was measured, 1 where a scenario failed. A goal that is not met is a figure, no failure.
"""

import shutil
import signal
import sys
import time
import traceback
from contextlib import ExitStack
from pathlib import Path

import click

from benchmarks.bench import figures
from benchmarks.bench.carrier import build_stub, running_stub
from benchmarks.bench.figures import Book
from benchmarks.bench.machine import machine_facts
from benchmarks.bench.run import Run
from reminders.config import BASE_DIR


@click.command()
@click.option("--only", default="", help="Scenarios, separated by commas; the beginning of a name is enough.")
@click.option("--quick", is_flag=True, help="Small numbers, one repetition: a look in a few minutes.")
@click.option("--list", "is_list", is_flag=True, help="Name the scenarios and stop.")
@click.option("--output", type=click.Path(path_type=Path), default=BASE_DIR / "build" / "bench.json", show_default=True)
@click.option("--data-dir", type=click.Path(path_type=Path), default=BASE_DIR / "build" / "bench", show_default=True)
@click.option("--trace", is_flag=True, help="Show where a failed scenario failed.")
def main(only: str, quick: bool, is_list: bool, output: Path, data_dir: Path, trace: bool) -> None:
    """Measure the engine beside its peers and beside the limit."""
    from benchmarks.bench.scenarios import BARE, ENGINE

    if is_list:
        for name, scenario in (BARE | ENGINE).items():
            click.echo(f"{name:<16} {(scenario.__doc__ or '').strip().splitlines()[0]}")
        return
    wished = [name.strip() for name in only.split(",") if name.strip()]
    unknown = [name for name in wished if not any(known.startswith(name) for known in BARE | ENGINE)]
    if unknown:
        raise click.BadParameter(f"unknown: {', '.join(unknown)}; --list names them", param_hint="--only")
    machine_facts()
    # Asked to end, it ends as after Ctrl-C: what it has started must not stay.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(1))
    book = Book(output, quick)
    with running_stub(build_stub(data_dir / "stub")) as stub, ExitStack() as afterwards:
        run = Run(book=book, stub=stub, folder=data_dir, quick=quick)
        # Millions of rows are gigabytes; the logs stay.
        afterwards.callback(shutil.rmtree, data_dir / "engine" / "postgres", ignore_errors=True)
        afterwards.callback(run.stop)
        for name, scenario in (BARE | ENGINE).items():
            if wished and not any(name.startswith(wish) for wish in wished):
                continue
            click.echo(f"{name}: {(scenario.__doc__ or '').strip().splitlines()[0]}")
            began = time.monotonic()
            try:
                if name in ENGINE and run.engine_now is None:
                    run.start()
                scenario(run)
            except Exception as error:  # noqa: BLE001  # one broken scenario must not lose what the others found
                book.failures[name] = f"{type(error).__name__}: {error}"[:300].replace("\n", " ")
                click.echo(f"  failed: {book.failures[name]}")
                if trace:
                    traceback.print_exc()
            book.seconds[name] = round(time.monotonic() - began, 1)
            book.write()
    click.echo("\n" + figures.table(book.write()))
    sys.exit(1 if book.failures else 0)


if __name__ == "__main__":
    main()
