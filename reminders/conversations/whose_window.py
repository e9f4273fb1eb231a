"""The end of waiting for whom a text is about: nobody said, so a person looks."""

from datetime import datetime

import structlog
from django.db import transaction

from reminders.conversations.inbound import take_conversation
from reminders.conversations.models import InboundMessage, WhoseAnswer
from reminders.conversations.whose import give_up_on, open_questions
from reminders.logs import place_of

log = structlog.get_logger(__name__)


def close_whose(*, now: datetime, limit: int = 200) -> int:
    """Bring to a person what no phone said the person of in time; return how many texts. A sweep."""
    over = WhoseAnswer.objects.filter(state=WhoseAnswer.State.OPEN, closes_at__lte=now).order_by("closes_at")
    closed = 0
    for pk in list(over.values_list("pk", flat=True)[:limit]):
        try:
            closed += _close(pk, now)
        except Exception as error:  # noqa: BLE001  # one broken question must not keep the others waiting
            log.error("whose_not_closed", question_id=pk, kind=type(error).__name__, where=place_of(error))
    return closed


@transaction.atomic
def _close(pk: int, now: datetime) -> bool:
    question = open_questions().filter(pk=pk).first()
    if question is None:
        return False
    take_conversation(clinic=question.clinic, number=question.number)
    unread = InboundMessage.objects.filter(clinic=question.clinic, from_number=question.number, handled_at__isnull=True)
    # Again, now that nobody else can: the answer may have been read meanwhile, or is about to be.
    if unread.exists() or not open_questions().filter(pk=pk).exists():
        return False
    give_up_on(question=question, now=now)
    return True
