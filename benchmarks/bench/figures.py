"""What a run finds: figures with their spread, their goals, and the table of them."""

import json
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.bench.machine import machine_facts

BUSY = " **The machine was doing other work at the same time: what it says of speed is worse than the truth.**"


@dataclass(frozen=True, slots=True)
class Goal:
    """What a figure has to come to, as a person reads it and as a test of the median."""

    text: str
    holds: Callable[[float], bool]


def at_least(value: float, unit: str = "") -> Goal:
    """A goal that is met from `value` up."""
    return Goal(f"≥ {number(value)}{unit}", lambda found: found >= value)


def at_most(value: float, unit: str = "") -> Goal:
    """A goal that is met up to `value`."""
    return Goal(f"≤ {number(value)}{unit}", lambda found: found <= value)


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table. `values` are the repetitions; the median stands for them."""

    scenario: str
    what: str
    values: Sequence[float]
    unit: str
    goal: Goal | None = None
    note: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def verdict(self) -> str:
        """met, not met, or empty where nothing was asked."""
        if self.goal is None:
            return ""
        return "met" if self.goal.holds(self.median) else "not met"

    def as_json(self) -> dict[str, Any]:
        """Return all of it, the goal as its text."""
        return {
            "scenario": self.scenario, "what": self.what, "unit": self.unit, "median": self.median,
            "low": min(self.values), "high": max(self.values), "values": list(self.values),
            "goal": self.goal.text if self.goal else "", "verdict": self.verdict, "note": self.note,
        }  # fmt: skip


@dataclass(slots=True)
class Book:
    """All figures of one run, and what went wrong. Every figure is said as soon as it is known."""

    path: Path
    quick: bool
    figures: list[Figure] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def add(
        self, scenario: str, what: str, values: float | Sequence[float], unit: str, *, goal: Goal | None = None,
        note: str = "",
    ) -> None:  # fmt: skip
        """Keep one figure; a single number is one repetition."""
        listed = [float(values)] if isinstance(values, (int, float)) else [float(value) for value in values]
        figure = Figure(scenario, what, listed, unit, goal, note)
        self.figures.append(figure)
        print(f"  {what}: {spread(figure.as_json())} {unit}  {figure.verdict}", flush=True)

    def median(self, scenario: str, what: str) -> float | None:
        """Return what a figure came to, or None where it was not found in this run."""
        found = [one for one in self.figures if one.scenario == scenario and one.what == what]
        return found[-1].median if found else None

    def write(self) -> dict[str, Any]:
        """Write everything as JSON, whole or not at all, and return it."""
        whole = {
            "machine": machine_facts(), "quick": self.quick, "figures": [one.as_json() for one in self.figures],
            "failures": self.failures, "seconds": self.seconds,
        }  # fmt: skip
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_name(f"{self.path.name}.new")
        fresh.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        fresh.replace(self.path)
        return whole


def number(value: float) -> str:
    """Return a figure as a person reads it: three digits that count, thousands set apart."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def spread(figure: dict[str, Any]) -> str:
    """Return the median, and the least and the most where there was more than one repetition."""
    if len(figure["values"]) == 1:
        return number(figure["median"])
    return f"{number(figure['median'])} ({number(figure['low'])} .. {number(figure['high'])})"


def table(whole: dict[str, Any]) -> str:
    """Return the run as Markdown: where it was measured, then one table."""
    facts = whole["machine"]
    lines = [
        f"Measured {facts['date']} at `{facts['commit']}` on {facts['cores']} cores ({facts['cpu']}, "
        f"{facts['memory_gib']} GiB), Python {facts['python']}, PostgreSQL {facts['postgres']}; "
        f"load of the machine before the run: {facts['load']}."
        + (BUSY if float(facts["load"]) > facts["cores"] / 4 else "")
        + (" A short form (`--quick`): small numbers, for a look." if whole["quick"] else ""),
        "",
        "| scenario | what | median (least .. most) | unit | goal | |",
        "| --- | --- | ---: | --- | --- | --- |",
    ]
    order = list(dict.fromkeys(one["scenario"] for one in whole["figures"]))
    for one in sorted(whole["figures"], key=lambda one: order.index(one["scenario"])):
        what = f"{one['what']}: {one['note']}" if one["note"] else one["what"]
        lines.append(
            f"| {one['scenario']} | {what} | {spread(one)} | {one['unit']} | {one['goal']} | {one['verdict']} |"
        )
    if whole["failures"]:
        lines += ["", "Not measured in this run:", ""]
        lines += [f"- {name}: {why}" for name, why in whole["failures"].items()]
    return "\n".join(lines) + "\n"


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which `share` of all lie (nearest rank); values must not be empty."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -int(-share * len(ordered) // 1) - 1))]
