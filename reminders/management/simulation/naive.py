"""The rule that the product is compared with: the first number in a text counts, and 4 or more means a call."""

import re
from typing import Final

CALLS_FROM: Final = 4
_NUMBER: Final = re.compile(r"\d+")


def naive_score(body: str) -> int | None:
    """Return the first number of 0 to 10 in a text, whatever stands around it, or None."""
    return next((number for found in _NUMBER.findall(body) if (number := int(found)) <= 10), None)


def naive_calls(body: str) -> bool:
    """Tell whether the rule would have somebody call."""
    score = naive_score(body)
    return score is not None and score >= CALLS_FROM
