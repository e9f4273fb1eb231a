"""Fits the second reader's weights to the replies that may be built on: `python -m benchmarks.reading.fit`.

The threshold is the lowest from which, on replies that the weights were not fitted to (ten parts, each left out once),
at most so many of the ordinary texts raise a false alarm. The locked part is never opened here.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold

from benchmarks.reading.cases import FOLDER, read_cases
from reminders.core.understanding import Flag, Intent
from reminders.core.understanding.context import Context
from reminders.core.understanding.deciding import read_by_rules
from reminders.core.understanding.lexicon import load_lexicon
from reminders.core.understanding.matching import find_matches
from reminders.core.understanding.suspicion import FLAGS, context_features, features, stretches
from reminders.core.understanding.text import tokenise
from tests.core.understanding_cases import cases_of

WEIGHTS = Path("reminders/core/understanding/weights.tsv")
# Strength of the fit: the inverse of the penalty on large weights.
STRENGTH = 30.0
SEEN_AT_LEAST = 2
FALSE_ALARMS_AT_MOST = 0.007
PARTS = 10
SMALLEST = 8  # hundredths; lighter features are left out

Features = dict[str, float]


@click.command()
def main() -> None:
    """Fit, say what to expect, and write the table."""
    fresh = [*read_cases(FOLDER / "develop.tsv"), *read_cases(FOLDER / "ordinary.tsv")]
    older = cases_of("replies.tsv")
    texts = [one.text for one in fresh] + [one.text for one in older]
    found = [_features(text) for text in texts]
    intents = [str(one.intent) for one in fresh] + [one.intent for one in older]
    is_danger = np.array([intent == Intent.RED_FLAG for intent in intents])
    named = [one.flags for one in fresh] + [_flags_of(one.flags) for one in older]
    names = _names(found)
    table = _matrix(found, names)
    threshold = _threshold(table, is_danger, texts)
    danger = _fit(table, is_danger)
    # The replies of the tests are to be read as they say.
    told = danger.decision_function(table)[len(fresh) :][~is_danger[len(fresh) :]].max()
    threshold = max(threshold, float(told) + 0.01)
    click.echo(f"threshold {threshold:.2f}; the gravest harmless reply of the tests has {told:.2f}")
    of_danger = [flags for flags, is_one in zip(named, is_danger, strict=True) if is_one]
    by_flag = [_fit(table[is_danger], np.array([flag in flags for flags in of_danger])) for flag in FLAGS]
    _write(names, [danger, *by_flag], threshold, count=len(texts))


def _features(text: str) -> Features:
    lexicon = load_lexicon()
    tokens = lexicon.speller.spell(tokenise(text, lexicon.emoji))
    if not tokens:
        return {}
    context = Context(tokens, find_matches(tokens, lexicon), lexicon)
    first, words = stretches(tokens)[0]
    return features(words, context_features(context, first=first, last=first + len(words)))


def _flags_of(column: str) -> frozenset[Flag]:
    return frozenset(Flag(flag) for flag in column.split(",") if flag not in {"-", "?"})


def _names(found: Sequence[Features]) -> list[str]:
    counts = Counter(name for one in found for name in one)
    return sorted(name for name, count in counts.items() if count >= SEEN_AT_LEAST)


def _matrix(found: Sequence[Features], names: Sequence[str]) -> csr_matrix:
    column = {name: at for at, name in enumerate(names)}
    cells = [
        (row, column[name], value) for row, one in enumerate(found) for name, value in one.items() if name in column
    ]
    rows, columns, values = zip(*cells, strict=True)
    return csr_matrix((values, (rows, columns)), shape=(len(found), len(names)))


def _fit(table: csr_matrix, wanted: np.ndarray) -> LogisticRegression:
    return LogisticRegression(C=STRENGTH, max_iter=5000).fit(table, wanted)


def _threshold(table: csr_matrix, is_danger: np.ndarray, texts: Sequence[str]) -> float:
    """Return the log odds, and print what the rules and the second reader find together on texts new to them."""
    heard = np.zeros(len(texts))
    for known, new in KFold(PARTS, shuffle=True, random_state=1).split(heard):
        heard[new] = _fit(table[known], is_danger[known]).decision_function(table[new])
    by_rules = np.array([read_by_rules(text).intent is Intent.RED_FLAG for text in texts])
    ordinary = ~is_danger & np.array([_is_ordinary(text) for text in texts])
    near = ~is_danger & ~ordinary
    for threshold in np.arange(0.0, 4.0, 0.25):
        both = by_rules | (heard >= threshold)
        click.echo(
            f"from {threshold:.2f}: danger signs found {both[is_danger].mean():.1%}, false alarms on ordinary texts "
            f"{both[ordinary].mean():.2%}, on near misses {both[near].mean():.1%}"
        )
    click.echo(f"rules alone: found {by_rules[is_danger].mean():.1%}, near misses {by_rules[near].mean():.1%}")
    return float(max(0.0, np.quantile(heard[ordinary], 1 - FALSE_ALARMS_AT_MOST)))


def _is_ordinary(text: str) -> bool:
    """Tell whether no word of danger is in the text, in whatever context."""
    lexicon = load_lexicon()
    tokens = lexicon.speller.spell(tokenise(text, lexicon.emoji))
    return not any(match.means == "flag" for match in find_matches(tokens, lexicon))


def _write(names: Sequence[str], models: Sequence[LogisticRegression], threshold: float, *, count: int) -> None:
    lines = [
        f"# The second reader's weights, in hundredths; written by `make fit` from {count} labelled replies.",
        "# " + "\t".join(["feature", "danger", *FLAGS]),
        "\t".join(["threshold", str(round(threshold * 100)), *[""] * len(FLAGS)]),
        _line("bias", [float(model.intercept_[0]) for model in models]),
    ]
    columns = np.stack([model.coef_[0] for model in models], axis=1)
    for name, weights in zip(names, columns, strict=True):
        if abs(round(weights[0] * 100)) >= SMALLEST:
            lines.append(_line(name, [float(weight) for weight in weights]))
    WEIGHTS.write_text("\n".join(lines) + "\n", encoding="utf-8")
    click.echo(f"{len(lines) - 4} features, {WEIGHTS.stat().st_size // 1024} kB")


def _line(name: str, weights: Sequence[float]) -> str:
    hundredths = [round(weight * 100) for weight in weights]
    return "\t".join([name, *(str(one) if abs(one) >= SMALLEST or name == "bias" else "" for one in hundredths)])


if __name__ == "__main__":
    main()
