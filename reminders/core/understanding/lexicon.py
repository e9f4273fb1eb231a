"""Loads the lexicon: the words and patterns a clinician can read and extend, checked once when it is loaded."""

import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from reminders.core.understanding.patterns import Pattern, PatternError, compile_pattern
from reminders.core.understanding.reading import Flag
from reminders.core.understanding.spelling import Speller

_FOLDER = "lexicon"
_CLASSES, _SPELLING = ("words.toml", "numbers.toml"), "spelling.toml"
MEANINGS = frozenset({
    "flag", "idiom", "pseudo", "deny", "deny_answer", "deny_all", "hypothetical", "real",
    "historical", "again", "me_too", "other", "proxy", "relative", "report", "self_caused", "lasting",
    "sore", "worse", "same", "mild", "well", "better", "better_little", "still", "past", "now", "not_score",
    "opt_out", "keep_texts", "opt_in", "help", "question", "chatter",
})  # fmt: skip


class LexiconError(ValueError):
    """The lexicon cannot be used; the message names the file, the group and what is wrong."""


@dataclass(frozen=True, slots=True)
class Group:
    """One group of patterns: what finding one of them means."""

    rule: str
    means: str
    flags: frozenset[Flag]
    patterns: tuple[Pattern, ...]
    yields_to: frozenset[str] = frozenset()


@dataclass(slots=True)
class Lexicon:
    """All groups, and the patterns by the words without which they cannot match."""

    groups: tuple[Group, ...]
    speller: Speller
    emoji: Mapping[str, str]
    numbers: Mapping[str, int]
    classes: Mapping[str, tuple[str, ...]]
    light: frozenset[str]
    block: frozenset[str]
    sets: dict[str, frozenset[str]] = field(default_factory=dict)
    by_word: dict[str, list[tuple[int, Pattern]]] = field(default_factory=dict)
    by_stem: dict[str, list[tuple[str, int, Pattern]]] = field(default_factory=dict)
    always: list[tuple[int, Pattern]] = field(default_factory=list)

    def words(self, name: str) -> frozenset[str]:
        """Return a class as a set of single words."""
        return self.sets[name]


@cache
def load_lexicon() -> Lexicon:
    """Return the product's lexicon. Raises LexiconError where a file is not as it has to be."""
    folder = resources.files("reminders.core.understanding").joinpath(_FOLDER)
    files = {
        entry.name: entry.read_text(encoding="utf-8") for entry in folder.iterdir() if entry.name.endswith(".toml")
    }
    return build_lexicon(files)


def build_lexicon(files: Mapping[str, str]) -> Lexicon:
    """Build a lexicon from the contents of its files by name. Raises LexiconError with the place and the reason."""
    parsed = {name: _parse(name, content) for name, content in sorted(files.items())}
    for needed in (*_CLASSES, _SPELLING):
        if needed not in parsed:
            raise LexiconError(f"the lexicon has no {needed}")
    spelling = parsed.pop(_SPELLING)
    classes = {
        name: _phrases(file, name, value)
        for file in _CLASSES
        for name, value in parsed.pop(file).get("classes", {}).items()
    }
    light = frozenset(classes.get("light", ()))
    groups: list[Group] = []
    for name, content in parsed.items():
        groups.extend(_group(name, number, entry, classes, light) for number, entry in enumerate(content["group"], 1))
    _check_rules(groups)
    speller = Speller(
        known=_known(groups, classes) | frozenset(spelling["guard"]["words"].split()) | spelling["numbers"].keys(),
        targets=frozenset(
            word
            for group in groups
            if group.means in {"flag", "sore", "well", "worse", "better", "opt_out", "still"}
            for pattern in group.patterns
            for word in pattern.words
        )
        - (light - {"still", "todavia"}),
        weight=Counter(word for group in groups for pattern in group.patterns for word in pattern.words),
        numbers=frozenset(spelling["numbers"]),
        slips=frozenset(classes.get("slips", ())),
        respell={short: tuple(long.split()) for short, long in spelling["words"].items()},
    )
    lexicon = Lexicon(
        groups=tuple(groups),
        speller=speller,
        emoji=spelling["emoji"],
        numbers=spelling["numbers"],
        classes=classes,
        light=light,
        block=frozenset(classes.get("block", ())),
        sets={name: frozenset(phrases) for name, phrases in classes.items()},
    )
    _index(lexicon)
    return lexicon


def _parse(name: str, content: str) -> dict[str, Any]:
    try:
        parsed = tomllib.loads(content)
    except tomllib.TOMLDecodeError as error:
        raise LexiconError(f"{name}: {error}") from error
    if name not in {*_CLASSES, _SPELLING} and not isinstance(parsed.get("group"), list):
        raise LexiconError(f"{name}: it has no [[group]]")
    return parsed


def _phrases(file: str, name: str, value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(value.split())
    if isinstance(value, list) and value and all(isinstance(phrase, str) for phrase in value):
        return tuple(value)
    raise LexiconError(f"{file}: the class {name} has to be a text of words or a list of phrases")


def _group(
    file: str, number: int, entry: Mapping[str, Any], classes: Mapping[str, tuple[str, ...]], light: frozenset[str]
) -> Group:
    where = f"{file}, group {number} ({entry.get('rule', 'without a rule name')})"
    unknown = entry.keys() - {"rule", "means", "why", "flags", "patterns", "yields_to"}
    if unknown:
        raise LexiconError(f"{where}: unknown field {sorted(unknown)[0]}")
    for needed in ("rule", "means", "why"):
        if not isinstance(entry.get(needed), str) or not entry[needed].strip():
            raise LexiconError(f"{where}: {needed} is missing")
    if entry["means"] not in MEANINGS:
        raise LexiconError(f"{where}: means {entry['means']!r} is not one of {', '.join(sorted(MEANINGS))}")
    sources = entry.get("patterns")
    if not isinstance(sources, list) or not sources:
        raise LexiconError(f"{where}: patterns are missing")
    try:
        flags = frozenset(Flag(flag) for flag in entry.get("flags", ()))
        patterns = tuple(compile_pattern(source, classes, light) for source in sources)
    except (PatternError, ValueError) as error:
        raise LexiconError(f"{where}: {error}") from error
    if (entry["means"] == "flag") != bool(flags):
        raise LexiconError(f"{where}: flags belong to a group that means flag, and to no other")
    return Group(entry["rule"], entry["means"], flags, patterns, frozenset(entry.get("yields_to", ())))


def _check_rules(groups: list[Group]) -> None:
    seen: set[str] = set()
    for group in groups:
        if group.rule in seen:
            raise LexiconError(f"the rule {group.rule} is written twice")
        seen.add(group.rule)
    for group in groups:
        for rule in sorted(group.yields_to - seen):
            raise LexiconError(f"the rule {group.rule} yields to {rule}, which does not exist")


def _known(groups: Iterable[Group], classes: Mapping[str, tuple[str, ...]]) -> frozenset[str]:
    known = {word for group in groups for pattern in group.patterns for word in pattern.words}
    known.update(word for phrases in classes.values() for phrase in phrases for word in phrase.split())
    return frozenset(known)


def _index(lexicon: Lexicon) -> None:
    for number, group in enumerate(lexicon.groups):
        for pattern in group.patterns:
            if not pattern.anchors:
                lexicon.always.append((number, pattern))
            for anchor in pattern.anchors:
                if anchor.endswith("*"):
                    stem = anchor[:-1]
                    lexicon.by_stem.setdefault(stem[:3], []).append((stem, number, pattern))
                else:
                    lexicon.by_word.setdefault(anchor, []).append((number, pattern))
