"""Ravi has had enough: one confirmation, and then silence for good."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from reminders.core.states import UNSENT, MessageState
from reminders.management.demo.cast import RAVI, Visit
from reminders.management.demo.intake import treat
from reminders.management.demo.stage import Stage

VISIT = Visit("demo-stopped", "electro", ("lower_back",), "theo", timedelta(minutes=30))


def stopped(stage: Stage) -> Iterator[datetime]:
    """STOP wins over everything that was planned. The last page of the demo looks at all three days."""
    treat(stage, RAVI, VISIT)
    heat = stage.texts(RAVI, "advice_heat").get()
    yield heat.due_at + timedelta(minutes=5)
    stage.write(RAVI, "STOP")
    stage.received(RAVI, "opt_out_confirmed")
    rows = stage.texts(RAVI)
    taken_back = rows.filter(state=MessageState.SUPPRESSED, reason="opted_out").count()
    stage.check(
        f"Ravi gets one confirmation, and the {taken_back} texts that were still to come are taken back",
        taken_back > 0 and not rows.filter(state__in=list(UNSENT)).exists(),
    )
