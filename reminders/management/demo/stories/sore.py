"""Dana stays sore: she is heard, her therapist is told, and somebody calls her."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from reminders import clock
from reminders.conversations.models import CheckIn
from reminders.core.states import EscalationState, Severity
from reminders.escalations.models import Escalation
from reminders.management.demo.cast import DANA, LUCIA, OLIVIA, Visit
from reminders.management.demo.intake import treat
from reminders.management.demo.stage import CLOCK_TOLERANCE, Stage
from reminders.messaging.models import Kind

VISIT = Visit("demo-sore", "deep", ("shoulder", "neck"), "olivia", timedelta(minutes=5), soreness=(6, 5))
ANSWER = "still 7, hurts to lift my arm"
CODE = re.compile(r"case (\w{4})")


def sore(stage: Stage) -> Iterator[datetime]:
    """Told, followed up, escalated on the same day, acknowledged by text, resolved on the page, asked again."""
    treat(stage, DANA, VISIT)
    check_in = stage.texts(DANA, "check_in").get()
    yield check_in.due_at
    asked = stage.received(DANA, "check_in")
    late = datetime.fromisoformat(asked["created_at"]) - check_in.due_at
    stage.check("she is asked 24 hours after her session", -CLOCK_TOLERANCE <= late < timedelta(minutes=1))

    yield check_in.due_at + timedelta(minutes=6)
    stage.write(DANA, ANSWER)
    told = stage.received(DANA, "told_your_pt_follow_up")["body"]
    case = stage.case(DANA, "persists")
    stage.check("she is told that her PT knows, and is asked how it goes on", "We told" in told and "11" in told)
    stage.check(f"case {case.code} is open, for the same day", case.severity == Severity.SAME_DAY)
    notice = stage.received(OLIVIA, "staff_notice")["body"]
    stage.check(
        "Olivia’s text has a code, a level and a link, and neither name nor number nor words",
        case.code in notice and not any(word in notice for word in ("Dana", "Reyes", DANA.phone[-4:], "arm")),
    )
    today = stage.browser(OLIVIA).read("/")
    stage.check(
        "Dana is on top of the console’s first page, with her words, above Lucía’s routine case",
        0 <= today.find(DANA.name) < today.find(ANSWER) < today.find(LUCIA.name),
    )

    yield clock.now() + timedelta(minutes=3)
    found = CODE.search(notice)
    stage.write(OLIVIA, found[1] if found else "the text has no code")
    stage.received(OLIVIA, "staff_acknowledged")
    case.refresh_from_db()
    stage.check(
        "the case is Olivia’s, by text",
        (case.state, case.acknowledged_via) == (EscalationState.ACKNOWLEDGED, "sms")
        and case.owner is not None and case.owner.username == "olivia",
    )  # fmt: skip
    stage.write(DANA, "12")
    stage.received(DANA, "told_your_pt")
    yield from _resolve(stage, case)
    yield from _ask_again(stage, check_in.due_at)


def _resolve(stage: Stage, case: Escalation) -> Iterator[datetime]:
    yield clock.now() + timedelta(minutes=10)
    path = f"/escalations/{case.pk}/"
    browser = stage.browser(OLIVIA)
    today, brief = browser.read("/"), browser.read(path)
    stage.check("the console’s first page has Dana’s case among those in somebody’s hands", DANA.name in today)
    stage.check(
        "the case shows the session, the texts she got and her own words",
        all(words in brief for words in (DANA.name, ANSWER, "Deep", "shoulder", "How sore are you now?")),
    )
    stage.tell(OLIVIA, "Olivia calls Dana, then closes the case in the console: advice given")
    browser.submit(
        f"{path}resolve/", form_on=path, outcome=Escalation.Outcome.ADVISED, note="Ice, rest, see her on Friday."
    )
    case.refresh_from_db()
    stage.check(
        "the case is resolved with its outcome",
        (case.state, case.outcome) == (EscalationState.RESOLVED, Escalation.Outcome.ADVISED),
    )


def _ask_again(stage: Stage, asked_at: datetime) -> Iterator[datetime]:
    recheck = stage.texts(DANA).get(kind=Kind.RECHECK)
    stage.check(
        "she is to be asked again a day after her answer",
        timedelta(hours=24) <= recheck.due_at - asked_at < timedelta(hours=25),
    )
    yield recheck.due_at
    stage.received(DANA, "recheck")
    yield recheck.due_at + timedelta(minutes=9)
    stage.write(DANA, "2, much better today")
    stage.received(DANA, "thanks_resolved")
    again = CheckIn.objects.get(message=recheck)
    stage.check("the second answer is kept: 2, resolved", (again.score, again.outcome) == (2, "resolved"))
