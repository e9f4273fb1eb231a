"""Status callbacks: stored before they are answered, many in one transaction."""

from collections.abc import Sequence

import structlog
from django.db import Error, connection

from reminders import clock
from reminders.messaging.status import Heard, Report, record_reports
from reminders.webhooks.together import Together

log = structlog.get_logger(__name__)

# Above what the threads of one web process can bring at once; it bounds a statement, not the pace.
MOST_TOGETHER = 100


def take_in(report: Report) -> Heard:
    """Store one callback and what follows from it; return when that is committed.

    One that cannot go together with others goes alone, as does the whole batch that held one which spoilt it. Raises
    the database's error where it cannot be stored at all: then the carrier has to be told, and comes back.
    """
    heard = Heard.NOT_STORED if report.must_be_alone else _desk.do(report)
    return _alone(report) if heard is Heard.NOT_STORED else heard


def _together(reports: Sequence[Report]) -> Sequence[Heard]:
    _leave_a_dead_connection()
    try:
        return record_reports(reports=reports, now=clock.now())
    except Error as error:
        log.warning("statuses_not_stored_together", reports=len(reports), kind=type(error).__name__)
        return [Heard.NOT_STORED] * len(reports)


def _alone(report: Report) -> Heard:
    _leave_a_dead_connection()
    return record_reports(reports=[report], now=clock.now(), alone=True)[0]


def _leave_a_dead_connection() -> None:
    """As Django does where a request begins; callbacks that are answered in front of it have no such moment."""
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()


_desk = Together(_together, most=MOST_TOGETHER)
