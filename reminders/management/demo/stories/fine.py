"""Sam is fine: a number, a thank-you, and no work for anybody."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from reminders.conversations.models import CheckIn
from reminders.escalations.models import Escalation
from reminders.management.demo.cast import SAM, Visit
from reminders.management.demo.intake import treat
from reminders.management.demo.stage import Stage

VISIT = Visit("demo-fine", "superficial", ("calf",), "theo", timedelta(minutes=35))


def fine(stage: Stage) -> Iterator[datetime]:
    """Asked after a day, answered, thanked."""
    treat(stage, SAM, VISIT)
    check_in = stage.texts(SAM, "check_in").get()
    yield check_in.due_at + timedelta(minutes=12)
    stage.write(SAM, "2, much better")
    stage.received(SAM, "thanks_resolved")
    answered = CheckIn.objects.get(message=check_in)
    stage.check(
        "Sam is thanked; his check-in is closed with a 2", (answered.score, answered.outcome) == (2, "resolved")
    )
    cases = Escalation.objects.filter(patient=answered.patient)
    stage.check("nobody at the clinic has work with it", not cases.exists())
