"""Waiting for what other processes do."""

import time
from collections.abc import Callable


def eventually(holds: Callable[[], bool], *, what: str, seconds: float = 30) -> None:
    """Return once `holds` does; fail with `what` where it has not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        time.sleep(0.02)
