"""How many parts the carrier makes of a text, and what in a text makes it dear.

A part holds 140 bytes: 160 septets of the GSM 7-bit alphabet (3GPP TS 23.038) or 70 UTF-16 code units. Where a text
needs more than one part, each carries a header of 6 bytes and 153 septets or 67 units are left. One character outside
the GSM alphabet makes the whole text UCS-2. The counts are those of the carrier's public calculator (the npm package
sms-segments-calculator 1.3.0): no visible character is split over two parts, an empty text is one part.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from reminders.core.graphemes import clusters

# 3GPP TS 23.038, default alphabet without the escape code, and its extension table, whose characters take two septets.
GSM_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_EXTENSION = frozenset("\f^{}\\[~]|€")
GSM = GSM_BASIC | GSM_EXTENSION

_SURROGATE = re.compile("[\ud800-\udfff]")


class Encoding(StrEnum):
    """How a text travels; the values are the names that the carrier uses."""

    GSM_7 = "GSM-7"
    UCS_2 = "UCS-2"


# encoding -> (units in a part that is alone, units in each of several parts)
PART_SIZES = {Encoding.GSM_7: (160, 153), Encoding.UCS_2: (70, 67)}


@dataclass(frozen=True, slots=True)
class SegmentCount:
    """What a text costs. Units are septets in GSM-7 and UTF-16 code units in UCS-2, headers not counted."""

    encoding: Encoding
    segments: int
    units: int
    units_left_in_last: int


def count_segments(text: str) -> SegmentCount:
    """Count the parts of a text. Takes any string, also an empty one or one with halves of surrogate pairs."""
    encoding = Encoding.GSM_7 if GSM.issuperset(text) else Encoding.UCS_2
    sizes = list(_septets(text) if encoding is Encoding.GSM_7 else _utf16_units(text))
    alone, split = PART_SIZES[encoding]
    units = sum(sizes)
    if units <= alone:
        return SegmentCount(encoding, 1, units, alone - units)
    segments, used_in_last = _fill_parts(sizes, alone, split)
    return SegmentCount(encoding, segments, units, max(0, split - used_in_last))


def ucs2_characters(text: str) -> list[tuple[int, str]]:
    """Return each character that forces UCS-2, with its index in the text; none where the text is GSM-7."""
    return [(index, char) for index, char in enumerate(text) if char not in GSM]


def to_gsm(text: str) -> str:
    """Replace typographic look-alikes by the plain characters of the GSM alphabet, and leave every letter as it is.

    Curly quotes, dashes, ellipsis, bullets, odd spaces and invisible marks, as word processors and phones put them in,
    become plain ones. An accent that was typed as a mark of its own joins its letter, which looks the same. Other
    letters (á, ç, Greek small ones), emoji and their joiners stay, so the answer can still be UCS-2, and an ellipsis
    (three dots) makes it longer. Applied twice it changes nothing more.
    """
    # Composing comes after invisible marks are gone from between letter and accent, and can itself bring look-alikes.
    return unicodedata.normalize("NFC", text.translate(_PLAIN)).translate(_PLAIN)


def to_plain(text: str) -> str:
    """Replace what forces UCS-2 by plain characters that read the same: look-alikes, and accents the alphabet lacks.

    "dolió" becomes "dolio", while é, ñ and ü, which the alphabet has, stay. What has no plain twin (emoji, other
    scripts) stays too, so the answer can still be UCS-2.
    """
    return "".join(char if char in GSM else _without_accent(char) for char in to_gsm(text))


def _without_accent(char: str) -> str:
    letter = unicodedata.normalize("NFD", char)[0]
    return letter if letter in GSM else char


def _septets(text: str) -> Iterator[int]:
    for char in text:
        yield 2 if char in GSM_EXTENSION else 1


def _utf16_units(text: str) -> Iterator[int]:
    """Yield the size of each stretch that is not split: a cluster, though CR and LF count apart."""
    if _SURROGATE.search(text):
        # Halves that belong together become one code point; lone ones stay.
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    for cluster in clusters(text):
        if cluster == "\r\n":
            yield from (1, 1)
        else:
            yield sum(2 if ord(char) > 0xFFFF else 1 for char in cluster)


def _fill_parts(sizes: list[int], alone: int, split: int) -> tuple[int, int]:
    """Return how many parts a text takes that does not fit into one, and how much the last one holds.

    The first part is filled as if it were the only one. When it overflows it gets its header, and what no longer fits
    beside that moves to the second part, whole and unchecked, as the calculator does it; so a part can be overfull when
    it starts with clusters of dozens of units, and the first one can be left empty.
    """
    segments, used = 1, 0
    for index, size in enumerate(sizes):
        if used + size > (alone if segments == 1 else split):
            moved = _moved_by_header(sizes[:index], used, split) if segments == 1 else 0
            segments, used = segments + 1, moved
        used += size
    return segments, used


def _moved_by_header(sizes_in_first: list[int], used: int, split: int) -> int:
    """Return how many units leave the first part when its header comes in."""
    moved = 0
    while used - moved > split:
        moved += sizes_in_first.pop()
    return moved


def _plain_table() -> dict[int, str]:
    replacements = {
        "'": "‘’‚‛′‵ʹʻʼʽˈ´`ˊˋ‹›＇",
        '"': "“”„‟″‶«»ʺ˝〝〞＂",
        "-": "‐‑‒–—―−﹘﹣－•‣◦⁃∙●▪■○□·",
        "...": "…",
        "..": "‥",
        "/": "⁄∕",
        "x": "×",
        "!!": "‼",
        # no-break, en, em, thirds, figure, punctuation, thin, hair, narrow, mathematical, ideographic space and tab
        " ": "\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000\t",
        "\n": "\u0085\u2028\u2029\v",
        # soft hyphen, zero-width space, direction marks and embeddings, word joiner, byte order mark
        "": "\u00ad\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff",
    }
    return {ord(char): plain for plain, chars in replacements.items() for char in chars}


_PLAIN = _plain_table()
