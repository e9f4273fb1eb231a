"""The small language in which the lexicon's patterns are written, compiled to regular expressions over tokens.

    word            that word                       (a|b c|d)   one of these
    word*           a word that begins so           [a|b]       one of these, or nothing
    <class>         one of a class of words         ~           up to four light words (is, my, really, so, a bit ...)
    <num>           a number (<fever>: of a fever)  ..          up to three words of any kind, but no negation
    ^  $            start, end of the reply         ..5         the same with up to five
    %8              up to eight words or commas, but no negation
    ,  ?  .  :      that mark                       <plain_fever>  a number that can be nothing but a fever

A pattern is matched against the tokens joined by spaces, each followed by one character for its sort (see `Sort`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

# 100.4 F and 38 C are where fever begins on the pages clinics hand out; above 110 F or 43 C it is no temperature.
_FEVER = r"(?:100[.,][4-9]|10[1-9](?:[.,]\d+)?|3[89](?:[.,]\d+)?|4[0-2](?:[.,]\d+)?)"
# What can be nothing but a temperature: "102 this morning" is one, "39 this morning" may be an age or a typing error.
_PLAIN_FEVER = r"(?:100[.,][4-9]|10[1-4](?:[.,]\d)?|3[89][.,][1-9]|40[.,]\d)"
_ELEMENT = re.compile(r"\s*(\(|\)|\[|\]|\||<[a-z_]+>|~|\.\.\d*|%\d+|%|[\^$,?.:;!/>&#*+=-]|[\w']+\*?|°)")


class Sort(StrEnum):
    """The character after each token: what gaps may step over."""

    LIGHT = "_"
    BLOCK = "="
    PLAIN = "+"
    NUMBER = "#"
    MARK = "%"


class PatternError(ValueError):
    """A pattern of the lexicon cannot be read; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled pattern: `anchors` are words of which at least one has to be in the text; empty means any text."""

    source: str
    regex: re.Pattern[str]
    anchors: frozenset[str]
    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Piece:
    regex: str
    anchors: frozenset[str] | None  # None: matches without any certain word
    words: frozenset[str]


def compile_pattern(source: str, classes: Mapping[str, tuple[str, ...]], light: frozenset[str]) -> Pattern:
    """Compile one pattern. Raises PatternError with the pattern and the reason."""
    parser = _Parser(source, classes, light)
    piece = parser.alternatives(end="")
    if not piece.words and not piece.anchors:
        raise PatternError(f"pattern {source!r} has no word in it")
    try:
        regex = re.compile(r"(?<= )(?:" + piece.regex + ")")
    except re.error as error:
        raise PatternError(f"pattern {source!r}: {error}") from error
    return Pattern(source, regex, piece.anchors or frozenset(), piece.words)


class _Parser:
    def __init__(self, source: str, classes: Mapping[str, tuple[str, ...]], light: frozenset[str]) -> None:
        self._source, self._classes, self._light = source, classes, light
        self._elements = self._split(source)
        self._at = 0

    def alternatives(self, end: str) -> _Piece:
        """Read `a|b c|d` up to `end` ("" is the end of the pattern)."""
        branches = [self._sequence()]
        while self._peek() == "|":
            self._at += 1
            branches.append(self._sequence())
        if self._peek() != end:
            raise PatternError(f"pattern {self._source!r}: expected {end or 'its end'}, found {self._peek()!r}")
        self._at += 1
        words = frozenset().union(*(branch.words for branch in branches))
        anchors: frozenset[str] | None = frozenset()
        for branch in branches:
            anchors = None if anchors is None or branch.anchors is None else anchors | branch.anchors
        return _Piece("|".join(branch.regex for branch in branches), anchors, words)

    def _sequence(self) -> _Piece:
        pieces: list[_Piece] = []
        while self._peek() not in {"", "|", ")", "]"}:
            pieces.append(self._one())
        if not pieces:
            raise PatternError(f"pattern {self._source!r}: an alternative is empty")
        certain = [piece.anchors for piece in pieces if piece.anchors]
        best = min(certain, key=self._price, default=None)
        return _Piece(
            "".join(piece.regex for piece in pieces), best, frozenset().union(*(piece.words for piece in pieces))
        )

    def _price(self, anchors: frozenset[str]) -> tuple[bool, int]:
        return (not anchors.isdisjoint(self._light), len(anchors))

    def _one(self) -> _Piece:
        element = self._peek()
        self._at += 1
        if element in {"(", "["}:
            inner = self.alternatives(end=")" if element == "(" else "]")
            optional = element == "["
            return _Piece(
                f"(?:{inner.regex}){'?' if optional else ''}", None if optional else inner.anchors, inner.words
            )
        if element == "~":
            return _Piece(f"(?:[^ ]+[{Sort.LIGHT}{Sort.NUMBER}] ){{0,4}}?", None, frozenset())
        if element.startswith(".."):
            most = element[2:] or "3"
            return _Piece(f"(?:[^ ]+[{Sort.LIGHT}{Sort.PLAIN}{Sort.NUMBER}] ){{0,{most}}}?", None, frozenset())
        if element.startswith("%") and len(element) > 1:
            return _Piece(
                f"(?:[^ ]+[{Sort.LIGHT}{Sort.PLAIN}{Sort.NUMBER}] |,{Sort.MARK} ){{0,{element[1:]}}}?",
                None,
                frozenset(),
            )
        if element == "<fever>":
            return _Piece(f"{_FEVER}{Sort.NUMBER} ", None, frozenset())
        if element == "<plain_fever>":
            return _Piece(f"{_PLAIN_FEVER}{Sort.NUMBER} ", None, frozenset())
        if element == "<num>":
            return _Piece(f"[^ ]+{Sort.NUMBER} ", None, frozenset())
        if element.startswith("<"):
            return self._class(element[1:-1])
        if element in {"^", "$"}:
            return _Piece(r"(?<=\A )" if element == "^" else f"(?:[^ ]+{Sort.MARK} )*\\Z", None, frozenset())
        if not element[0].isalnum():
            return _Piece(f"{re.escape(element)}{Sort.MARK} ", frozenset({element}), frozenset())
        return _word(element)

    def _class(self, name: str) -> _Piece:
        if name not in self._classes:
            raise PatternError(f"pattern {self._source!r}: there is no class <{name}>")
        pieces = [_Parser(phrase, self._classes, self._light).alternatives(end="") for phrase in self._classes[name]]
        anchors: frozenset[str] | None = frozenset()
        for piece in pieces:
            anchors = None if anchors is None or piece.anchors is None else anchors | piece.anchors
        words = frozenset().union(*(piece.words for piece in pieces))
        return _Piece("(?:" + "|".join(piece.regex for piece in pieces) + ")", anchors, words)

    def _peek(self) -> str:
        return self._elements[self._at] if self._at < len(self._elements) else ""

    @staticmethod
    def _split(source: str) -> list[str]:
        elements, at = [], 0
        while at < len(source.rstrip()):
            found = _ELEMENT.match(source, at)
            if found is None:
                raise PatternError(f"pattern {source!r} cannot be read from {source[at:]!r}")
            elements.append(found.group(1))
            at = found.end()
        return elements


def _word(element: str) -> _Piece:
    if element.endswith("*"):
        stem = element[:-1]
        if len(stem) < 3:
            raise PatternError(f"the stem {element!r} is too short to be safe")
        return _Piece(re.escape(stem) + "[^ ]* ", frozenset({element}), frozenset())
    if element == "no":  # Spanish puts its pronouns between: "no para" is also "no me para"
        return _Piece("no[^ ] (?:(?:me|se|nos)[^ ] ){0,2}?", frozenset({element}), frozenset({element}))
    return _Piece(re.escape(element) + "[^ ] ", frozenset({element}), frozenset({element}))
