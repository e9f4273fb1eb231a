"""`python -m benchmarks.bench.document`: put the newest measurements into docs/benchmarks.md."""

import json
import sys
from pathlib import Path

from benchmarks.bench.figures import table
from reminders.config import BASE_DIR

PAGE = BASE_DIR / "docs" / "benchmarks.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


def renewed(page: str, measured: str) -> str:
    """Return the page with what stands between its two marks replaced. Raises ValueError where a mark is missing."""
    head, begin, rest = page.partition(BEGIN)
    _old, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"docs/benchmarks.md has lost its marks {BEGIN} and {END}.")
    return f"{head}{begin}\n{measured}{end}{tail}"


def main() -> None:
    """Read build/bench.json, or the file that is named, and renew the page."""
    source = Path(sys.argv[1]) if len(sys.argv) > 1 else BASE_DIR / "build" / "bench.json"
    whole = json.loads(source.read_text(encoding="utf-8"))
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8"), table(whole)), encoding="utf-8")
    print(f"{PAGE.relative_to(BASE_DIR)} has the {len(whole['figures'])} figures of {whole['machine']['date']} now.")


if __name__ == "__main__":
    main()
