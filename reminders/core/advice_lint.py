"""Finds medicine, heat and doses in what a text becomes, whatever its author tagged.

It reads renderings, not the source: what a text says to a patient with these answers is certain, what a condition means
is not. The words are data, in `advice_words.toml`. "Do not use heat" names heat and advises nothing, so it passes; in
doubt a mention counts.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from reminders.core.advice import RULES, DrugAdvice, Rule

NEVER, HEAT_OK = "never", "heat_ok"
MAX_BETWEEN = 2  # words between the two of a pair: "hot or cold pack"
_NEEDS = (NEVER, HEAT_OK, DrugAdvice.ANY.value, DrugAdvice.ACETAMINOPHEN.value)
_GUARDS = {
    HEAT_OK: "{% if heat_ok %}",
    DrugAdvice.ANY.value: "{% if drug == 'any' %}",
    DrugAdvice.ACETAMINOPHEN.value: "{% if drug in ('any', 'acetaminophen') %}",
}
_FIELDS = frozenset({"needs", "tells", "why", "en", "es", "pairs", "may_ask_first"})

Words = tuple[str, ...]


class AdviceWordsError(ValueError):
    """The list of words cannot be used; the sentence names the group."""


@dataclass(frozen=True, slots=True)
class Group:
    """Words that need the same guard. `may_ask_first`: "ask before you take any" is no advice to take it."""

    name: str
    needs: str
    tells: str
    phrases: frozenset[Words]
    pairs: tuple[tuple[frozenset[str], frozenset[str]], ...]
    may_ask_first: bool


@dataclass(frozen=True, slots=True)
class Rendering:
    """What a text says to patients with these answers; None where the text does not ask for them."""

    body: str
    heat_ok: bool | None
    drug: str | None


@dataclass(frozen=True, slots=True)
class Hazard:
    """One thing a text may not say as it stands: `code` is stable, `word` as the text has it, `message` what to do."""

    code: str
    word: str
    message: str


def find_hazards(
    renderings: Iterable[Rendering], *, knows: frozenset[str], groups: Sequence[Group] | None = None
) -> tuple[Hazard, ...]:
    """Return what these renderings tell somebody who must not be told, and every dose, each once.

    `knows` are the names the text may ask; where the guard is not among them the words have to go.
    """
    unguarded: dict[tuple[str, Group], set[tuple[bool | None, str | None]]] = {}
    doses: dict[str, None] = {}
    for rendering in dict.fromkeys(renderings):
        tokens = _tokens(rendering.body)
        found = list(_mentions(tokens, _groups() if groups is None else groups))
        for word, group, is_advice in found:
            if is_advice and not _is_guarded(group, rendering):
                unguarded.setdefault((word, group), set()).add((rendering.heat_ok, rendering.drug))
        has_medicine = any(group.needs != HEAT_OK for _, group, _ in found)
        doses.update(dict.fromkeys(_doses(tokens, has_medicine=has_medicine)))
    return (
        *(
            Hazard("unguarded_advice", word, _advise(word, group, asked, knows))
            for (word, group), asked in unguarded.items()
        ),
        *(Hazard("dose", dose, _advise_dose(dose)) for dose in doses),
    )


def parse_words(toml_text: str) -> tuple[Group, ...]:
    """Read a list of words. Raises AdviceWordsError with the group and what to do about it."""
    try:
        data = tomllib.loads(toml_text)
    except tomllib.TOMLDecodeError as error:
        raise AdviceWordsError(f"This is no TOML file yet: {error}.") from None
    groups = tuple(_group(name, table) for name, table in data.items())
    seen: dict[Words, str] = {}
    for group in groups:
        for phrase in group.phrases:
            if seen.setdefault(phrase, group.name) != group.name:
                raise AdviceWordsError(f"{group.name}: {' '.join(phrase)!r} stands in {seen[phrase]} too; keep one.")
    return groups


@cache
def _groups() -> tuple[Group, ...]:
    return parse_words(resources.files("reminders.core").joinpath("advice_words.toml").read_text("utf-8"))


def _group(name: str, table: Any) -> Group:
    if not isinstance(table, dict) or not table.keys() <= _FIELDS:
        raise AdviceWordsError(f"{name}: a group is a table that holds only {', '.join(sorted(_FIELDS))}.")
    if table.get("needs") not in _NEEDS:
        raise AdviceWordsError(f"{name}: let needs be one of {', '.join(_NEEDS)}.")
    for text in ("why", "tells"):
        if not isinstance(table.get(text), str) or not table[text].strip():
            raise AdviceWordsError(f"{name}: write {text}, in words.")
    if not isinstance(table.get("may_ask_first", False), bool):
        raise AdviceWordsError(f"{name}: let may_ask_first be true or false.")
    pairs = table.get("pairs", [])
    if not isinstance(pairs, list) or not all(
        isinstance(pair, dict) and pair.keys() == {"first", "second"} for pair in pairs
    ):
        raise AdviceWordsError(f"{name}: write each of pairs as first and second.")
    return Group(
        name=name,
        needs=table["needs"],
        tells=table["tells"],
        phrases=frozenset(_phrases(name, table, "en")) | frozenset(_phrases(name, table, "es")),
        pairs=tuple((_singles(name, pair, "first"), _singles(name, pair, "second")) for pair in pairs),
        may_ask_first=table.get("may_ask_first", False),
    )


def _phrases(name: str, table: Mapping[str, Any], field: str) -> list[Words]:
    listed = table.get(field)
    if not isinstance(listed, list) or not listed or not all(isinstance(phrase, str) for phrase in listed):
        raise AdviceWordsError(f"{name}: give {field} as a list of words in quotes.")
    phrases = [tuple(_tokens(phrase)) for phrase in listed]
    if not all(phrase and _MARKS.isdisjoint(phrase) for phrase in phrases) or len(set(phrases)) != len(phrases):
        raise AdviceWordsError(f"{name}: {field} holds a word twice, an empty one, or one with a full stop or comma.")
    return phrases


def _singles(name: str, table: Mapping[str, Any], field: str) -> frozenset[str]:
    phrases = _phrases(name, table, field)
    if any(len(phrase) != 1 for phrase in phrases):
        raise AdviceWordsError(f"{name}: {field} of a pair holds single words.")
    return frozenset(phrase[0] for phrase in phrases)


_MARKS = frozenset({".", ","})
_TOKEN = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+|[.!?;:\n]|,")


def _tokens(text: str) -> list[str]:
    """Return words and numbers in plain lower case; "." for whatever ends a thought, "," as it is."""
    decomposed = unicodedata.normalize("NFKD", re.sub("['\u2019\u02bc`]", "", text)).casefold()
    plain = "".join(
        char for char in decomposed if not unicodedata.combining(char) and unicodedata.category(char) != "Cf"
    )
    return ["." if found in "!?;:\n" else found for found in _TOKEN.findall(plain)]


def _mentions(tokens: Sequence[str], groups: Sequence[Group]) -> Iterator[tuple[str, Group, bool]]:
    """Yield each mention's words, its group, and whether it may be read as advice."""
    spans = [(start, end, group) for group in groups for start, end in _spans(tokens, group)]
    listed = {place for start, end, _ in spans for place in range(start, end)}
    for start, end, group in spans:
        is_wider = any(start >= a and end <= b and (start, end) != (a, b) for a, b, _ in spans)
        if not is_wider:
            yield " ".join(tokens[start:end]), group, not _is_warned_of(tokens, start, listed, group)


