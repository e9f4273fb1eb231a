"""Guesses the language of a reply, so that the answer comes in it."""

from reminders.core.understanding.lexicon import Lexicon
from reminders.core.understanding.text import Token

_BOTH = frozenset({"no", "me", "a", "si", "como"})


def guess_language(tokens: list[Token], lexicon: Lexicon) -> str:
    """Return "en" or "es", whichever has more of its common words here; "" where neither has any or both as many."""
    words = [token.norm for token in tokens if token.kind == "word" and token.norm not in _BOTH]
    english = sum(word in lexicon.words("english") for word in words)
    spanish = sum(word in lexicon.words("spanish") for word in words)
    if english == spanish:
        return ""
    return "en" if english > spanish else "es"
