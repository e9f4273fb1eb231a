"""When each step of a plan leaves: elapsed offsets, quiet hours, expiry, and room between advice texts.

The rules, with the choices made where a rule alone leaves room:

- An offset is elapsed time: 24 h after 17:40 on the eve of a clock change is 16:40 or 18:40 on the wall.
- A step that is first due in quiet hours (see `core.quiet_hours`) does what its `when_quiet` says. `later`: it moves to
  the next `end`. `earlier`: it moves to one minute before the `start` that opened this window, unless that is before
  the session's end (or the anchor, where that is later: no nudge precedes its question) plus 5 minutes, or is quiet
  itself; then it does as `later`. `skip`: it is dropped.
- Expiry counts from the moment the step was first due, also when it moves earlier. A step that would leave after its
  expiry is dropped; one that would leave exactly at it is kept.
- Advice texts keep 10 minutes between them wherever moving brought them closer. They take their places in step order:
  each goes where it wants to be, and only where that is less than 10 minutes from the place of an earlier step, and at
  least one of the two was moved, it goes to 10 minutes after that one, and so on until it is clear of all. So
  - the earlier step of a pair keeps its time and the later step waits, even if the later step landed first: never is
    a text sent before it was due to make room. Steps that land 10 minutes or more apart keep their times, in whatever
    order those fall;
  - two texts that were both due at their times stay as close as the protocol put them;
  - a text that was pushed counts as moved;
  - a text that is pushed into quiet hours moves on to the next `end` (and makes room there again); a `skip` step is
    dropped instead;
  - a text that is pushed past its expiry is dropped, and a dropped step holds no place;
  - check-ins neither wait nor are waited for: their hour belongs to the answer they ask for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from reminders.core.quiet_hours import QuietWindow, before_opening_start, is_quiet, next_open

ADVICE_SPACING = timedelta(minutes=10)
EARLIEST_AFTER_SESSION = timedelta(minutes=5)


class ScheduleError(ValueError):
    """A plan cannot be laid out; the message says what to change."""


class StepKind(StrEnum):
    """What a step is for. A nudge follows a silent check-in and a recheck an answer; the others follow the session."""

    ADVICE = "advice"
    CHECK_IN = "check_in"
    NUDGE = "nudge"
    RECHECK = "recheck"


class WhenQuiet(StrEnum):
    """What a step does that is first due in quiet hours."""

    LATER = "later"
    EARLIER = "earlier"
    SKIP = "skip"


class DropReason(StrEnum):
    """Why a step is not sent at all; stable codes."""

    QUIET_HOURS = "quiet_hours"
    EXPIRED = "expired"


SENTENCES = {
    DropReason.QUIET_HOURS: "It was due in the patient's quiet hours, and the protocol skips it then.",
    DropReason.EXPIRED: "The first moment it could leave was past its expiry.",
}


@dataclass(frozen=True, slots=True)
class ScheduleStep:
    """One step of a protocol: due `offset_minutes` after its anchor, worthless `expires_minutes` after it was due.

    Raises ScheduleError where either is negative.
    """

    key: str
    kind: StepKind
    offset_minutes: int
    when_quiet: WhenQuiet
    expires_minutes: int

    def __post_init__(self) -> None:
        if self.offset_minutes < 0:
            raise ScheduleError("Let offset_minutes be 0 or more; a step cannot be due before what it follows.")
        if self.expires_minutes < 0:
            raise ScheduleError("Let expires_minutes be 0 or more; a step cannot expire before it is due.")


@dataclass(frozen=True, slots=True)
class Placed:
    """A step that leaves at `at`. All times are UTC; `first_due_at` is before any move, `expires_at` counts from it."""

    key: str
    kind: StepKind
    first_due_at: datetime
    at: datetime
    expires_at: datetime

    @property
    def moved(self) -> bool:
        """Whether quiet hours or spacing changed the time."""
        return self.at != self.first_due_at


@dataclass(frozen=True, slots=True)
class Dropped:
    """A step that is never sent, with a stable `reason` and a sentence for people."""

    key: str
    kind: StepKind
    first_due_at: datetime
    reason: DropReason

    @property
    def sentence(self) -> str:
        """The reason in words."""
        return SENTENCES[self.reason]


def place_step(
    *, step: ScheduleStep, anchor_at: datetime, ended_at: datetime, zone: ZoneInfo, quiet: QuietWindow
) -> Placed | Dropped:
    """Place one step on its own, `offset_minutes` after `anchor_at`, without regard to other texts.

    The anchor is the session's end for advice and check-ins, the moment the check-in was sent for a nudge, and the
    answer for a recheck; `ended_at` is always the session's end. Raises ScheduleError for a moment without a zone, or
    one so far out that the calendar ends.
    """
    return _place_within_calendar(step, _instant(anchor_at), _instant(ended_at), zone, quiet)


def lay_out(
    *, steps: Sequence[ScheduleStep], ended_at: datetime, zone: ZoneInfo, quiet: QuietWindow
) -> list[Placed | Dropped]:
    """Lay out the advice and check-in steps of a session that ended at `ended_at`, in step order.

    Nudges and rechecks are left out: what they follow has not happened yet (see `place_step`). Raises ScheduleError
    for a moment without a zone, or one so far out that the calendar ends.
    """
    ended_at = _instant(ended_at)
    laid_out: list[Placed | Dropped] = []
    advice: list[Placed] = []
    for step in steps:
        if step.kind not in (StepKind.ADVICE, StepKind.CHECK_IN):
            continue
        place = _place_within_calendar(step, ended_at, ended_at, zone, quiet)
        if step.kind is StepKind.ADVICE and isinstance(place, Placed):
            place = clear_of(advice, place, when_quiet=step.when_quiet, zone=zone, quiet=quiet)
            if isinstance(place, Placed):
                advice.append(place)
        laid_out.append(place)
    return laid_out


def _instant(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ScheduleError("Give moments with their zone; a naive one names no instant.")
    return moment.astimezone(UTC)


def _place_within_calendar(
    step: ScheduleStep, anchor_at: datetime, ended_at: datetime, zone: ZoneInfo, quiet: QuietWindow
) -> Placed | Dropped:
    try:
        return _place(step, anchor_at, ended_at, zone, quiet)
    except OverflowError as error:
        raise ScheduleError(f"Bring step {step.key!r} closer; its times lie beyond the calendar.") from error


def _place(
    step: ScheduleStep, anchor_at: datetime, ended_at: datetime, zone: ZoneInfo, quiet: QuietWindow
) -> Placed | Dropped:
    first_due_at = anchor_at + timedelta(minutes=step.offset_minutes)
    expires_at = first_due_at + timedelta(minutes=step.expires_minutes)
    at = next_open(at=first_due_at, zone=zone, quiet=quiet)
    if at != first_due_at:
        if step.when_quiet is WhenQuiet.SKIP:
            return Dropped(step.key, step.kind, first_due_at, DropReason.QUIET_HOURS)
        if step.when_quiet is WhenQuiet.EARLIER:
            earlier = before_opening_start(at=first_due_at, zone=zone, quiet=quiet)
            earliest = max(anchor_at, ended_at) + EARLIEST_AFTER_SESSION
            if earlier >= earliest and not is_quiet(at=earlier, zone=zone, quiet=quiet):
                at = earlier
    if at > expires_at:
        return Dropped(step.key, step.kind, first_due_at, DropReason.EXPIRED)
    return Placed(step.key, step.kind, first_due_at, at, expires_at)


def clear_of(
    advice: Sequence[Placed], wanted: Placed, *, when_quiet: WhenQuiet, zone: ZoneInfo, quiet: QuietWindow
) -> Placed | Dropped:
    """Push `wanted` until it is clear of the `advice` texts that precede it in step order; drop it past its expiry."""
    at = wanted.at
    while (blocker := _too_close(advice, at, moved=at != wanted.first_due_at)) is not None:
        pushed = blocker.at + ADVICE_SPACING
        at = next_open(at=pushed, zone=zone, quiet=quiet)
        if at != pushed and when_quiet is WhenQuiet.SKIP:
            return Dropped(wanted.key, wanted.kind, wanted.first_due_at, DropReason.QUIET_HOURS)
    if at > wanted.expires_at:
        return Dropped(wanted.key, wanted.kind, wanted.first_due_at, DropReason.EXPIRED)
    if at == wanted.at:
        return wanted
    return Placed(wanted.key, wanted.kind, wanted.first_due_at, at, wanted.expires_at)


def _too_close(advice: Sequence[Placed], at: datetime, *, moved: bool) -> Placed | None:
    """Return an advice text less than 10 minutes from `at` through moving, or None."""
    for other in advice:
        if abs(other.at - at) < ADVICE_SPACING and (moved or other.moved):
            return other
    return None
