"""The second reader: hears a danger sign in wordings that no rule foresaw, by how such texts have read before.

A linear model over words, neighbouring words and parts of words, fitted to the labelled replies of this repository
(`make fit`). It is asked only where the rules found no sign, and it can only add one, never take one away: what it adds
is not sure, so a person looks, and the words that weighed most are kept as the reason. The weights are a table of
plain text; reading is adding them up, without a network and the same each time.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from itertools import pairwise
from math import exp, sqrt

from reminders.core.understanding.context import Context, Status
from reminders.core.understanding.lexicon import LexiconError
from reminders.core.understanding.reading import Flag
from reminders.core.understanding.text import Token

WEIGHTS = "weights.tsv"
RULE = "suspicion"
LONGEST_GRAM = 3
SHORTEST_PART, LONGEST_PART = 3, 5
# A sign in a long text must not drown in it: each stretch is heard alone, and the gravest counts.
STRETCH, STEP = 24, 12
SENTENCE_ENDS, SHORTEST_SENTENCE = frozenset({".", "!", "?", ";"}), 3
CONTEXT_MEANINGS = (
    "idiom", "hypothetical", "historical", "other", "proxy", "self_caused", "deny", "deny_all", "deny_answer", "again",
    "me_too", "report", "real", "question", "chatter", "opt_out", "opt_in", "keep_texts", "sore", "well", "better",
    "mild", "worse", "same", "still",
)  # fmt: skip
CONTEXT_VALUE = 0.3
# A flag beside the gravest is ticked where the model holds it for likelier than not.
ALSO_FROM = 0.5


@dataclass(frozen=True, slots=True)
class Weights:
    """Each feature's weight for danger and for each flag; `threshold` is the log odds from which danger counts."""

    danger: Mapping[str, float]
    flags: Mapping[str, tuple[float, ...]]
    danger_bias: float
    flag_biases: tuple[float, ...]
    threshold: float


@dataclass(frozen=True, slots=True)
class Suspicion:
    """What the second reader hears: the flags, and the tokens from `first` up to but not including `last`."""

    flags: frozenset[Flag]
    first: int
    last: int


FLAGS = tuple(sorted(Flag))


def suspect(context: Context) -> Suspicion | None:
    """Return the sign that the words sound like, or None where they sound harmless."""
    weights = load_weights()
    tokens = context.tokens
    heard = []
    for first, part in stretches(tokens):
        around = context_features(context, first=first, last=first + len(part))
        heard.append((_danger(part, around, weights), first, part, around))
    danger, first, part, around = max(heard, key=lambda one: one[0])
    if danger < weights.threshold:
        return None
    start, end = _gravest_words(part, weights)
    return Suspicion(_flags(part, around, weights), first + start, first + end)


def context_features(context: Context, *, first: int, last: int) -> frozenset[str]:
    """Return what the rules found in a stretch: denials, conditions, other people, and signs they set aside."""
    matches = [match for match in context.matches if match.first < last and first < match.last]
    found = {f"m:{match.means}" for match in matches if match.means in CONTEXT_MEANINGS}
    for match in matches:
        if match.means == "flag" and (status := context.status(match)) is not Status.PRESENT:
            found.add(f"s:{status}")
    return frozenset(found)


def features(tokens: Sequence[Token], around: Iterable[str]) -> dict[str, float]:
    """Return the features of a stretch of tokens with their values; each kind has the length 1 in all."""
    grams = {gram for gram, _, _ in word_grams(tokens)}
    parts = {part for token in tokens if token.kind == "word" for part in word_parts(token.norm)}
    values = dict.fromkeys(grams, 1 / sqrt(len(grams)) if grams else 0.0)
    values.update(dict.fromkeys(parts, 1 / sqrt(len(parts)) if parts else 0.0))
    values.update(dict.fromkeys(around, CONTEXT_VALUE))
    return values


def word_grams(tokens: Sequence[Token]) -> Iterator[tuple[str, int, int]]:
    """Yield each word, and each two and three in a row, with the places of its first token and after its last."""
    words = ["#" if token.kind == "number" else token.norm for token in tokens]
    for first in range(len(words)):
        for length in range(1, min(LONGEST_GRAM, len(words) - first) + 1):
            yield "w:" + " ".join(words[first : first + length]), first, first + length


