"""A protocol as a form: rows of typed words that become one checked definition, or say what is wrong and where."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.http import QueryDict

from reminders.clinic.intake import REGIONS
from reminders.clinic.models import Technique
from reminders.console.protocol_words import NUMBERS, QUIET, in_words
from reminders.console.wording import SCREENING, plain, text_title
from reminders.core.protocols import (
    MAX_EXPIRES_MINUTES,
    MAX_OFFSET_MINUTES,
    MAX_STEPS,
    Condition,
    ProtocolDefinition,
    ProtocolError,
    StepDefinition,
    from_json,
    to_json,
)
from reminders.core.schedule import StepKind
from reminders.core.spans import SpanError, parse_span, say_span
from reminders.core.texts import TEXTS

KINDS: Final = {"check_in": StepKind.CHECK_IN, "nudge": StepKind.NUDGE, "recheck": StepKind.RECHECK}
"""What a planned text is for, by its key; the others are advice."""
NEW_STEP: Final = {"template_key": "advice_exercise", "offset": "24 h", "when_quiet": "later", "expires": "12 h"}
NEW_LINE: Final = {"from_hours": "48", "at_most": "5"}
SPANS: Final = ("silent_after_minutes", "reply_window_minutes")
LISTS: Final = ("techniques", "regions", "with", "without", "outcomes")
TECHNIQUES: Final = list(Technique.choices)
PLACES: Final = [(one, plain(one)) for one in REGIONS]
FACTS: Final = list(SCREENING.items())
QUIET_CHOICES: Final = list(QUIET.items())
_BOUNDS: Final = {"offset": (1, MAX_OFFSET_MINUTES), "expires": (1, MAX_EXPIRES_MINUTES)}
_SPOKEN: Final = (60, MAX_OFFSET_MINUTES)
_STEP_PLACE: Final = re.compile(r"(steps|thresholds\.expected)\[(\d+)\]\.?(\w*)")
_SHOWN_AS: Final = {
    "offset_minutes": "offset",
    "expires_minutes": "expires",
    "key": "template_key",
    "kind": "template_key",
}
_LABELS: Final = {
    "template_key": "Text", "offset": "Due", "when_quiet": "In quiet hours", "expires": "Of no use after",
    "from_hours": "From hours", "at_most": "At most", "condition": "For whom",
}  # fmt: skip


@dataclass(slots=True)
class Row:
    """One step or one line of the curve as it was typed, with what is wrong by field."""

    prefix: str
    values: dict[str, Any]
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def who(self) -> str:
        """For whom it is, in words."""
        facts = {True: self.values.get("with", []), False: self.values.get("without", [])}
        return in_words(
            Condition(
                techniques=tuple(self.values.get("techniques", ())),
                regions=tuple(self.values.get("regions", ())),
                screening=tuple((fact, wanted) for wanted, ticked in facts.items() for fact in ticked),
                outcomes=tuple(self.values.get("outcomes", ())),
            )
        )


@dataclass(slots=True)
class ProtocolForm:
    """What stands in the editor."""

    key: str
    name: str
    steps: list[Row]
    lines: list[Row]
    numbers: dict[str, str]
    seen: str
    errors: dict[str, str] = field(default_factory=dict)
    general: list[str] = field(default_factory=list)

    def problems(self) -> list[tuple[str, str]]:
        """Return each error with the id of its field."""
        found = [("main", sentence) for sentence in self.general]
        found += [(name, f"{NUMBERS.get(name, 'Name')}: {sentence}") for name, sentence in self.errors.items()]
        for number, row in enumerate(self.steps, start=1):
            found += [
                (f"{row.prefix}-{name}", f"Step {number}, {_label(name)}: {it}") for name, it in row.errors.items()
            ]
        for number, row in enumerate(self.lines, start=1):
            found += [
                (f"{row.prefix}-{name}", f"Line {number}, {_label(name)}: {it}") for name, it in row.errors.items()
            ]
        return found

    def forget_problems(self) -> None:
        """Take back what `definition` complained of: the author is not done yet."""
        self.errors, self.general = {}, []
        for row in (*self.steps, *self.lines):
            row.errors = {}

    def texts(self) -> list[tuple[str, str]]:
        """Return the texts a step can send, with what an older version sends besides."""
        known = [key for key, text in TEXTS.items() if text.planned]
        used = [row.values["template_key"] for row in self.steps if row.values.get("template_key")]
        return [(key, text_title(key)) for key in dict.fromkeys([*known, *used])]

    def apply(self, action: str) -> None:
        """Add, remove or move a row; nothing that was typed is lost."""
        if action == "add-step" and len(self.steps) < MAX_STEPS:
            self.steps.append(Row("", dict(NEW_STEP)))
        elif action == "add-line" and len(self.lines) < MAX_STEPS:
            self.lines.append(Row("", dict(NEW_LINE)))
        else:
            self._move(action)
        _number(self.steps, "step")
        _number(self.lines, "line")

    def _move(self, action: str) -> None:
        match = re.fullmatch(r"(step|line)-(\d{1,2})-(up|down|remove)", action)
        if match is None:
            return
        rows = self.steps if match[1] == "step" else self.lines
        at = int(match[2])
        if at >= len(rows):
            return
        row = rows.pop(at)
        if match[3] != "remove":
            rows.insert(max(0, at - 1) if match[3] == "up" else at + 1, row)

    def definition(self, *, known: ProtocolDefinition | None) -> ProtocolDefinition | None:
        """Return what the rows say as a definition, or None with the errors at their fields.

        `known` is the version in force: a step that is the same as one there keeps its key, so that nobody is sent it
        twice.
        """
        data = {
            "key": self.key,
            "name": self.name,
            "steps": list(self._steps(known)),
            "thresholds": {**self._numbers(), "expected": [self._line(row) for row in self.lines]},
        }
        if self.problems():
            return None
        try:
            return from_json(data)
        except ProtocolError as error:
            self.take_over(error)
            return None

    def take_over(self, error: ProtocolError) -> None:
        """Put an error of the whole beside the field it is about."""
        place = _STEP_PLACE.match(error.field)
        sentence = error.message[:1].upper() + error.message[1:]
        if place is not None:
            rows = self.steps if place[1] == "steps" else self.lines
            rows[int(place[2]) - 1].errors[_SHOWN_AS.get(place[3], place[3] or "template_key")] = sentence
        elif error.field.removeprefix("thresholds.") in NUMBERS:
            self.errors[error.field.removeprefix("thresholds.")] = _spoken(sentence)
        elif error.field == "name":
            self.errors["name"] = sentence
        else:
            self.general.append(sentence)

    def _steps(self, known: ProtocolDefinition | None) -> Iterator[dict[str, Any]]:
        taken = {row.values.get("key") for row in self.steps} - {"", None}
        for row in self.steps:
            values, template_key = row.values, row.values.get("template_key", "")
            if template_key not in dict(self.texts()) or not template_key:
                row.errors["template_key"] = "Choose a text."
            kind = KINDS.get(template_key, StepKind.ADVICE)
            key = values.get("key") or _new_key(template_key, taken, known)
            taken.add(key)
            condition: dict[str, Any] = {name: values.get(name, []) for name in ("techniques", "regions", "outcomes")}
            condition["screening"] = dict.fromkeys(values.get("with", []), True)
            both = [fact for fact in values.get("without", []) if fact in condition["screening"]]
            if both:
                row.errors["condition"] = "Nobody has a fact and has it not; take one of the two ticks out."
            condition["screening"] |= dict.fromkeys(values.get("without", []), False)
            yield {
                "key": key,
                "kind": kind.value,
                "template_key": template_key,
                "offset_minutes": _span(row.errors, "offset", values.get("offset", "")),
                "when_quiet": values.get("when_quiet", ""),
                "expires_minutes": _span(row.errors, "expires", values.get("expires", "")),
                "condition": {name: part for name, part in condition.items() if part},
            }

    def _line(self, row: Row) -> dict[str, Any]:
        return {
            "from_hours": _whole(row.errors, "from_hours", row.values.get("from_hours", "")),
            "at_most": _whole(row.errors, "at_most", row.values.get("at_most", "")),
            "techniques": row.values.get("techniques", []),
            "regions": row.values.get("regions", []),
        }

    def _numbers(self) -> dict[str, int]:
        read = {True: _span, False: _whole}
        return {name: read[name in SPANS](self.errors, name, self.numbers.get(name, "")) for name in NUMBERS}


def form_of(definition: ProtocolDefinition, *, seen: str) -> ProtocolForm:
    """Return the form of a stored definition."""
    plain_data = to_json(definition)
    numbers = {
        name: say_span(value) if name in SPANS else str(value)
        for name, value in plain_data["thresholds"].items()
        if name in NUMBERS
    }
    lines = [{**line, "from_hours": str(line["from_hours"]), "at_most": str(line["at_most"])}
             for line in plain_data["thresholds"]["expected"]]  # fmt: skip
    form = ProtocolForm(
        key=definition.key,
        name=definition.name,
        steps=[Row("", _step_values(step)) for step in definition.steps],
        lines=[Row("", dict(line)) for line in lines],
        numbers=numbers,
        seen=seen,
    )
    form.apply("")
    return form


def form_from(data: QueryDict, *, key: str) -> ProtocolForm:
    """Return the form as it was sent, word for word."""
    form = ProtocolForm(
        key=key,
        name=data.get("name", "")[:200],
        steps=list(_rows(data, "step", ("key", "template_key", "offset", "when_quiet", "expires"))),
        lines=list(_rows(data, "line", ("from_hours", "at_most"))),
        numbers={name: data.get(name, "")[:40] for name in NUMBERS},
        seen=data.get("seen", ""),
    )
    form.apply("")
    return form


def _rows(data: QueryDict, kind: str, names: tuple[str, ...]) -> Iterator[Row]:
    for number in range(MAX_STEPS):
        prefix = f"{kind}-{number}"
        if f"{prefix}-{names[1]}" in data:
            values: dict[str, Any] = {name: data.get(f"{prefix}-{name}", "")[:60] for name in names}
            yield Row(prefix, values | {name: data.getlist(f"{prefix}-{name}") for name in LISTS})


def _number(rows: list[Row], kind: str) -> None:
    for number, row in enumerate(rows):
        row.prefix = f"{kind}-{number}"


def _step_values(step: StepDefinition) -> dict[str, Any]:
    condition = step.condition
    return {
        "key": step.key,
        "template_key": step.template_key,
        "offset": say_span(step.offset_minutes),
        "when_quiet": step.when_quiet.value,
        "expires": say_span(step.expires_minutes),
        "techniques": list(condition.techniques),
        "regions": list(condition.regions),
        "outcomes": list(condition.outcomes),
        "with": [fact for fact, wanted in condition.screening if wanted],
        "without": [fact for fact, wanted in condition.screening if not wanted],
    }


def _new_key(template_key: str, taken: set[Any], known: ProtocolDefinition | None) -> str:
    """Return a key that no other step has: the one that the same text has in force, or one made of the text's."""
    for step in known.steps if known else ():
        if step.template_key == template_key and step.key not in taken:
            return step.key
    base = template_key.removeprefix("advice_")[:36] or "step"
    number, key = 1, base
    while key in taken:
        number += 1
        key = f"{base}_{number}"
    return key


def _span(errors: dict[str, str], name: str, words: str) -> int:
    least, most = _BOUNDS.get(name, _SPOKEN)
    try:
        minutes = parse_span(words)
    except SpanError as error:
        errors[name] = str(error)
        return least
    if not least <= minutes <= most:
        errors[name] = f"Give {say_span(least)} to {most // 1440} days."
    return minutes


def _whole(errors: dict[str, str], name: str, words: str) -> int:
    stripped = words.strip()
    if not stripped.isascii() or not stripped.isdecimal():
        errors[name] = "Give a whole number."
        return 0
    return int(stripped)


def _label(name: str) -> str:
    return _LABELS.get(name, plain(name)).lower()


def _spoken(sentence: str) -> str:
    """Return a sentence of the file's reader with the form's names."""
    words: Mapping[str, str] = {name: f"“{label}”" for name, label in NUMBERS.items()}
    for name, label in words.items():
        sentence = sentence.replace(name, label)
    return sentence
