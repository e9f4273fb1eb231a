"""Keywords that stand alone: STOP, START, HELP and their kin, in any case, with any punctuation or spaces."""

from reminders.core.understanding.reading import Intent
from reminders.core.understanding.text import Token

# The carrier's and the FCC's English words; the Spanish ones are this product's.
_KEYWORDS = {
    Intent.OPT_OUT: frozenset(
        {"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "optout", "revoke"}
        | {"alto", "parar", "baja", "cancelar"}
    ),
    Intent.OPT_IN: frozenset({"start", "unstop", "subscribe", "optin", "iniciar", "empezar"}),
    Intent.HELP: frozenset({"help", "info", "ayuda"}),
}  # fmt: skip
_POLITE = frozenset({"please", "thanks", "thank", "you", "por", "favor", "gracias", "ok", "emojipray"})


def keyword_intent(tokens: list[Token]) -> Intent | None:
    """Return the intent of a reply that is nothing but a keyword, with or without a number and politeness."""
    words = [token.norm for token in tokens if token.kind == "word" and token.norm not in _POLITE]
    joined = "".join(words)
    if not joined or len(joined) > 24:
        return None
    has_number = any(token.kind == "number" for token in tokens)
    for intent, keywords in _KEYWORDS.items():
        if intent is not Intent.OPT_OUT and has_number:
            continue
        for keyword in keywords:
            if joined == keyword or (set(words) == {keyword}):
                return intent
    if len(words) == 1 and (_is_scrambled(joined) or _squeezed(joined) in _KEYWORDS[Intent.OPT_OUT]):
        return Intent.OPT_OUT
    return None


def _squeezed(word: str) -> str:
    """Return the word with each doubled letter once: "altoo" is "alto"."""
    return "".join(letter for at, letter in enumerate(word) if letter != word[at - 1 : at])


def _is_scrambled(word: str) -> bool:
    """Tell whether the word is STOP or UNSUBSCRIBE with swapped or doubled letters and no word of its own."""
    if word in {"tops", "spot", "pots", "post", "opts"}:
        return False
    return sorted(word) == sorted("stop") or word in {
        "sttop",
        "stoop",
        "stopp",
        "sstop",
        "stoip",
        "stpop",
        "dtop",
        "atop",
    }
