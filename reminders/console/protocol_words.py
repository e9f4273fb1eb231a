"""Protocols in words: steps, conditions, and what changed between two versions."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from reminders.console.wording import OUTCOMES, SCREENING, TECHNIQUES, plain, say, text_title
from reminders.core.expected_soreness import ExpectedSoreness
from reminders.core.protocol_changes import ChangeKind, ProtocolChange
from reminders.core.protocols import Condition, StepDefinition
from reminders.core.schedule import StepKind, WhenQuiet
from reminders.core.spans import say_span

QUIET: Final[Mapping[str, str]] = {
    WhenQuiet.LATER: "waits for the morning",
    WhenQuiet.EARLIER: "goes before them",
    WhenQuiet.SKIP: "is left out",
}
ANCHORS: Final[Mapping[str, str]] = {
    StepKind.ADVICE: "after the session",
    StepKind.CHECK_IN: "after the session",
    StepKind.NUDGE: "after the question, if no answer came",
    StepKind.RECHECK: "after the answer, if soreness persists",
}
NUMBERS: Final[Mapping[str, str]] = {
    "persists_score": "Soreness persists from",
    "same_day_score": "A same-day matter from",
    "meaningful_change": "A change that matters",
    "silent_after_minutes": "Silence after",
    "reply_window_minutes": "An answer counts for",
    "clarify_limit": "Questions after an unclear answer",
    "recheck_limit": "Second check-ins at most",
}
_FIELDS: Final[Mapping[str, str]] = {
    "offset_minutes": "due",
    "when_quiet": "in quiet hours",
    "expires_minutes": "worthless after",
    "template_key": "text",
    "kind": "kind",
    "condition": "for",
}


def in_words(condition: Condition) -> str:
    """Return for whom a step is: "everybody", or "deep; neck or shoulder; without blood thinners"."""
    parts = []
    if condition.techniques:
        parts.append(_any_of(_technique(one) for one in condition.techniques))
    if condition.regions:
        parts.append(_any_of(plain(one) for one in condition.regions))
    for fact, wanted in condition.screening:
        words = SCREENING.get(fact, plain(fact))
        parts.append(f"{words[:1].lower()}{words[1:]}: {'yes' if wanted else 'no'}")
    if condition.outcomes:
        parts.append("answer: " + _any_of(OUTCOMES.get(one, plain(one)).lower() for one in condition.outcomes))
    return "; ".join(parts) or "everybody"


def line_in_words(line: ExpectedSoreness) -> str:
    """Return a line of the curve as a sentence."""
    who = in_words(Condition(techniques=line.techniques, regions=line.regions))
    about = "" if who == "everybody" else f" ({who})"
    return f"From {line.from_hours} h on{about}, more than {line.at_most} is above what is expected"


def step_in_words(step: StepDefinition) -> str:
    """Return when a step leaves."""
    return f"{say_span(step.offset_minutes)} {ANCHORS[step.kind]}"


def change_in_words(change: ProtocolChange) -> str:
    """Return one difference between two versions as a short sentence."""
    if change.field == "step":
        step = change.after or change.before
        word = "New" if change.kind is ChangeKind.ADDED else "Gone"
        return f"{word}: {text_title(change.step)}, {step_in_words(step)}."
    if change.field == "order":
        return f"The order is now {', '.join(text_title(key) for key in change.after)}."
    if change.field == "expected":
        word = "New" if change.kind is ChangeKind.ADDED else "Gone"
        return f"{word} in the curve: {line_in_words(change.after or change.before)}."
    if change.step:
        name = f"{text_title(change.step)}, {_FIELDS.get(change.field, plain(change.field))}"
    else:
        name = NUMBERS.get(change.field, say(change.field, {}))
    return f"{name}: {_value(change, change.before)} becomes {_value(change, change.after)}."


def _value(change: ProtocolChange, value: Any) -> str:
    if isinstance(value, Condition):
        return in_words(value)
    if change.field.endswith("_minutes"):
        return say_span(value)
    if change.field == "when_quiet":
        return QUIET.get(value, plain(value))
    if change.field == "template_key":
        return text_title(value)
    if change.field in ("persists_score", "same_day_score"):
        return f"{value} of 10"
    return f"“{value}”" if change.field == "name" else str(value)


def _technique(code: str) -> str:
    return TECHNIQUES.get(code, plain(code)).lower().removesuffix(" dry needling")


def _any_of(words: Iterable[str]) -> str:
    return " or ".join(words)
