"""What changed between two versions of a protocol, part by part."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any

from reminders.core.protocols import ProtocolDefinition, StepDefinition, Thresholds


class ChangeKind(StrEnum):
    """How a part changed."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class ProtocolChange:
    """One difference. A `step` names its text (`template_key`); without one it is about the whole protocol.

    `field` is the name of a step's field or a threshold; `before` and `after` are its values, of a whole step or a line
    of the curve the thing itself. An order that changed has the `field` "order".
    """

    kind: ChangeKind
    field: str
    step: str = ""
    before: Any = None
    after: Any = None


def protocol_changes(*, before: ProtocolDefinition, after: ProtocolDefinition) -> list[ProtocolChange]:
    """Return what a reader has to know to get from one version to the other: steps by key first, then the numbers.

    In which order a condition names its techniques or places is no difference.
    """
    before, after = _in_order(before), _in_order(after)
    return [*_name(before, after), *_steps(before, after), *_numbers(before.thresholds, after.thresholds)]


def _in_order(definition: ProtocolDefinition) -> ProtocolDefinition:
    thresholds = definition.thresholds
    return replace(
        definition,
        steps=tuple(
            replace(
                step,
                condition=replace(
                    step.condition,
                    techniques=tuple(sorted(step.condition.techniques)),
                    regions=tuple(sorted(step.condition.regions)),
                    outcomes=tuple(sorted(step.condition.outcomes)),
                ),
            )
            for step in definition.steps
        ),
        thresholds=replace(
            thresholds,
            expected=tuple(
                replace(line, techniques=tuple(sorted(line.techniques)), regions=tuple(sorted(line.regions)))
                for line in thresholds.expected
            ),
        ),
    )


def _name(before: ProtocolDefinition, after: ProtocolDefinition) -> Iterator[ProtocolChange]:
    if before.name != after.name:
        yield ProtocolChange(ChangeKind.CHANGED, "name", before=before.name, after=after.name)


def _steps(before: ProtocolDefinition, after: ProtocolDefinition) -> Iterator[ProtocolChange]:
    old = {step.key: step for step in before.steps}
    new = {step.key: step for step in after.steps}
    for key, step in old.items():
        if key not in new:
            yield ProtocolChange(ChangeKind.REMOVED, "step", step=step.template_key, before=step)
    for key, step in new.items():
        if key not in old:
            yield ProtocolChange(ChangeKind.ADDED, "step", step=step.template_key, after=step)
        else:
            yield from _fields(old[key], step)
    kept = [key for key in old if key in new]
    if kept != [key for key in new if key in old]:
        yield ProtocolChange(
            ChangeKind.MOVED,
            "order",
            before=tuple(old[key].template_key for key in kept),
            after=tuple(step.template_key for key, step in new.items() if key in old),
        )


def _fields(before: StepDefinition, after: StepDefinition) -> Iterator[ProtocolChange]:
    for field in fields(StepDefinition):
        was, now = getattr(before, field.name), getattr(after, field.name)
        if was != now:
            yield ProtocolChange(ChangeKind.CHANGED, field.name, step=after.template_key, before=was, after=now)


def _numbers(before: Thresholds, after: Thresholds) -> Iterator[ProtocolChange]:
    for field in fields(Thresholds):
        was, now = getattr(before, field.name), getattr(after, field.name)
        if field.name != "expected" and was != now:
            yield ProtocolChange(ChangeKind.CHANGED, field.name, before=was, after=now)
    for line in before.expected:
        if line not in after.expected:
            yield ProtocolChange(ChangeKind.REMOVED, "expected", before=line)
    for line in after.expected:
        if line not in before.expected:
            yield ProtocolChange(ChangeKind.ADDED, "expected", after=line)
