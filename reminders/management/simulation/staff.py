"""How long staff take: drawn per case, in the clinic's hours where nobody is rung."""

import math
import random
from datetime import datetime, timedelta

from reminders.clinic.models import Clinic
from reminders.clinic.selectors import is_open, next_opening
from reminders.core.states import Severity
from reminders.management.simulation import rates

SPREAD = 0.6
SAME_DAY_MEDIAN = 20.0
# The share that is taken within the hour fixes the spread: the normal quantile of 90 % is 1.2816.
SAME_DAY_SPREAD = math.log(60 / SAME_DAY_MEDIAN) / 1.2816
ROUND_HOURS = 4.0


def taken_at(*, clinic: Clinic, severity: Severity, told_at: datetime, seed: int, case: int) -> datetime:
    """Return when somebody takes a case that they were told of, or that came onto the worklist, at `told_at`.

    Urgent: minutes, more of them at night. Same day: mostly within the hour. Routine: with the next look at the
    worklist, within four open hours.
    """
    chance = random.Random(f"{seed}/staff/{case}")  # noqa: S311 variety, not secrecy
    if severity is Severity.URGENT:
        median = rates.URGENT_BY_DAY if is_open(clinic=clinic, at=told_at) else rates.URGENT_BY_NIGHT
        return told_at + timedelta(minutes=median.value * chance.lognormvariate(0, SPREAD))
    if severity is Severity.SAME_DAY:
        minutes = SAME_DAY_MEDIAN * chance.lognormvariate(0, SAME_DAY_SPREAD)
        return told_at + timedelta(minutes=minutes)
    opens = next_opening(clinic=clinic, at=told_at) or told_at
    looks = opens + timedelta(hours=chance.uniform(0, ROUND_HOURS))
    return next_opening(clinic=clinic, at=looks) or looks
