"""Lengths of time as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminders.core.spans import SpanError, parse_span, say_span


@pytest.mark.parametrize(
    ("words", "minutes"),
    [
        ("90 min", 90),
        ("24 h", 1440),
        ("1 h 30 min", 90),
        ("1.5 h", 90),
        ("1,5 hours", 90),
        ("2 days", 2880),
        ("1 day and 2 h", 1560),
        ("36H", 2160),
    ],
)
def test_people_write_lengths_in_many_ways(words: str, minutes: int) -> None:
    assert parse_span(words) == minutes


@pytest.mark.parametrize("words", ["", "soon", "24", "-1 h", "1 week", "1 h or so", "h"])
def test_what_names_no_length_is_refused(words: str) -> None:
    with pytest.raises(SpanError, match="90 min, 24 h or 2 days"):
        parse_span(words)


@given(st.integers(min_value=0, max_value=30_000))
def test_what_is_said_is_read_back(minutes: int) -> None:
    assert parse_span(say_span(minutes)) == minutes
