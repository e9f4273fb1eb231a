"""When to look for evidence: often while it is fresh, then less and less, and never without an end."""

from collections.abc import Sequence
from datetime import timedelta

FIRST_LOOK_AFTER = timedelta(seconds=5)
LONGEST_BETWEEN_LOOKS = timedelta(minutes=2)


def next_look_in(*, unknown_for: timedelta, deadlines: Sequence[timedelta]) -> timedelta:
    """Return how long to wait for the next look at what has been unknown for so long.

    Looking when that time has passed looks at 5, 10, 20, 40, 80 seconds and so on, then every 2 minutes. A deadline
    (in the time since it became unknown) that is still ahead is never slept through.
    """
    wait = min(max(unknown_for, FIRST_LOOK_AFTER), LONGEST_BETWEEN_LOOKS)
    return min([wait, *(deadline - unknown_for for deadline in deadlines if deadline > unknown_for)])
