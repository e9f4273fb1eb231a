"""The numbers of the answer policy where no protocol speaks, because no question is open."""

from datetime import timedelta

from reminders.core.protocols import Thresholds

# Which treatment a text is about where no question is open: soreness and late signs show within days.
RECENT = timedelta(days=7)
UNASKED = Thresholds(
    persists_score=4,
    same_day_score=7,
    meaningful_change=2,
    silent_after_minutes=1440,
    reply_window_minutes=2880,
    clarify_limit=0,
    recheck_limit=0,
)