def _spans(tokens: Sequence[str], group: Group) -> Iterator[tuple[int, int]]:
    longest = max(map(len, group.phrases), default=0)
    for start, token in enumerate(tokens):
        for size in range(1, longest + 1):
            if tuple(tokens[start : start + size]) in group.phrases and start + size <= len(tokens):
                yield start, start + size
        for first, second in group.pairs:
            if token in first:
                reach = tokens[start + 1 : start + 2 + MAX_BETWEEN]
                end = next((place for place, word in enumerate(reach) if word in second), None)
                if end is not None and "." not in reach[:end]:
                    yield start, start + 2 + end


# What may stand between "do not" and the word so that the one surely speaks of the other. A second verb, a comma or
# anything else ("do not worry, take ...", "no aspirin, ibuprofen is fine") ends it. `_` stands for any listed word.
_NOT = "not|dont|no|never|avoid|avoiding|without|evite|evitar|nunca|sin|ni|tampoco|instead of|en vez de|en lugar de"
_USE = "use|using|take|taking|put|apply|tome|tomar|usar|ponga|poner|aplique|aplicar"
_BETWEEN = (
    "(?: (?:_|any|other|a|an|the|your|or|and|el|la|los|las|un|una|otro|otra|otros|otras|ningun|ninguna|y|o|u|ni))*$"
)
_WARNED = re.compile(rf"(?:^|(?P<before>\S+) )(?:{_NOT})(?! [.,])(?: (?:to|se|le))?(?: (?:{_USE}))?{_BETWEEN}")
_ASKED = re.compile(
    "(?:^| )(?:before you (?:take|use)|before (?:taking|using)|antes de (?:tomar|usar)|ask us about|"
    rf"ask your pharmacist about){_BETWEEN}"
)


