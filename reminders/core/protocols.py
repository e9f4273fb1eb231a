"""Protocols: what is sent after which treatment. A file or a database row becomes one checked, frozen definition."""

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, NoReturn, TypeVar

from reminders.core.advice import SCREENING_FACTS, Screening
from reminders.core.expected_soreness import ExpectedSoreness
from reminders.core.schedule import StepKind, WhenQuiet

MAX_STEPS = 30
MAX_OFFSET_MINUTES = 14 * 24 * 60  # two weeks; needle soreness is over within days
MAX_EXPIRES_MINUTES = 7 * 24 * 60
# What has become of the question that a step follows; a condition may ask for it.
OUTCOME_BEFORE: Mapping[StepKind, str] = {StepKind.NUDGE: "silent", StepKind.RECHECK: "persists"}
_TECHNIQUES = ("deep", "superficial", "electro")
_OUTCOMES = ("silent", "persists", "resolved")
_Choice = TypeVar("_Choice", bound=StrEnum)


class ProtocolError(ValueError):
    """A protocol that cannot be used. `field` is the path of what is wrong, like `steps[2].kind`."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}" if field else message)
        self.field = field
        self.message = message


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The numbers of the answer policy. Minutes count from the check-in's sending, hours from the session's end."""

    persists_score: int
    same_day_score: int
    meaningful_change: int
    silent_after_minutes: int
    reply_window_minutes: int
    clarify_limit: int
    recheck_limit: int
    expected: tuple[ExpectedSoreness, ...] = ()


@dataclass(frozen=True, slots=True)
class Condition:
    """For whom a step is; an empty part asks nothing.

    Of techniques, regions and outcomes one has to match, and every screening fact has to be known and as written.
    """

    techniques: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    screening: tuple[tuple[str, bool], ...] = ()
    outcomes: tuple[str, ...] = ()

    def holds(
        self,
        *,
        technique: str,
        regions: Collection[str],
        screening: Screening | None = None,
        outcome: str | None = None,
    ) -> bool:
        """Whether the step is for this session. What is not known does not match."""
        facts = screening or Screening()
        return (
            (not self.techniques or technique in self.techniques)
            and (not self.regions or not set(self.regions).isdisjoint(regions))
            and all(getattr(facts, fact) is wanted for fact, wanted in self.screening)
            and (not self.outcomes or outcome in self.outcomes)
        )


@dataclass(frozen=True, slots=True)
class StepDefinition:
    """One line of a protocol. The offset counts from the session's end, a nudge's from the check-in, a recheck's from
    the answer; the expiry from the moment the step was first due."""

    key: str
    kind: StepKind
    template_key: str
    offset_minutes: int
    when_quiet: WhenQuiet
    expires_minutes: int
    condition: Condition


@dataclass(frozen=True, slots=True)
class ProtocolDefinition:
    """A whole protocol, checked."""

    key: str
    name: str
    steps: tuple[StepDefinition, ...]
    thresholds: Thresholds


def parse_protocol(toml_text: str) -> ProtocolDefinition:
    """Read a protocol file. Raises ProtocolError with the path of the first wrong field and what to do about it."""
    try:
        data = tomllib.loads(toml_text)
    except tomllib.TOMLDecodeError as error:
        raise ProtocolError("", f"This is no TOML file yet: {error}.") from None
    return from_json(data)


def from_json(data: Mapping[str, Any]) -> ProtocolDefinition:
    """Build a definition from what `to_json` gave, or from a parsed file.

    Raises ProtocolError like `parse_protocol`.
    """
    top = _Table(data, "")
    top.only("key", "name", "steps", "thresholds")
    rows = top.take("steps")
    if not isinstance(rows, list) or not 1 <= len(rows) <= MAX_STEPS:
        top.refuse("steps", f"give 1 to {MAX_STEPS} steps, each as a [[steps]] table.")
    definition = ProtocolDefinition(
        key=top.slug("key"),
        name=top.words("name", 80),
        steps=tuple(_step(_table(row, f"steps[{number}]")) for number, row in enumerate(rows, start=1)),
        thresholds=_thresholds(_table(top.take("thresholds"), "thresholds")),
    )
    _check_together(definition)
    return definition


def to_json(definition: ProtocolDefinition) -> dict[str, Any]:
    """Return plain lists, dicts, strings and numbers for a JSON column; `from_json` gives the definition back."""
    return {
        "key": definition.key,
        "name": definition.name,
        "steps": [_step_json(step) for step in definition.steps],
        "thresholds": asdict(definition.thresholds),
    }


def thresholds_from_json(data: Mapping[str, Any]) -> Thresholds:
    """Read the `thresholds` part alone, for a reader that has no need of the steps."""
    return _thresholds(_table(data, "thresholds"))


def condition_from_json(data: Mapping[str, Any]) -> Condition:
    """Read one step's `condition` part alone."""
    return _condition(_table(data, "condition"))


def _step_json(step: StepDefinition) -> dict[str, Any]:
    condition = step.condition
    parts: dict[str, Any] = {
        "techniques": list(condition.techniques),
        "regions": list(condition.regions),
        "screening": dict(condition.screening),
        "outcomes": list(condition.outcomes),
    }
    return {
        "key": step.key,
        "kind": step.kind.value,
        "template_key": step.template_key,
        "offset_minutes": step.offset_minutes,
        "when_quiet": step.when_quiet.value,
        "expires_minutes": step.expires_minutes,
        "condition": {name: part for name, part in parts.items() if part},
    }


