"""Makes SMS spelling and typing errors plain: "cnt" is "cant", "breething" is "breathing", "sooo" is "so"."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from reminders.core.understanding.text import Token, has_runs, shorten_runs

# Short words have too many neighbours that mean something else ("pain", "rain"); so they have to be spelt right.
SHORTEST_ONE_ERROR, SHORTEST_TWO_ERRORS = 5, 9
SHORTEST_POSSESSIVE = 4
_AUXILIARIES = frozenset(
    {"do", "does", "did", "is", "are", "was", "were", "have", "has", "had", "can", "could", "would", "should", "will"}
)
_SAME_SOUND = ({"b", "v"}, {"s", "c"}, {"s", "z"}, {"g", "j"})
_IRREGULAR = {"can": "cant", "will": "wont"}


@dataclass(slots=True)
class Speller:
    """Knows the words of the lexicon, and which of them a misspelt word may be meant for."""

    known: frozenset[str]
    targets: frozenset[str]
    respell: Mapping[str, tuple[str, ...]]
    weight: Mapping[str, int] = field(default_factory=dict)  # how many patterns ask for the word
    numbers: frozenset[str] = frozenset()
    slips: frozenset[str] = frozenset()  # short words worth knowing by their letters alone
    _slipped: dict[str, str] = field(default_factory=dict)
    _neighbours: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for word in sorted(self.slips):
            for slip in _slips(word) - self.known:
                # What may be meant for two of them is left alone.
                self._slipped[slip] = slip if self._slipped.get(slip, word) != word else word
        for word in sorted(self.targets):
            for short in _deletions(word, _errors_allowed(len(word))):
                self._neighbours.setdefault(short, []).append(word)

    def spell(self, tokens: list[Token]) -> list[Token]:
        """Return the tokens in plain spelling. One token may become several; all keep the place of the original."""
        spelt: list[Token] = []
        for token in tokens:
            if token.kind != "word":
                if not (token.norm == "/" and token.glued and spelt and spelt[-1].norm == "with"):  # "w/ the texts"
                    spelt.append(token)
                continue
            if token.norm == "o" and token.glued and spelt and spelt[-1].norm == "with":  # "w/o"
                spelt[-1] = replace(spelt[-1], norm="without", end=token.end)
                continue
            if token.glued and len(token.norm) == 1 and spelt and spelt[-1].kind == "number":
                spelt.append(token)  # the "k" of "10k" is no "ok"
                continue
            words = self.plain(token.norm)
            if words == ("not",) and spelt and spelt[-1].norm in _AUXILIARIES:  # "do not" is "dont"
                before = spelt.pop()
                joined = _IRREGULAR.get(before.norm, f"{before.norm}nt")
                spelt.append(replace(before, norm=joined, end=token.end))
                continue
            spelt.extend(replace(token, norm=word, glued=token.glued and not n) for n, word in enumerate(words))
        return spelt

    def plain(self, word: str) -> tuple[str, ...]:
        """Return the plain spelling of one word, as one or more words."""
        for candidate in _shortened(word):
            if candidate in self.respell:
                return self.respell[candidate]
            if candidate in self.known:
                return (candidate,)
        if word in self._slipped:
            return (self._slipped[word],)
        for heard in _by_sound(word):
            if heard in self.known:
                return self.respell.get(heard, (heard,))
        if word.endswith("z") and f"{word[:-1]}s" in self.known:  # "lipz"
            return (f"{word[:-1]}s",)
        if word.endswith("s") and len(word) > SHORTEST_POSSESSIVE and word[:-1] in self.known:  # "calf's swollen"
            return (word[:-1],)
        if (present := _present(word)) in self.known:
            return self.respell.get(present, (present,))
        if word.endswith("ish") and word[:-3] in self.known and word[:-3] in self.numbers:  # "threeish"
            return (word[:-3], "ish")
        meant = self._meant(shorten_runs(word, 1))
        if meant == word:
            meant = self._meant(next(_by_sound(word), word))
        return self.respell.get(meant, (meant,))

    def _meant(self, word: str) -> str:
        allowed = _errors_allowed(len(word))
        if not allowed or not word.isalpha():
            return word
        letters = sorted(word)
        best, least = word, (allowed + 1, False, 0, word)
        for short in _deletions(word, allowed):
            for target in self._neighbours.get(short, ()):
                if target[0] != word[0] and target[:2] != word[1::-1] and not _sounds_alike(word, target):
                    continue  # the first letter is seldom wrong
                errors = distance(word, target)
                if errors > _errors_allowed(min(len(word), len(target))):
                    continue
                # Of words equally near, one of the same letters is likelier, then the one that means more to us.
                rank = (errors, sorted(target) != letters, -self.weight.get(target, 0), target)
                if rank < least:
                    best, least = target, rank
        return best


def _sounds_alike(word: str, target: str) -> bool:
    """Tell whether both begin with the same sound for Spanish ears: "inchado" and "hinchado", "bomito" and "vomito"."""
    return (target[0] == "h" and target[1:2] == word[0]) or {word[0], target[0]} in _SAME_SOUND


def _present(word: str) -> str:
    """Return the present tense of a regular Spanish verb that is told of the past: "trababan" is "traban"."""
    for ending, now in (("aban", "an"), ("aba", "a"), ("aron", "an")):
        if word.endswith(ending):
            return word[: -len(ending)] + now
    return ""


def _slips(word: str) -> set[str]:
    """Return the word with two neighbours swapped, and where it is long enough with one letter left out."""
    swapped = {word[:at] + word[at + 1] + word[at] + word[at + 2 :] for at in range(len(word) - 1)}
    dropped = {word[:at] + word[at + 1 :] for at in range(len(word))} if len(word) >= SHORTEST_ONE_ERROR else set()
    return swapped | dropped


def _by_sound(word: str) -> Iterator[str]:
    """Yield how Spanish writes what was written as it sounds: "kitenme" is "quitenme", "hinchao" is "hinchado"."""
    if "k" in word:
        yield word.replace("ke", "que").replace("ki", "qui").replace("k", "c")
    if word.endswith(("ao", "aos")):
        yield word.replace("ao", "ado")


def _errors_allowed(length: int) -> int:
    return 0 if length < SHORTEST_ONE_ERROR else 1 if length < SHORTEST_TWO_ERRORS else 2


def _shortened(word: str) -> Iterator[str]:
    yield word
    if has_runs(word):
        yield shorten_runs(word, 1)
        yield shorten_runs(word, 2)


def _deletions(word: str, most: int) -> set[str]:
    found = {word}
    layer = {word}
    for _ in range(most):
        layer = {shorter[:at] + shorter[at + 1 :] for shorter in layer for at in range(len(shorter))}
        found |= layer
    return found


@lru_cache(maxsize=4096)
def distance(one: str, other: str) -> int:
    """Count the letters to insert, drop, change or swap with their neighbour to turn one word into the other."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        before, last, row = row, before, [i]
        for j, target in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != target))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == target:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]
