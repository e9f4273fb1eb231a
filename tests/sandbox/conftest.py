"""A carrier for each test; starting one takes a few milliseconds."""

from collections.abc import Iterator

import pytest

from tests.sandbox.harness import Sandbox, sandbox


@pytest.fixture
def carrier() -> Iterator[Sandbox]:
    """A running carrier whose texts arrive without delay."""
    with sandbox() as one:
        yield one
