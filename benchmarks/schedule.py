"""How many plans a second the pure schedule lays out: `python -m benchmarks.schedule`.

The plans are the default protocol's, for sessions that end all over the year and all round the clock in every zone of a
list, so that most have texts to move and some meet a clock change.
"""

import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from reminders.core.quiet_hours import DEFAULT_QUIET
from reminders.core.schedule import ScheduleStep, StepKind, WhenQuiet, lay_out

ZONES = [
    ZoneInfo(name)
    for name in ("America/Chicago", "America/New_York", "America/Phoenix", "America/Los_Angeles", "America/Santiago")
]
STEPS = [
    ScheduleStep("heat", StepKind.ADVICE, 60, WhenQuiet.LATER, 720),
    ScheduleStep("exercise", StepKind.ADVICE, 240, WhenQuiet.LATER, 720),
    ScheduleStep("otc", StepKind.ADVICE, 360, WhenQuiet.LATER, 720),
    ScheduleStep("check_in", StepKind.CHECK_IN, 1440, WhenQuiet.LATER, 720),
    ScheduleStep("nudge", StepKind.NUDGE, 240, WhenQuiet.LATER, 960),
    ScheduleStep("recheck", StepKind.RECHECK, 1440, WhenQuiet.LATER, 720),
]
PLANS = 20_000
FIRST_END = datetime(2026, 1, 1, 0, 7, tzinfo=UTC)


def main() -> None:
    """Lay out the plans three times and print the best run."""
    ends = [FIRST_END + timedelta(minutes=26 * n) for n in range(PLANS)]
    best, messages = float("inf"), 0
    for _ in range(3):
        messages = 0
        began = time.perf_counter()
        for n, ended_at in enumerate(ends):
            zone = ZONES[n % len(ZONES)]
            messages += len(lay_out(steps=STEPS, ended_at=ended_at, zone=zone, quiet=DEFAULT_QUIET))
        best = min(best, time.perf_counter() - began)
    print(f"{PLANS / best:,.0f} plans/s, {messages / best:,.0f} messages/s, {best / PLANS * 1e6:.1f} µs a plan")


if __name__ == "__main__":
    main()