# Bounded: these are words that patients wrote, and they neither stay nor pile up.
@lru_cache(maxsize=4096)
def _parts(word: str) -> tuple[str, ...]:
    framed = f"_{word}_"
    return tuple(
        f"c:{framed[first : first + length]}"
        for length in range(SHORTEST_PART, LONGEST_PART + 1)
        for first in range(len(framed) - length + 1)
    )


def word_parts(word: str) -> tuple[str, ...]:
    """Return the parts of a word, its ends marked."""
    return _parts(word) if len(word) < 20 else ()


def stretches(tokens: Sequence[Token]) -> list[tuple[int, Sequence[Token]]]:
    """Return the stretches that are heard alone, each with the place of its first token; the first is the beginning.

    A number in front is left out: whoever gives a low one may have any sign. Of a long text each sentence is heard too.
    """
    words = (at for at, token in enumerate(tokens) if token.kind == "word")
    begin = next(words, 0)
    places = [(begin, begin + STRETCH)]
    if len(tokens) > begin + STRETCH:
        places += [(first, first + STRETCH) for first in range(begin + STEP, len(tokens) - STEP, STEP)]
        ends = [at for at, token in enumerate(tokens) if token.norm in SENTENCE_ENDS] + [len(tokens)]
        places += [(first, last) for first, last in pairwise([begin - 1, *ends]) if last - first > SHORTEST_SENTENCE]
    return [(max(0, first), tokens[max(0, first) : last]) for first, last in places]


def _danger(tokens: Sequence[Token], around: Iterable[str], weights: Weights) -> float:
    known = weights.danger
    return weights.danger_bias + sum(
        value * known[name] for name, value in features(tokens, around).items() if name in known
    )


def _flags(tokens: Sequence[Token], around: Iterable[str], weights: Weights) -> frozenset[Flag]:
    totals = list(weights.flag_biases)
    for name, value in features(tokens, around).items():
        for at, weight in enumerate(weights.flags.get(name, ())):
            totals[at] += value * weight
    most = max(totals)
    return frozenset(
        flag for flag, total in zip(FLAGS, totals, strict=True) if total == most or 1 / (1 + exp(-total)) >= ALSO_FROM
    )


def _gravest_words(tokens: Sequence[Token], weights: Weights) -> tuple[int, int]:
    """Return the place of the words in a row that weigh most."""
    weight = {(first, last): weights.danger.get(gram, 0.0) for gram, first, last in word_grams(tokens)}
    return max(weight, key=lambda place: (weight[place], place[0] - place[1], -place[0]))


@cache
def load_weights() -> Weights:
    """Return the product's weights. Raises LexiconError, with the line, where the table is not as it has to be."""
    folder = resources.files("reminders.core.understanding")
    try:
        return parse_weights(folder.joinpath(WEIGHTS).read_text(encoding="utf-8"))
    except ValueError as error:
        raise LexiconError(f"{WEIGHTS}: {error}") from error


def parse_weights(content: str) -> Weights:
    """Read a table of weights: a feature, its weight for danger, and one for each flag; hundredths, "" is 0.

    Raises ValueError, with the line, where it is not such a table.
    """
    danger: dict[str, float] = {}
    flags: dict[str, tuple[float, ...]] = {}
    threshold = None
    for number, line in enumerate(content.splitlines(), 1):
        if not line or line.startswith("# "):
            continue
        name, *columns = line.split("\t")
        if len(columns) != len(FLAGS) + 1:
            raise ValueError(f"line {number}: it has {len(columns)} weights, not {len(FLAGS) + 1}")
        if name == "threshold":
            threshold = int(columns[0]) / 100
            continue
        values = [int(column or 0) / 100 for column in columns]
        if values[0]:
            danger[name] = values[0]
        if any(values[1:]):
            flags[name] = tuple(values[1:])
    if threshold is None or "bias" not in flags:
        raise ValueError("it has no line for the threshold or the bias")
    return Weights(danger, flags, danger.pop("bias", 0.0), flags.pop("bias"), threshold)
