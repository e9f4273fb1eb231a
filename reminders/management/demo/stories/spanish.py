"""Lucía writes Spanish: she is understood, and answered in her language."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from reminders.conversations.models import CheckIn
from reminders.core.states import Severity
from reminders.management.demo.cast import LUCIA, Visit
from reminders.management.demo.intake import treat
from reminders.management.demo.stage import Stage
from reminders.messaging.models import Kind

VISIT = Visit("demo-spanish", "superficial", ("hip",), "theo", timedelta(minutes=50), language="es")


def spanish(stage: Stage) -> Iterator[datetime]:
    """A routine case, and a second question a day later."""
    treat(stage, LUCIA, VISIT)
    check_in = stage.texts(LUCIA, "check_in").get()
    yield check_in.due_at + timedelta(minutes=14)
    stage.write(LUCIA, "todavía me duele, un 5")
    told = stage.received(LUCIA, "told_your_pt_follow_up")
    stage.check("she is answered in Spanish", "Gracias" in told["body"])
    case = stage.case(LUCIA, "persists")
    answered = CheckIn.objects.get(message=check_in)
    stage.check(
        f"her 5 is understood: case {case.code} is open, routine",
        (answered.score, case.severity) == (5, Severity.ROUTINE),
    )
    recheck = stage.texts(LUCIA).get(kind=Kind.RECHECK)
    yield recheck.due_at + timedelta(minutes=25)
    stage.write(LUCIA, "un 1, ya casi no me duele")
    stage.received(LUCIA, "thanks_resolved")
    sent = [record["body"] for row in stage.texts(LUCIA) for record in stage.processed(row)]
    stage.check(
        f"all {len(sent)} texts she got were Spanish",
        bool(sent) and not stage.texts(LUCIA).exclude(language="es").exists(),
    )
