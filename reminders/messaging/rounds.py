"""Rounds over what happened: each passes by every message once, so long after its last change.

What left needs nobody most of the time, so nothing is written for it, and no list is kept: a round walks the index of
changes (`message_lately`) from where it stopped. It costs by what happened since, whatever lies years back or ahead.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import models, transaction
from django.db.models import QuerySet

from reminders.core.states import IN_OUTBOX
from reminders.messaging.models import Message

# Where a round has never been made it begins with what happened so long ago.
REACHES_BACK = timedelta(days=1)


class Round(models.Model):
    """How far one round has come: it has passed by all that changed up to then."""

    name = models.CharField(max_length=30, primary_key=True)
    come_to = models.DateTimeField()


@dataclass(frozen=True, slots=True)
class Stretch:
    """What one step of a round passed by. `found` are ids of messages."""

    name: str
    begin: datetime
    end: datetime
    found: list[int]


def pass_by(*, name: str, behind: timedelta, among: QuerySet[Message], now: datetime, limit: int) -> Stretch | None:
    """Take the next stretch of a round that stays `behind` the present; None where it has come there.

    `among` says which messages are looked for; those in the outbox are never met. About `limit` of them are taken,
    more where they changed in one moment. Any number may walk the same round: each takes a stretch of its own.
    """
    end = now - behind
    with transaction.atomic():
        row = _held(name)
        if row is None and Round.objects.get_or_create(name=name, defaults={"come_to": end - REACHES_BACK})[1]:
            row = _held(name)
        if row is None or row.come_to >= end:
            return None
        changed = among.exclude(state__in=sorted(IN_OUTBOX)).filter(changed_at__gt=row.come_to, changed_at__lte=end)
        found = list(changed.order_by("changed_at").values_list("pk", "changed_at")[:limit])
        if len(found) == limit:
            end = found[-1][1]
            found = list(changed.filter(changed_at__lte=end).values_list("pk", "changed_at"))
        Round.objects.filter(pk=name).update(come_to=end)
    return Stretch(name, row.come_to, end, [pk for pk, _ in found])


def _held(name: str) -> Round | None:
    return Round.objects.select_for_update(skip_locked=True, no_key=True).filter(pk=name).first()


def walk_again(stretch: Stretch) -> None:
    """Let a stretch be walked again, because nothing could be done; not where another has gone on from its end."""
    Round.objects.filter(pk=stretch.name, come_to=stretch.end).update(come_to=stretch.begin)
