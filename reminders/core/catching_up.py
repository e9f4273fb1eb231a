"""A plan that is laid out late: what was due before anybody knew of the session."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from reminders.core.quiet_hours import QuietWindow, is_quiet, next_open
from reminders.core.schedule import ADVICE_SPACING, Dropped, DropReason, Placed, StepKind


def catch_up(
    laid: Sequence[Placed | Dropped], *, now: datetime, zone: ZoneInfo, quiet: QuietWindow
) -> list[Placed | Dropped]:
    """Move what lies in the past to now, advice 10 minutes apart, out of quiet hours; drop what that makes stale.

    A session that is entered five hours after its end would otherwise send heat, exercise and medicine in one moment.
    Steps that are still ahead keep their times, unless a late advice text now leaves less than 10 minutes before them.
    Order is kept; `now` is aware.
    """
    last_late: datetime | None = None
    result: list[Placed | Dropped] = []
    for outcome in laid:
        if isinstance(outcome, Dropped):
            result.append(outcome)
            continue
        is_advice = outcome.kind is StepKind.ADVICE
        at = max(outcome.at, now)
        if is_advice and last_late is not None and abs(at - last_late) < ADVICE_SPACING:
            at = last_late + ADVICE_SPACING
        if at != outcome.at and is_quiet(at=at, zone=zone, quiet=quiet):
            at = next_open(at=at, zone=zone, quiet=quiet)
            if is_advice and last_late is not None and abs(at - last_late) < ADVICE_SPACING:
                at = last_late + ADVICE_SPACING
        if at > outcome.expires_at:
            result.append(Dropped(outcome.key, outcome.kind, outcome.first_due_at, DropReason.EXPIRED))
            continue
        if is_advice and at != outcome.at:
            last_late = at
        result.append(Placed(outcome.key, outcome.kind, outcome.first_due_at, at, outcome.expires_at))
    return result
