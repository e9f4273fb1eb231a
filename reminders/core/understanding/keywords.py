"""Keywords that stand alone: STOP, START, HELP and their kin, in any case, with any punctuation or spaces."""

from reminders.core.understanding.reading import Intent
from reminders.core.understanding.spelling import distance
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
# Alone in a reply these end the texts as well; beside anything else they are only words.
_ALSO_ALONE = frozenset(
    {"pare", "paren", "parenle", "parele", "detener", "detenganse", "suspender", "desuscribir", "remover", "eliminar"}
    | {"bloquear", "block", "mute", "remove", "unsub", "finalizar", "basta"}
)
# What may stand beside a keyword that names nothing else: "how do I stop this", "stop ya", "wrong number stop".
_NAMES_NOTHING = frozenset(
    {"how", "what", "whats", "way", "word", "i", "do", "to", "it", "now", "already", "just", "all", "this", "these"}
    | {"those", "with", "the", "wrong", "number", "go", "away", "them", "everything", "asap", "sir", "guys", "yall"}
    | {"ya", "esto", "estos", "eso", "todo", "como", "le", "hago", "la", "el", "lo", "de", "a", "que", "pongo"}
    | {"solicito", "quiero", "deseo", "numero", "equivocado", "porfa", "porfavor", "porfis", "plz", "pls", "said"}
)
_ASKS_HOW = frozenset({"how", "what", "whats", "como", "que"})
# These are said of appointments too, so only what means the texts may stand beside them.
_OF_APPOINTMENTS = frozenset({"cancel", "cancelar", "end"})
_MEANS_ALL = frozenset({"this", "all", "these", "everything", "esto", "estos", "todo", "now", "ya", "porfa", "pls"})
# Real words one letter from a keyword.
_OTHER_WORDS = frozenset(
    {"step", "shop", "top", "atop", "stoop", "quite", "quiet", "quilt", "suit", "salto", "auto", "bajo", "caja", "paja"}
    | {"parir", "pagar", "pasar", "baja", "slop", "crop", "drop", "soto", "alta", "altos", "plot", "spot", "suits"}
    | {"cancer", "canceled", "invoke", "evoke", "quits", "cuit", "gato", "pato", "rato", "bata", "vaca", "bala", "faja"}
)
_LONGEST, _SHORTEST = 32, 4
_LONG = 8  # letters, from which two may be wrong


def keyword_intent(tokens: list[Token]) -> Intent | None:
    """Return the intent of a reply that is nothing but a keyword, with or without a number and politeness."""
    words = [token.norm for token in tokens if token.kind == "word" and token.norm not in _POLITE]
    joined = "".join(words)
    if not joined or len(joined) > _LONGEST:
        return None
    has_number = any(token.kind == "number" for token in tokens)
    for intent, keywords in _KEYWORDS.items():
        if intent is not Intent.OPT_OUT and has_number:
            continue
        for keyword in keywords:
            if joined == keyword or (set(words) == {keyword}):
                return intent
    return Intent.OPT_OUT if _ends_texts(words, joined) else None


def _ends_texts(words: list[str], joined: str) -> bool:
    """Tell whether a reply of a few words is STOP or its kin, misspelt or beside words that name nothing else."""
    ends = _KEYWORDS[Intent.OPT_OUT]
    if _squeezed(joined) in ends or (len(words) == 1 and (joined in _ALSO_ALONE or _is_scrambled(joined))):
        return True
    named = [word for word in words if word in ends]
    beside = set(words) - set(named)
    if len(set(named)) != 1 or not beside:
        return False
    if named[0] in _OF_APPOINTMENTS:
        return beside <= _MEANS_ALL
    is_statement = "do" not in beside or not beside.isdisjoint(_ASKS_HOW)  # "do I stop" may be about an exercise
    return beside <= _NAMES_NOTHING and is_statement


def _squeezed(word: str) -> str:
    """Return the word with each doubled letter once: "altoo" is "alto"."""
    return "".join(letter for at, letter in enumerate(word) if letter != word[at - 1 : at])


def _is_scrambled(word: str) -> bool:
    """Tell whether the word is a keyword with a letter wrong, swapped, dropped or doubled, and no word of its own."""
    if word in _OTHER_WORDS or word in {"tops", "pots", "post", "opts"}:
        return False
    return any(
        len(keyword) >= _SHORTEST
        and (word[0] == keyword[0] or sorted(word) == sorted(keyword))
        and distance(word, keyword) <= (2 if len(keyword) >= _LONG else 1)
        for keyword in _KEYWORDS[Intent.OPT_OUT]
    )
