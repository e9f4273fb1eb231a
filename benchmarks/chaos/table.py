"""The table of one storm or of many, on the screen, in a file, and in the docs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar

import click


@dataclass(slots=True)
class Row:
    """What one wave came to. The names are the columns of the table."""

    texts: int = 0
    sent: int = 0
    dropped: int = 0
    lost: int = 0
    doubled: int = 0
    early: int = 0
    at_night: int = 0
    stale: int = 0
    after_stop: int = 0
    missed: int = 0
    wrong: int = 0
    under_way: int = 0
    again: int = 0
    unresolved: int = 0
    healed: int = 0
    heal_seconds: float = 0.0

    BROKEN: ClassVar = ("lost", "doubled", "early", "at_night", "stale", "after_stop", "missed", "wrong")

    @property
    def is_broken(self) -> bool:
        """True where a promise was."""
        return any(getattr(self, name) for name in self.BROKEN)

    def add(self, other: "Row") -> None:
        """Count another wave in; of the times, the longest stands."""
        for column in fields(self):
            mine, theirs = getattr(self, column.name), getattr(other, column.name)
            setattr(self, column.name, max(mine, theirs) if column.name == "heal_seconds" else mine + theirs)


@dataclass(slots=True)
class Storm:
    """What one seed came to. `counted`: the columns that mean something for it, where not all do."""

    seed: int
    messages: int
    seconds: float
    rows: dict[str, Row]
    oddities: list[str]
    counted: list[str] = field(default_factory=lambda: [column.name for column in fields(Row)])

    @property
    def is_broken(self) -> bool:
        """True where a promise was."""
        return any(row.is_broken for row in self.rows.values())

    @property
    def total(self) -> Row:
        """All rows in one."""
        total = Row()
        for row in self.rows.values():
            total.add(row)
        return total

    def write(self, path: Path) -> None:
        """Keep it as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> "Storm":
        """Return what `write` has kept."""
        return _storm(json.loads(path.read_text(encoding="utf-8")))


@dataclass(slots=True)
class Results:
    """All storms of a run, and the naive way through the same faults."""

    storms: list[Storm] = field(default_factory=list)
    naive: Storm | None = None

    def write(self, path: Path) -> None:
        """Keep it as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> "Results":
        """Return what `write` has kept."""
        found = json.loads(path.read_text(encoding="utf-8"))
        return cls([_storm(one) for one in found["storms"]], _storm(found["naive"]) if found["naive"] else None)


def _storm(value: Mapping[str, Any]) -> Storm:
    return Storm(**{**value, "rows": {name: Row(**row) for name, row in value["rows"].items()}})


def table(results: Results) -> list[str]:
    """Return the lines of a Markdown table: each fault's waves over all storms, their sum, and the naive way's."""
    rows: dict[str, Row] = {}
    for storm in results.storms:
        for name, row in storm.rows.items():
            rows.setdefault(name, Row()).add(row)
    total = Row()
    for row in rows.values():
        total.add(row)
    columns = [column.name for column in fields(Row)]
    lines = [
        "| fault | " + " | ".join(name.replace("_", " ") for name in columns) + " |",
        "| --- |" + " ---: |" * len(columns),
        *(_line(name, row, columns) for name, row in sorted(rows.items())),
    ]
    if results.storms:
        lines.append(_line("all", total, columns))
    if results.naive is not None:
        lines.append(_line("*the naive way*", results.naive.total, results.naive.counted))
    return lines


def _line(name: str, row: Row, counted: Sequence[str]) -> str:
    cells = (f"{getattr(row, column.name):.0f}" if column.name in counted else "" for column in fields(Row))
    return f"| {name} | " + " | ".join(cells) + " |"


def print_table(results: Results) -> None:
    """Print the table with its seeds."""
    if results.storms:
        seeds = ", ".join(str(storm.seed) for storm in results.storms)
        seconds = sum(storm.seconds for storm in results.storms)
        click.echo(f"\nSeed {seeds}: {sum(storm.messages for storm in results.storms)} texts, {seconds:.0f} s")
    for line in table(results):
        click.echo(line)
