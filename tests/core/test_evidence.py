"""How often evidence is looked for."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from reminders.core.evidence import FIRST_LOOK_AFTER, LONGEST_BETWEEN_LOOKS, next_look_in

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
DEADLINES = (15 * MINUTE, 60 * MINUTE)


def looks() -> Iterator[timedelta]:
    """The moments of the looks, from the moment nobody knew."""
    at = timedelta()
    while at <= DEADLINES[-1]:
        yield at
        at += next_look_in(unknown_for=at, deadlines=DEADLINES)


def test_the_looks_of_a_text_that_is_never_found() -> None:
    seconds = [look / SECOND for look in looks()]

    assert seconds[:9] == [0, 5, 10, 20, 40, 80, 160, 280, 400]
    assert 15 * 60 in seconds
    assert seconds[-1] == 60 * 60
    assert max(later - earlier for earlier, later in pairwise(seconds)) == 120
    assert len(seconds) < 45


@given(st.timedeltas(min_value=timedelta(), max_value=timedelta(days=400)))
def test_the_next_look_is_neither_at_once_nor_far_away(unknown_for: timedelta) -> None:
    wait = next_look_in(unknown_for=unknown_for, deadlines=DEADLINES)

    assert timedelta() < wait <= LONGEST_BETWEEN_LOOKS
    assert wait >= FIRST_LOOK_AFTER or unknown_for + wait in DEADLINES
