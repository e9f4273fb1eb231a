"""The pace of a sender is one, however many workers take turns on it."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models.expressions import RawSQL

from reminders.clinic.models import Clinic
from reminders.messaging import sql
from reminders.messaging.models import Sender
from tests.messaging.threads import run_at_once

pytestmark = pytest.mark.django_db(transaction=True)

MICRO = 0.000005
Grant = tuple[datetime, int]
"""When a text may leave, and of how many parts it is."""


def grants_of_a_worker(sender_id: int, rate: float, parts: int, until: datetime) -> list[Grant]:
    """Take turns for texts of so many parts until they lie beyond `until`; return when each was granted, exactly.

    Whoever took a turn holds the sender until the transaction ends, so where its time is given away up to tells when
    the turn begins, however slow the machine is; and the wait that was returned must lead to that moment.
    """
    granted: list[Grant] = []
    takes = timedelta(seconds=parts / (rate * sql.KEEP))
    params: dict[str, Any] = {"ids": [1], "senders": [sender_id], "parts": [parts], "urgent": [False]}
    free_until = until - takes
    while free_until < until:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            [before] = cursor.fetchone()
            cursor.execute(sql.TAKE_TURNS, params)
            waits: dict[int, float] = dict(cursor.fetchall())
            cursor.execute("SELECT turns_until, clock_timestamp() FROM reminders_sender WHERE id = %s", [sender_id])
            free_until, after = cursor.fetchone()
        for wait in waits.values():
            at = free_until - takes
            soonest, latest = (at - after).total_seconds(), (at - before).total_seconds()
            assert max(0.0, soonest) - MICRO <= wait <= max(0.0, latest) + MICRO, "the wait leads to its turn"
            granted.append((at, parts))
    return granted


@pytest.mark.parametrize(("rate", "parts"), [(25.0, 1), (30.0, 3)])
def test_four_workers_together_never_get_more_turns_within_a_second_than_the_rate(
    clinic: Clinic, rate: float, parts: int
) -> None:
    sender = clinic.senders.get()
    Sender.objects.filter(pk=sender.pk).update(parts_per_second=rate, turns_until=RawSQL("clock_timestamp()", []))
    began = Sender.objects.get(pk=sender.pk).turns_until

    worker = partial(grants_of_a_worker, sender.pk, rate, parts, began + timedelta(seconds=2))
    grants = sorted(grant for of_one in run_at_once([worker] * 4) for grant in of_one)

    assert len(grants) > 1
    for first, (begin, _) in enumerate(grants):
        within = [size for at, size in grants[first:] if at < begin + timedelta(seconds=1)]
        # The last of them only begins within this second.
        assert sum(within[:-1]) + 1 <= rate, f"{within} begin within the second after {begin}"