def _is_warned_of(tokens: Sequence[str], start: int, listed: set[int], group: Group) -> bool:
    """Whether the words just before a mention make it a warning. Two negations ("do not avoid heat") make none."""
    said = " ".join("_" if place in listed else token for place, token in enumerate(tokens[:start]))
    if group.may_ask_first and _ASKED.search(said):
        return True
    found = _WARNED.search(said)
    return found is not None and not re.fullmatch(_NOT, found["before"] or "")


def _is_guarded(group: Group, rendering: Rendering) -> bool:
    if group.needs == NEVER:
        return False
    if group.needs == HEAT_OK:
        return rendering.heat_ok is True
    return rendering.drug in (DrugAdvice.ANY, group.needs)


def _advise(word: str, group: Group, asked: set[tuple[bool | None, str | None]], knows: frozenset[str]) -> str:
    if group.needs == NEVER:
        return f"Take out “{word}”: no screening answer covers this medicine, so no automatic text may name it."
    name = "heat_ok" if group.needs == HEAT_OK else "drug"
    who = _list([rule.who for rule in RULES if any(_excludes(rule, group, *answers) for answers in asked)])
    told = f"This would tell patients {who} {group.tells} “{word}”"
    if name not in knows:
        return f"{told}. Take it out: this text leaves without asking the screening."
    return f"{told}. Put those words inside {_GUARDS[group.needs]} … {{% endif %}}."


def _excludes(rule: Rule, group: Group, heat_ok: bool | None, drug: str | None) -> bool:
    """Whether this rule keeps patients from what the group names, among those who get the rendering."""
    if group.needs == HEAT_OK:
        return rule.drug is None
    if rule.drug is None or (drug is not None and rule.drug is not DrugAdvice(drug)):
        return False
    return rule.drug is DrugAdvice.NONE or group.needs == DrugAdvice.ANY


def _list(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} or {parts[-1]}"


_NUMBER = (
    r"(?:\d+(?:[.,]\d+)*|one|two|three|four|five|six|seven|eight|nine|ten|twelve|half|dos|tres|cuatro|cinco|seis|siete|"
    r"ocho|nueve|diez|doce|media)"
)
_UNIT = (
    r"(?:mg|mgs|mcg|ml|cc|grams?|milligrams?|gramos?|miligramos?|tablets?|tabs?|pills?|caplets?|capsules?|gelcaps?|"
    r"tabletas?|pastillas?|pildoras?|capsulas?|comprimidos?|grageas?|teaspoons?|tablespoons?|cucharadas?|cucharaditas?)"
)
_AMOUNT = re.compile(rf"\b{_NUMBER} (?:(?:or|to|o|a|y) {_NUMBER} )?(?:[a-z]+ )?{_UNIT}\b")
# How often says a dose only beside a medicine: "move gently every 2 hours" is none.
_RHYTHM = re.compile(
    rf"\b(?:every|each|cada) (?:(?:few|{_NUMBER}) )?(?:(?:or|to|o|a) {_NUMBER} )?(?:hours?|hrs?|h|horas?)\b"
    rf"|\b(?:{_NUMBER} times|once|twice|{_NUMBER} veces|una vez) (?:(?:a|per|each|every|al|por) )?(?:day|daily|dia)\b"
    rf"|\b(?:take|tome|toma) (?:{_NUMBER}|una|un)\b"
)
_PILL = re.compile(r"\b(?:pills?|tablets?|medicines?|medications?|meds|pastillas?|medicinas?|medicamentos?)\b")


def _doses(tokens: Sequence[str], *, has_medicine: bool) -> Iterator[str]:
    said = " ".join(tokens)
    yield from (found[0] for found in _AMOUNT.finditer(said))
    if has_medicine or _PILL.search(said):
        yield from (found[0] for found in _RHYTHM.finditer(said))


def _advise_dose(dose: str) -> str:
    return f"Take out the dose “{dose}”: never by text. Write “follow the label” instead."
