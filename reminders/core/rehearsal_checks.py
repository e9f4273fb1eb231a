"""A rehearsed story kept as a check: played again with another version, and held against what happened then."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time
from difflib import SequenceMatcher
from typing import Any, Final
from zoneinfo import ZoneInfo

from reminders.core.advice import Screening
from reminders.core.protocols import OUTCOME_BEFORE, ProtocolDefinition, StepDefinition
from reminders.core.quiet_hours import QuietWindow
from reminders.core.rehearsal import Moment, MomentKind, RehearsalStep, Treatment, rehearse
from reminders.core.schedule import ScheduleStep
from reminders.core.word_changes import Change

MINUTE: Final = "%Y-%m-%dT%H:%M"


@dataclass(frozen=True, slots=True)
class Story:
    """A treatment on the clinic's wall clock, the hours of that clinic, and what the made-up patient answers.

    The zone and the quiet hours belong to the story: a check tells of the protocol, not of hours the clinic changed.
    """

    technique: str
    region: str
    ended_on: date
    ended_at: time
    zone: str
    quiet_start: time
    quiet_end: time
    answers: tuple[str, ...]

    def ends(self) -> datetime:
        """Return when the treatment ended, in UTC."""
        return datetime.combine(self.ended_on, self.ended_at, tzinfo=ZoneInfo(self.zone)).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Line:
    """One moment of a kept story: `at` is the minute on the wall with its offset, `key` what happened."""

    at: str
    kind: str
    key: str
    severity: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """A moment that is gone from the story, new in it, or the same as before."""

    change: Change
    line: Line


def play_story(*, definition: ProtocolDefinition, story: Story, screening: Screening | None = None) -> list[Moment]:
    """Play a story through with this definition; without a `screening` it is of a patient whom nobody screened.

    Nothing is stored or sent.
    """
    regions = frozenset({story.region} - {""})
    return rehearse(
        steps=[
            RehearsalStep(_scheduled(step), step.template_key)
            for step in definition.steps
            if step.condition.holds(
                technique=story.technique,
                regions=regions,
                screening=screening,
                outcome=OUTCOME_BEFORE.get(step.kind),
            )
        ],
        thresholds=definition.thresholds,
        treatment=Treatment(story.ends(), story.technique, regions),
        zone=ZoneInfo(story.zone),
        quiet=QuietWindow(story.quiet_start, story.quiet_end),
        answers=story.answers,
    )


def lines_of(moments: Sequence[Moment], *, zone: str) -> list[Line]:
    """Return a played story as lines that can be kept and compared."""
    return [_line(one, ZoneInfo(zone)) for one in moments]


def differences(*, kept: Sequence[Line], played: Sequence[Line]) -> list[Difference]:
    """Return both stories as one, in the order of time; no difference at all is an empty list."""
    if list(kept) == list(played):
        return []
    return list(_compared(list(kept), list(played)))


def story_to_json(story: Story) -> dict[str, Any]:
    """Return plain values for a JSON column; `story_from_json` gives the story back."""
    data = asdict(story)
    for name in ("ended_on", "ended_at", "quiet_start", "quiet_end"):
        data[name] = data[name].isoformat()
    return data | {"answers": list(story.answers)}


def story_from_json(data: Mapping[str, Any]) -> Story:
    """Read what `story_to_json` gave."""
    return Story(
        technique=data["technique"],
        region=data["region"],
        ended_on=date.fromisoformat(data["ended_on"]),
        ended_at=time.fromisoformat(data["ended_at"]),
        zone=data["zone"],
        quiet_start=time.fromisoformat(data["quiet_start"]),
        quiet_end=time.fromisoformat(data["quiet_end"]),
        answers=tuple(data["answers"]),
    )


def lines_to_json(lines: Sequence[Line]) -> list[dict[str, str]]:
    """Return plain values for a JSON column; `lines_from_json` gives the lines back."""
    return [asdict(line) for line in lines]


def lines_from_json(data: Sequence[Mapping[str, str]]) -> list[Line]:
    """Read what `lines_to_json` gave."""
    return [Line(**line) for line in data]


def _line(one: Moment, zone: ZoneInfo) -> Line:
    local = one.at.astimezone(zone)
    if one.kind is MomentKind.ANSWER and one.reading is not None:
        key = one.reading.intent.value if one.reading.score is None else f"{one.reading.intent} {one.reading.score}"
    else:
        key = one.key or one.words
    severity = "" if one.severity is None else one.severity.value
    return Line(at=f"{local:{MINUTE}%z}", kind=one.kind.value, key=key, severity=severity)


def _compared(kept: list[Line], played: list[Line]) -> Iterator[Difference]:
    matcher = SequenceMatcher(a=kept, b=played, autojunk=False)
    for kind, old_first, old_last, new_first, new_last in matcher.get_opcodes():
        if kind == "equal":
            yield from (Difference(Change.SAME, line) for line in kept[old_first:old_last])
            continue
        yield from (Difference(Change.GONE, line) for line in kept[old_first:old_last])
        yield from (Difference(Change.NEW, line) for line in played[new_first:new_last])


def _scheduled(step: StepDefinition) -> ScheduleStep:
    return ScheduleStep(step.key, step.kind, step.offset_minutes, step.when_quiet, step.expires_minutes)
