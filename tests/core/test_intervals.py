"""The interval of a share."""

import pytest

from reminders.core.intervals import wilson


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [
        pytest.param(0, 10, 0.0, 0.2775, id="none"),
        pytest.param(10, 10, 0.7225, 1.0, id="all"),
        pytest.param(81, 263, 0.2553, 0.3662, id="the worked example of Newcombe 1998, table I"),
        pytest.param(0, 0, 0.0, 1.0, id="nothing is known of nothing"),
    ],
)
def test_the_interval_is_that_of_wilson(hits: int, of: int, low: float, high: float) -> None:
    assert wilson(hits=hits, of=of) == pytest.approx((low, high), abs=0.0001)


@pytest.mark.parametrize(("hits", "of"), [(2, 1), (-1, 3)])
def test_more_hits_than_cases_are_refused(hits: int, of: int) -> None:
    with pytest.raises(ValueError, match="hits"):
        wilson(hits=hits, of=of)