def _step(table: "_Table") -> StepDefinition:
    table.only(*(field.name for field in fields(StepDefinition)))
    condition = table.data.get("condition", {})
    return StepDefinition(
        key=table.slug("key"),
        kind=table.choice("kind", StepKind),
        template_key=table.slug("template_key"),
        offset_minutes=table.number("offset_minutes", 1, MAX_OFFSET_MINUTES),
        when_quiet=table.choice("when_quiet", WhenQuiet),
        expires_minutes=table.number("expires_minutes", 1, MAX_EXPIRES_MINUTES),
        condition=_condition(_table(condition, f"{table.path}.condition")),
    )


def _condition(table: "_Table") -> Condition:
    table.only(*(field.name for field in fields(Condition)))
    screening = _table(table.data.get("screening", {}), f"{table.path}.screening")
    screening.only(*SCREENING_FACTS)
    for fact, wanted in screening.data.items():
        if not isinstance(wanted, bool):
            screening.refuse(fact, "give true or false.")
    return Condition(
        techniques=table.names("techniques", _TECHNIQUES),
        regions=table.names("regions", None),
        screening=tuple(sorted(screening.data.items())),
        outcomes=table.names("outcomes", _OUTCOMES),
    )


def _thresholds(table: "_Table") -> Thresholds:
    table.only(*(field.name for field in fields(Thresholds)))
    thresholds = Thresholds(
        persists_score=table.number("persists_score", 1, 10),
        same_day_score=table.number("same_day_score", 1, 10),
        meaningful_change=table.number("meaningful_change", 1, 10),
        silent_after_minutes=table.number("silent_after_minutes", 60, MAX_OFFSET_MINUTES),
        reply_window_minutes=table.number("reply_window_minutes", 60, MAX_OFFSET_MINUTES),
        clarify_limit=table.number("clarify_limit", 0, 3),
        recheck_limit=table.number("recheck_limit", 0, 5),
        expected=_expected(table),
    )
    if thresholds.same_day_score < thresholds.persists_score:
        table.refuse("same_day_score", "let it be persists_score or more; a same-day score also persists.")
    if thresholds.reply_window_minutes < thresholds.silent_after_minutes:
        table.refuse("reply_window_minutes", "let it be silent_after_minutes or more; a late answer still counts.")
    return thresholds


def _expected(table: "_Table") -> tuple[ExpectedSoreness, ...]:
    rows = table.data.get("expected", ())  # a version that was published before there was a curve has none
    if not isinstance(rows, list | tuple) or len(rows) > MAX_STEPS:
        table.refuse("expected", f"give at most {MAX_STEPS} lines, each as an [[expected]] table.")
    lines = [_table(row, f"{table.path}.expected[{number}]") for number, row in enumerate(rows, start=1)]
    for line in lines:
        line.only(*(field.name for field in fields(ExpectedSoreness)))
    return tuple(
        ExpectedSoreness(
            from_hours=line.number("from_hours", 0, MAX_OFFSET_MINUTES // 60),
            at_most=line.number("at_most", 0, 10),
            techniques=line.names("techniques", _TECHNIQUES),
            regions=line.names("regions", None),
        )
        for line in lines
    )


def _check_together(definition: ProtocolDefinition) -> None:
    seen: set[str] = set()
    for number, step in enumerate(definition.steps, start=1):
        if step.key in seen:
            raise ProtocolError(f"steps[{number}].key", f"{step.key!r} is taken by an earlier step; choose another.")
        seen.add(step.key)
    kinds = {step.kind for step in definition.steps}
    for number, step in enumerate(definition.steps, start=1):
        if step.kind in (StepKind.NUDGE, StepKind.RECHECK) and StepKind.CHECK_IN not in kinds:
            message = f"a {step.kind.value} follows a check-in; add a step of kind check_in."
            raise ProtocolError(f"steps[{number}].kind", message)


def _table(data: object, path: str) -> "_Table":
    if not isinstance(data, Mapping):
        raise ProtocolError(path, "give a table with names and values.")
    return _Table(data, path)


@dataclass(frozen=True, slots=True)
class _Table:
    """A table of the file and where it stands, so that every complaint names its field."""

    data: Mapping[str, Any]
    path: str

    def refuse(self, name: str, message: str) -> NoReturn:
        raise ProtocolError(f"{self.path}.{name}" if self.path else name, message)

    def only(self, *known: str) -> None:
        for name in self.data:
            if name not in known:
                near = get_close_matches(name, known, n=1)
                hint = f"did you mean {near[0]}?" if near else f"use {', '.join(known)}."
                self.refuse(name, f"no such field; {hint}")

    def take(self, name: str) -> Any:
        if name not in self.data:
            self.refuse(name, "is missing; add it.")
        return self.data[name]

    def words(self, name: str, longest: int) -> str:
        value = self.take(name)
        if not isinstance(value, str) or not value.strip() or len(value) > longest:
            self.refuse(name, f"give 1 to {longest} characters.")
        return value.strip()

    def slug(self, name: str) -> str:
        value = self.words(name, 40)
        if not value.replace("-", "").replace("_", "").isalnum() or not value.isascii():
            self.refuse(name, "use letters, digits, - and _ only.")
        return value

    def number(self, name: str, least: int, most: int) -> int:
        value = self.take(name)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            self.refuse(name, f"give a whole number from {least} to {most}.")
        return value

    def choice(self, name: str, kinds: type[_Choice]) -> _Choice:
        value = self.take(name)
        if value not in [kind.value for kind in kinds]:
            self.refuse(name, f"use one of {', '.join(kind.value for kind in kinds)}.")
        return kinds(value)

    def names(self, name: str, known: tuple[str, ...] | None) -> tuple[str, ...]:
        value = self.data.get(name, [])
        if not isinstance(value, list | tuple) or not all(isinstance(item, str) and item for item in value):
            self.refuse(name, "give a list of names.")
        for item in value:
            if known is not None and item not in known:
                self.refuse(name, f"use only {', '.join(known)}.")
        return tuple(value)
