"""Numbers and lengths of time as people say them."""


def many(count: int, one: str, several: str = "") -> str:
    """Return a number with its noun: 1 text, 12 texts."""
    return f"{count} {one if count == 1 else several or one + 's'}"


def ago(seconds: float) -> str:
    """Return how long ago something was."""
    return f"{span(seconds)} ago"


def span(seconds: float) -> str:
    """Return a length of time as people say it: 40 s, 7 min, 3 h 20 min, 2 days."""
    minutes = round(seconds / 60)
    if seconds < 100:
        return f"{seconds:.0f} s"
    if minutes < 100:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes // (24 * 60)} days"
