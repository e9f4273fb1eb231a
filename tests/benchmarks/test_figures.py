"""What a benchmark says of what it found."""

from pathlib import Path

import pytest

from benchmarks.bench.document import BEGIN, END, PAGE, renewed
from benchmarks.bench.figures import Book, at_least, at_most, percentile, table


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return Book(tmp_path / "bench.json", quick=False)


def test_a_figure_is_the_median_of_its_repetitions_with_their_spread(book: Book) -> None:
    book.add("drain", "ours", [2_000.0, 3_000.0, 2_600.0], "texts/s", goal=at_least(2_500))
    assert "| drain | ours | 2,600 (2,000 .. 3,000) | texts/s | ≥ 2,500 | met |" in table(book.write())


def test_a_goal_that_is_missed_is_said_to_be(book: Book) -> None:
    book.add("lateness", "p99", 1.2, "s", goal=at_most(1.0))
    assert book.figures[0].verdict == "not met"


def test_figures_of_one_scenario_stand_together_in_the_order_of_their_first(book: Book) -> None:
    for scenario, what in (("drain", "others"), ("lateness", "p50"), ("drain", "ours")):
        book.add(scenario, what, 1.0, "")
    named = [
        line.split(" | ")[1] for line in table(book.write()).splitlines() if line.startswith(("| drain", "| late"))
    ]
    assert named == ["others", "ours", "p50"]


def test_a_scenario_that_failed_is_named_below_the_table(book: Book) -> None:
    book.failures["history"] = "BenchError: no room"
    assert "- history: BenchError: no room" in table(book.write())


@pytest.mark.parametrize(("share", "found"), [(0.5, 50), (0.99, 99), (1.0, 100), (0.0, 1)])
def test_a_percentile_is_the_nearest_rank(share: float, found: int) -> None:
    assert percentile(range(100, 0, -1), share) == found


def test_the_page_has_room_for_the_newest_measurements() -> None:
    page = renewed(PAGE.read_text(encoding="utf-8"), "| new |\n")
    assert f"{BEGIN}\n| new |\n{END}" in page
    assert renewed(page, "| newer |\n").count("| new |") == 0


def test_a_page_without_its_marks_is_left_alone() -> None:
    with pytest.raises(ValueError, match="lost its marks"):
        renewed("# Benchmarks\n", "| new |\n")
