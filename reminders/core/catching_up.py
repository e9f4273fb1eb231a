"""A plan that is laid out late: what was due before anybody knew of the session."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from reminders.core.quiet_hours import QuietWindow, next_open
from reminders.core.schedule import Dropped, DropReason, Placed, StepKind, WhenQuiet, clear_of


def catch_up(
    laid: Sequence[Placed | Dropped], *, now: datetime, zone: ZoneInfo, quiet: QuietWindow
) -> list[Placed | Dropped]:
    """Move what lies in the past to now, advice 10 minutes apart, out of quiet hours; drop what that makes stale.

    A session that is entered five hours after its end would otherwise send heat, exercise and medicine in one moment.
    Steps that are still ahead keep their times, unless a late advice text now leaves less than 10 minutes from them.
    The result stands in the order given; `now` is aware.
    """
    advice: list[Placed] = []
    result: list[Placed | Dropped] = []
    for outcome in laid:
        if isinstance(outcome, Placed) and outcome.at < now:
            outcome = replace(outcome, at=next_open(at=now, zone=zone, quiet=quiet))
        if isinstance(outcome, Placed) and outcome.kind is StepKind.ADVICE:
            outcome = clear_of(advice, outcome, when_quiet=WhenQuiet.LATER, zone=zone, quiet=quiet)
        if isinstance(outcome, Placed) and outcome.at > outcome.expires_at:
            outcome = Dropped(outcome.key, outcome.kind, outcome.first_due_at, DropReason.EXPIRED)
        if isinstance(outcome, Placed) and outcome.kind is StepKind.ADVICE:
            advice.append(outcome)
        result.append(outcome)
    return result
