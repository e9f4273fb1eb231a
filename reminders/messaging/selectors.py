"""Reads of messages that pages show."""

from reminders.content.models import TemplateVersion
from reminders.core.states import MessageState
from reminders.messaging.models import Message


def planned_with(*, version: TemplateVersion) -> int:
    """Return how many texts that have not left yet carry the words of this version."""
    # By way of the outbox, which holds what has not left and no more: the table of texts grows for ever.
    waiting = Message.objects.filter(
        clinic=version.clinic_id,
        outbox__clinic=version.clinic_id,
        state=MessageState.SCHEDULED,
        template_version=version,
    )
    return waiting.count()
