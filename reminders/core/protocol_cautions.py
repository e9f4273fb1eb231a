"""What may be meant in a protocol, but often is not: said to its author, and kept from nobody."""

from collections.abc import Iterator
from datetime import time, timedelta

from reminders.core.protocols import Condition, ProtocolDefinition, StepDefinition
from reminders.core.quiet_hours import QuietWindow
from reminders.core.schedule import StepKind, WhenQuiet

_QUESTIONS = (StepKind.CHECK_IN, StepKind.NUDGE, StepKind.RECHECK)


def cautions(*, definition: ProtocolDefinition, quiet: QuietWindow) -> list[str]:
    """Return sentences about what the author may not have seen; none is an error."""
    return [*_about_all(definition), *_about_nights(definition, quiet), *_about_reminders(definition)]


def night_of(quiet: QuietWindow) -> timedelta:
    """Return how long the quiet hours are on the clock; where it goes back they are an hour longer."""
    start, end = _minutes(quiet.start), _minutes(quiet.end)
    return timedelta(minutes=(end - start) % (24 * 60))


def _minutes(wall: time) -> int:
    return wall.hour * 60 + wall.minute


def _about_all(definition: ProtocolDefinition) -> Iterator[str]:
    asks = [step for step in definition.steps if step.kind is StepKind.CHECK_IN]
    if not asks:
        yield "Nobody is asked how they are: there is no check-in, so soreness that stays is not noticed."
    elif all(step.condition != Condition() for step in asks):
        yield "Not everybody is asked how they are: every check-in is for some patients alone."


def _about_nights(definition: ProtocolDefinition, quiet: QuietWindow) -> Iterator[str]:
    # One whole night in autumn: whoever leaves the clinic as it begins waits that long.
    night = night_of(quiet) + timedelta(hours=1)
    for number, step in enumerate(definition.steps, start=1):
        if step.kind not in _QUESTIONS or step.when_quiet is WhenQuiet.EARLIER:
            continue
        if step.when_quiet is WhenQuiet.SKIP:
            yield f"Step {number} asks, and is left out where it is due in quiet hours: then nobody asks."
        elif timedelta(minutes=step.expires_minutes) < night:
            hours = -(-night // timedelta(hours=1))
            yield (
                f"Step {number} asks, and can be lost in the night: where it is due in the evening it is worthless"
                f" before the morning. {hours} h last through every night."
            )


def _about_reminders(definition: ProtocolDefinition) -> Iterator[str]:
    silent_after = definition.thresholds.silent_after_minutes
    for number, step in enumerate(definition.steps, start=1):
        if step.kind is StepKind.NUDGE and _too_late(step, silent_after):
            yield f"Step {number} reminds after the question has closed: let it come before “Silence after”."


def _too_late(step: StepDefinition, silent_after: int) -> bool:
    return step.offset_minutes >= silent_after
