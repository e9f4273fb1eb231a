"""Reads one patient reply, English or Spanish, without a model, a network or a history.

The definitions it follows are those of the documentation of replies: eight intents in order of precedence, a score,
and ten flags. The words it knows are data, in `lexicon/*.toml`.
"""

from reminders.core.understanding.deciding import read
from reminders.core.understanding.reading import Because, Flag, Intent, Reading

__all__ = ["Because", "Flag", "Intent", "Reading", "read"]
