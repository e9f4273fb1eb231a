"""What is asked every second, or at every poll of a page, has an index that holds nothing but what it asks for."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import cast

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from reminders.clinic.models import Clinic
from reminders.conversations.check_ins import open_asked_check_ins
from reminders.conversations.silence import close_silent
from reminders.delivery.port import Carrier
from reminders.insights.delivery import looked_for, undecided
from reminders.insights.figures import read_figures
from reminders.insights.selectors import check_in_board
from reminders.messaging.receipts import ask_for_receipts
from reminders.messaging.second_attempts import make_second_attempts
from reminders.messaging.senders import queues
from reminders.messaging.sweeps import unplanned

pytestmark = pytest.mark.django_db
# No text is without its receipt here, so nobody is asked.
NOBODY = cast("Carrier", None)
GROWS_FOR_YEARS = ("message", "outbox", "checkin", "treatmentsession")
ASKED_OFTEN = {
    "the sweep that opens check-ins": lambda _clinic, now: open_asked_check_ins(now=now),
    "the sweep that closes them": lambda _clinic, now: close_silent(now=now),
    "the sweep that plans": lambda _clinic, now: unplanned(now=now),
    "the look for receipts": lambda _clinic, now: ask_for_receipts(now=now, carrier=NOBODY),
    "the sweep for second attempts": lambda _clinic, now: make_second_attempts(now=now),
    "the figures": lambda _clinic, now: read_figures(now=now),
    "today": lambda clinic, now: check_in_board(clinic=clinic, now=now),
    "what nobody knows the fate of": lambda clinic, _now: (undecided(clinic=clinic), looked_for(clinic=clinic)),
    "what waits for each sender": lambda clinic, now: queues(clinic=clinic, now=now),
}
OWN = (
    r"message_(asked|lately|fell_away)|outbox_(next_due|waiting|leased|ambiguous|unresolved)"
    r"|check_in_(open|waiting|answered|silent)|session_not_planned"
)


@pytest.mark.parametrize("ask", ASKED_OFTEN.values(), ids=ASKED_OFTEN)
def test_nothing_that_is_finished_is_looked_at(
    clinic: Clinic, now: datetime, ask: Callable[[Clinic, datetime], object]
) -> None:
    with CaptureQueriesContext(connection) as captured:
        ask(clinic, now + timedelta(seconds=1))
    tables = "|".join(GROWS_FOR_YEARS)
    asked = [query["sql"] for query in captured if re.search(rf'FROM "?reminders_({tables})\b', query["sql"])]

    assert asked
    with connection.cursor() as cursor:
        # On an empty table any index is as good as another, so the planner is left these alone.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        tables_that_grow = [f"reminders_{table}" for table in GROWS_FOR_YEARS]
        cursor.execute(
            "SELECT conrelid::regclass::text, conname FROM pg_constraint"
            " WHERE contype IN ('p', 'u') AND conrelid = ANY (%s::regclass[])",
            [tables_that_grow],
        )
        for table, constraint in cursor.fetchall():
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {constraint} CASCADE")
        cursor.execute(
            "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = ANY (%s::regclass[])", [tables_that_grow]
        )
        for (index,) in cursor.fetchall():
            if not re.fullmatch(OWN, index):
                cursor.execute(f"DROP INDEX {index}")
        cursor.execute("SET LOCAL enable_seqscan = off")
        for statement in asked:
            cursor.execute(f"EXPLAIN {statement}")
            plan = " ".join(line for (line,) in cursor.fetchall())
            assert re.search(rf"(using|on) ({OWN})\b", plan), plan
