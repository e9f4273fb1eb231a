"""A patient's words with the deciding ones marked, and the rule that each mark stands for."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape

from reminders.console.wording import rule_name
from reminders.conversations.models import InboundMessage


def deciding_words(inbound: InboundMessage | None) -> list[Mapping[str, Any]]:
    """Return the pieces that decided how a text was read; none where it was not read."""
    understanding = getattr(inbound, "understanding", None)
    return list(understanding.because) if understanding else []


def marked(body: str, because: Sequence[Mapping[str, Any]]) -> Markup:
    """Return the words as HTML with each deciding piece in a `<mark>`; pieces that overlap become one mark."""
    html, at = Markup(""), 0
    for start, end, rules in _merged(body, because):
        html += escape(body[at:start])
        html += Markup('<mark title="{}">{}</mark>').format(
            ", ".join(rule_name(rule) for rule in rules), body[start:end]
        )
        at = end
    return html + escape(body[at:])


def _merged(body: str, because: Sequence[Mapping[str, Any]]) -> Iterator[tuple[int, int, list[str]]]:
    spans = sorted(
        (int(piece["start"]), min(int(piece["end"]), len(body)), str(piece["rule"]))
        for piece in because
        if 0 <= int(piece["start"]) < int(piece["end"])
    )
    current: tuple[int, int, list[str]] | None = None
    for start, end, rule in spans:
        if current and start < current[1]:
            current = (current[0], max(current[1], end), [*current[2], rule])
            continue
        if current:
            yield current
        current = (start, end, [rule])
    if current:
        yield current
