"""Nina says nothing: she is asked once more, and then somebody looks, because of where the needles were."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from reminders.conversations.models import CheckIn
from reminders.core.states import CheckInState, MessageState, Severity
from reminders.management.demo.cast import NINA, OLIVIA, Visit
from reminders.management.demo.intake import treat
from reminders.management.demo.stage import Stage
from reminders.messaging.models import Kind, Message

VISIT = Visit("demo-silent", "deep", ("thorax", "upper_back"), "olivia", timedelta(minutes=60))


def silent(stage: Stage) -> Iterator[datetime]:
    """A nudge after four hours; after a day of silence the silent list, with its cause, and a routine case."""
    treat(stage, NINA, VISIT)
    check_in = stage.texts(NINA, "check_in").get()
    yield check_in.due_at
    stage.received(NINA, "check_in")
    # The cause of her silence is read off the receipt, and a day passes here in a second or two.
    arrived = Message.objects.filter(pk=check_in.pk, state=MessageState.DELIVERED)
    stage.wait_for(arrived.exists, what="the question’s receipt has come in")
    asked = stage.wait_for(lambda: CheckIn.objects.filter(message=check_in).first(), what="Nina’s answer is awaited")
    nudge = stage.texts(NINA).get(kind=Kind.NUDGE)
    yield nudge.due_at
    stage.received(NINA, "nudge")
    stage.check("Nina is asked once more, four hours later", nudge.due_at - asked.asked_at >= timedelta(hours=4))

    yield asked.closes_at + timedelta(seconds=1)
    closed = stage.wait_for(
        lambda: CheckIn.objects.filter(pk=asked.pk, state=CheckInState.SILENT).first(),
        what="Nina’s check-in is closed as silent",
    )
    stage.tell(NINA, "A day has passed without a word from Nina")
    stage.check(
        "her check-in is closed as silent, with its cause: the text arrived, no answer came",
        closed.silent_cause == "delivered_but_quiet",
    )
    case = stage.case(NINA, "silence")
    stage.check(f"deep needling near the lungs: case {case.code} is open, routine", case.severity == Severity.ROUTINE)
    today = stage.browser(OLIVIA).read("/")
    stage.check(
        "the console’s first page has Nina on the silent list, with the cause",
        re.search(rf"silent: The text arrived; no answer came\.(?:(?! silent: ).)*{NINA.name}", today, re.DOTALL)
        is not None,
    )
    asks = stage.texts(NINA).filter(kind__in=[Kind.CHECK_IN, Kind.NUDGE, Kind.RECHECK])
    stage.check("she was asked twice in all", sum(len(stage.processed(row)) for row in asks) == len(("ask", "nudge")))
