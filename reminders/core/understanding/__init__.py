"""Reads one patient reply, English or Spanish, without a model, a network or a history."""

from reminders.core.understanding.reading import Because, Flag, Intent, Reading

__all__ = ["Because", "Flag", "Intent", "Reading", "read"]


def read(text: str) -> Reading:
    """Read one reply. Until the rules are in, every reply goes to a person."""
    del text
    return Reading(intent=Intent.UNCLEAR, score=None, flags=frozenset(), because=(), sure=False, language="")
