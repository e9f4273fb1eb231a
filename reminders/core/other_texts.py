"""Recognises texts that are no answer at all: the wrong person's, and those that machines write.

The words are data, in `other_texts.toml`. A text that holds an answer about soreness is never one of these: in doubt it
is read as an answer, and a person sees it.
"""

import re
import tomllib
import unicodedata
from collections.abc import Collection, Iterable
from functools import cache
from importlib import resources

from reminders.core.understanding import Intent, Reading

_APOSTROPHES = re.compile("['\u2019\u02bc`]")
_MARKS = re.compile(r"[\W_]+")
_NO_ANSWER = frozenset({Intent.UNCLEAR, Intent.QUESTION, Intent.HELP})
# Whoever is not the patient may be well, want out, or be in danger all the same.
_STRANGERS = _NO_ANSWER | {Intent.RESOLVED, Intent.OPT_OUT, Intent.RED_FLAG}


def says_wrong_number(*, text: str, reading: Reading, names: Iterable[str]) -> bool:
    """Tell whether somebody else has the phone, by their own words.

    `names` are those on file for the phone: "I'm not Maria" counts only where a Maria is. Asking who writes does not.
    """
    if reading.score is not None or reading.intent not in _STRANGERS:
        return False
    said, words = _plain(text), _words()["wrong_number"]
    if _says(said, words["not_where"]):
        return False
    known = [plain for name in names if (plain := _plain(name).strip())]
    named = [phrase.format(name=name) for phrase in words["names_somebody"] for name in known]
    return _says(said, words["says"]) or _says(said, named)


def is_from_machine(*, text: str, reading: Reading) -> bool:
    """Tell whether a machine answered in its owner's place, or the owner said no more than "not now"."""
    if reading.score is not None or reading.intent not in _NO_ANSWER:
        return False
    said = _plain(text)
    is_busy = reading.intent is Intent.UNCLEAR and _says(said, _words()["busy"]["says"])
    return is_busy or _says(said, _words()["machine"]["says"])


def _says(said: str, phrases: Collection[str]) -> bool:
    return any(f" {phrase} " in said for phrase in phrases)


def _plain(text: str) -> str:
    """Return the words alone, lower case, without accents and apostrophes, with a space on either side."""
    folded = unicodedata.normalize("NFKD", _APOSTROPHES.sub("", text)).casefold()
    letters = "".join(letter for letter in folded if not unicodedata.combining(letter))
    return f" {_MARKS.sub(' ', letters).strip()} "


@cache
def _words() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads(resources.files("reminders.core").joinpath("other_texts.toml").read_text("utf-8"))
