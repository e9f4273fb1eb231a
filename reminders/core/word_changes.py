"""What changed between two wordings, word by word."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Final

# A word with the spaces after it, a run of spaces in front, or one other sign: what a reader sees as one change.
_PIECE: Final = re.compile(r"\s+|\w+\s*|[^\w\s]\s*")


class Change(StrEnum):
    """How a stretch of words came about."""

    SAME = "same"
    GONE = "gone"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class Stretch:
    """Words in a row that changed, or did not, in one way."""

    change: Change
    text: str


def word_changes(*, before: str, after: str) -> list[Stretch]:
    """Return both wordings as one: what is the same, what is gone and what is new, what is gone first.

    The stretches that are not new make up `before` exactly, those that are not gone make up `after`.
    """
    return list(_stretches(_PIECE.findall(before), _PIECE.findall(after)))


def _stretches(old: list[str], new: list[str]) -> Iterator[Stretch]:
    for kind, old_first, old_last, new_first, new_last in SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes():
        if kind == "equal":
            yield Stretch(Change.SAME, "".join(old[old_first:old_last]))
            continue
        if old_first < old_last:
            yield Stretch(Change.GONE, "".join(old[old_first:old_last]))
        if new_first < new_last:
            yield Stretch(Change.NEW, "".join(new[new_first:new_last]))
