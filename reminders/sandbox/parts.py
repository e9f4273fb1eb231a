"""How many parts a text is billed as."""

from reminders.core.segments import GSM_BASIC, count_segments


def part_count(body: str) -> int:
    """Return the number of parts, the usual one-part text without a walk over its characters."""
    if len(body) <= 160 and GSM_BASIC.issuperset(body):
        return 1
    return count_segments(body).segments
