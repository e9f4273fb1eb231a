"""Bars drawn on the server: a label above each, its figure at the end, and the interval it may lie in."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

WIDTH: Final = 360
"""In units of the drawing, which the page scales to its width."""
ROW: Final = 44
SECOND: Final = 24
LONGEST_LABEL: Final = 26


@dataclass(frozen=True, slots=True)
class Figure:
    """One bar to be: its value in the chart's unit, None where nothing was counted, and how it is said."""

    value: float | None
    said: str
    low: float | None = None
    high: float | None = None
    is_few: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of the drawing. `second` is a thinner bar below, of the same unit."""

    label: str
    first: Figure
    second: Figure | None
    y: int
    width: float
    second_width: float
    low_x: float | None
    high_x: float | None


@dataclass(frozen=True, slots=True)
class Chart:
    """What the page draws. `band` is where published figures lie: from and to, in units of the drawing."""

    title: str
    bars: list[Bar]
    height: int
    band: tuple[float, float] | None = None
    width: int = WIDTH


def chart_of(
    *,
    title: str,
    rows: Sequence[tuple[str, Figure, Figure | None]],
    most: float | None = None,
    band: tuple[float, float] | None = None,
) -> Chart:
    """Return the drawing of these rows; `most` is the right end of the axis, else the longest thing drawn is."""
    figures = [one for _, first, second in rows for one in (first, second) if one is not None]
    reach = most or max(
        [one.high or one.value or 0.0 for one in figures] + [one.value or 0.0 for one in figures] + list(band or ()),
        default=0.0,
    )

    def x(value: float | None) -> float:
        return round(WIDTH * min(value or 0.0, reach) / reach, 1) if reach else 0.0

    step = ROW + (SECOND if any(second for _, _, second in rows) else 0)
    bars = [
        Bar(
            label=label if len(label) <= LONGEST_LABEL else f"{label[: LONGEST_LABEL - 1]}…",
            first=first,
            second=second,
            y=number * step,
            width=x(first.value),
            second_width=x(second.value) if second else 0.0,
            low_x=None if first.low is None else x(first.low),
            high_x=None if first.high is None else x(first.high),
        )
        for number, (label, first, second) in enumerate(rows)
    ]
    return Chart(title=title, bars=bars, height=step * len(rows), band=(x(band[0]), x(band[1])) if band else None)
