"""Turns a reply into plain lower-case tokens that still know where in the original they stand."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

LONGEST = 4_000  # a text of ten parts is 1,600 characters; more is no reply, and its head says what it is

_KEYCAP = "\u20e3"
_PUNCTUATION = {
    "’": "'", "‘": "'", "`": "'", "´": "'", "ʼ": "'", "′": "'", "“": '"', "”": '"', "«": '"', "»": '"',
    "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "―": "-", "−": "-", "→": ">", "➡": ">",
    "…": ".", "¿": " ", "¡": " ", "¼": ".25", "½": ".5", "¾": ".75", "⁄": "/", "º": "°", "˚": "°", "\u2028": "\n",
    "：": ":", "，": ",", "。": ".", "、": ",", "🔟": "10", "💯": " 100 emojihundred ",
}  # fmt: skip
_TOKEN = re.compile(
    r"(?P<ampm>(?<=[\d ])[ap]\.\s?m\b\.?)"
    r"|(?P<mixed>[^\W\d_]+\d[^\W_]*)"
    r"|(?P<number>\d+(?:[.,]\d+)*|(?<![\w.,])\.\d+)"
    r"|(?P<word>[^\W\d_]+(?:'[^\W\d_]+)*'?)"
    r"|(?P<line>\n)"
    r"|(?P<punct>[^\w\s])"
)
_RUN = re.compile(r"([^\W\d_])\1{2,}")


@dataclass(frozen=True, slots=True)
class Token:
    """One word, number or punctuation mark: `norm` is its plain form, `start` and `end` its place in the original."""

    norm: str
    kind: str  # "word", "number" or "punct"
    start: int
    end: int
    glued: bool = False  # stands directly after the token before it, without a space


def tokenise(text: str, emoji: Mapping[str, str]) -> list[Token]:
    """Split a reply into tokens: case, accents, apostrophes, digit forms and emoji are made plain."""
    plain, places = _plain(text[:LONGEST], emoji)
    tokens: list[Token] = []
    last_end = -1
    for found in _TOKEN.finditer(plain):
        kind = found.lastgroup or ""
        first, after = found.span()
        norm = found.group()
        if kind == "ampm":
            norm, kind = norm[0] + "m", "word"
        elif kind in {"mixed", "word"}:
            norm, kind = norm.replace("'", ""), "word"
        elif kind in {"line", "punct"}:
            norm, kind = (".", "punct") if norm == "\n" else (norm, "punct")
            if norm in {".", "!", "?", "-"} and tokens and tokens[-1].norm == norm:
                continue
        if norm == "-" and first == last_end and tokens[-1].kind == "word" and plain[after : after + 1].isalpha():
            continue  # "light-headed" is two words, not a pause
        tokens.append(Token(norm, kind, places[first], places[after - 1] + 1, glued=first == last_end))
        last_end = after
    return tokens


def shorten_runs(word: str, length: int) -> str:
    """Return the word with each letter that is written three or more times in a row kept `length` times."""
    return _RUN.sub(lambda run: run.group(1) * length, word)


def has_runs(word: str) -> bool:
    """Tell whether a letter is written three or more times in a row, as in "sooo"."""
    return _RUN.search(word) is not None


def _plain(text: str, emoji: Mapping[str, str]) -> tuple[str, list[int]]:
    """Return the plain text, and for each of its characters its index in the original."""
    pieces: list[str] = []
    places: list[int] = []
    for index, character in enumerate(text):
        piece = _plain_character(character, emoji)
        pieces.append(piece)
        places.extend([index] * len(piece))
    return "".join(pieces), places


def _plain_character(character: str, emoji: Mapping[str, str]) -> str:
    if character.isascii():
        return "\n" if character == "\r" else character.lower()
    if character in emoji:
        return f" {emoji[character]} "
    if character in _PUNCTUATION:
        return _PUNCTUATION[character]
    digit = unicodedata.digit(character, None)
    if digit is not None:
        return str(digit)
    category = unicodedata.category(character)
    if category in {"Mn", "Me", "Cf", "Cs", "Co", "Cn", "Sk"}:  # accents, keycap frames, joiners, skin tones
        return ""
    if category.startswith("Z"):
        return " "
    if category == "So":
        return " "
    return "".join(
        part for part in unicodedata.normalize("NFKD", character.casefold()) if unicodedata.category(part) != "Mn"
    )
