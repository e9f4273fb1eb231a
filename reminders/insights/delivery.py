"""What became of texts: those nobody knows the fate of, and the register of what patients missed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import QuerySet

from reminders.clinic.models import Clinic
from reminders.core.states import MISSED, MessageState
from reminders.messaging.models import Message
from reminders.messaging.second_attempts import FELL_AWAY, KEY

PAGE_SIZE: Final = 25
UNKNOWN_SHOWN: Final = 50


@dataclass(frozen=True, slots=True)
class MissedPage:
    """One page of the register, the newest first. `total` is of the whole period."""

    rows: list[Message]
    number: int
    total: int

    @property
    def has_older(self) -> bool:
        """Whether another page follows."""
        return self.number * PAGE_SIZE < self.total


def not_sent_again(rows: QuerySet[Message]) -> QuerySet[Message]:
    """Leave out what another text has taken the place of: that one tells the rest of the story."""
    return rows.filter(sent_again_as__isnull=True)


def looked_for(*, clinic: Clinic, limit: int = UNKNOWN_SHOWN) -> list[Message]:
    """Return the messages for which proof is looked for, the oldest first."""
    return _unknown(clinic, MessageState.AMBIGUOUS, limit)


def undecided(*, clinic: Clinic, limit: int = UNKNOWN_SHOWN) -> list[Message]:
    """Return the messages that wait for a person's decision, the oldest first."""
    return _unknown(clinic, MessageState.UNRESOLVED, limit)


def _unknown(clinic: Clinic, state: MessageState, limit: int) -> list[Message]:
    # By the outbox, which has an index for each of the two and holds nothing that is finished.
    rows = Message.objects.filter(clinic=clinic, outbox__state=state).select_related("patient", "clinician", "sender")
    return list(rows.order_by("changed_at", "id")[:limit])


def second_tries(*, clinic: Clinic, since: datetime, limit: int = UNKNOWN_SHOWN) -> list[Message]:
    """Return the texts that were written in the place of ones that failed since then, the newest first."""
    return list(
        Message.objects.filter(
            sends_again__clinic=clinic,
            sends_again__state__in=FELL_AWAY,
            sends_again__changed_at__gte=since,
            dedupe_key__startswith=KEY,
        )
        .select_related("patient", "clinician", "sends_again")
        .order_by("-id")[:limit]
    )


def missed(*, clinic: Clinic, since: datetime, page: int) -> MissedPage:
    """Return texts to patients that did not happen since then: expired, suppressed, refused or not delivered.

    What was taken back on purpose (answered, a newer session, a void) is not missed. A page past the end is the last.
    """
    rows = not_sent_again(
        Message.objects.filter(
            clinic=clinic,
            patient__isnull=False,
            state__in=sorted(state.value for state in MISSED),
            changed_at__gte=since,
        )
    )
    total = rows.count()
    number = max(1, min(page, -(-total // PAGE_SIZE)))
    start = (number - 1) * PAGE_SIZE
    found = rows.select_related("patient").order_by("-changed_at", "-id")[start : start + PAGE_SIZE]
    return MissedPage(rows=list(found), number=number, total=total)
