"""Finds the lexicon's patterns in a reply."""

from collections.abc import Iterable
from dataclasses import dataclass

from reminders.core.understanding.lexicon import Lexicon
from reminders.core.understanding.patterns import Pattern, Sort
from reminders.core.understanding.reading import Flag
from reminders.core.understanding.text import Token


@dataclass(frozen=True, slots=True)
class Match:
    """A pattern found over the tokens `first` up to but not including `last`."""

    rule: str
    means: str
    flags: frozenset[Flag]
    first: int
    last: int
    yields_to: frozenset[str] = frozenset()

    def overlaps(self, other: "Match") -> bool:
        """Tell whether both cover a token in common."""
        return self.first < other.last and other.first < self.last


def find_matches(tokens: list[Token], lexicon: Lexicon) -> list[Match]:
    """Return all matches of all patterns, in the order of the text."""
    plain, places = _joined(tokens, lexicon)
    found: set[tuple[int, int, int]] = set()
    for number, pattern in _candidates({token.norm for token in tokens}, lexicon):
        for match in pattern.regex.finditer(plain):
            first, last = places[match.start()], places[match.end()]
            if first < last:
                found.add((first, last, number))
    matches = []
    for first, last, number in sorted(found):
        group = lexicon.groups[number]
        matches.append(Match(group.rule, group.means, group.flags, first, last, group.yields_to))
    return matches


def _candidates(words: set[str], lexicon: Lexicon) -> Iterable[tuple[int, Pattern]]:
    yield from lexicon.always
    seen: set[int] = set()
    for word in words:
        for number, pattern in lexicon.by_word.get(word, ()):
            if id(pattern) not in seen:
                seen.add(id(pattern))
                yield number, pattern
        for stem, number, pattern in lexicon.by_stem.get(word[:3], ()):
            if word.startswith(stem) and id(pattern) not in seen:
                seen.add(id(pattern))
                yield number, pattern


def _joined(tokens: list[Token], lexicon: Lexicon) -> tuple[str, dict[int, int]]:
    """Return the tokens as the text that patterns are matched against, and which token starts where in it."""
    pieces, places, at = [" "], {}, 1
    for index, token in enumerate(tokens):
        piece = f"{token.norm}{_sort(token, lexicon)} "
        places[at] = index
        pieces.append(piece)
        at += len(piece)
    places[at] = len(tokens)
    return "".join(pieces), places


def _sort(token: Token, lexicon: Lexicon) -> Sort:
    if token.kind == "punct":
        return Sort.MARK
    if token.kind == "number" or token.norm in lexicon.numbers:
        return Sort.NUMBER
    if token.norm in lexicon.block:
        return Sort.BLOCK
    return Sort.LIGHT if token.norm in lexicon.light else Sort.PLAIN
