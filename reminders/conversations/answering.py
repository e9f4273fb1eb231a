"""A person's answer to a text in the inbox: the words leave, and the text waits no more, in one step."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from reminders.clinic.errors import ConflictError, NotFoundError
from reminders.clinic.models import Clinic, Clinician
from reminders.conversations.models import InboundMessage
from reminders.conversations.services import mark_inbox_done
from reminders.messaging.models import Message, Sender
from reminders.messaging.personal import Letter, find_written, write


def letter_back(*, inbound: InboundMessage, clinic: Clinic) -> Letter:
    """Return a letter to the phone that wrote this text, from the number it was written to."""
    sender = Sender.objects.filter(number=inbound.to_number, clinic=clinic).first()
    return Letter(clinic, inbound.from_number, inbound.patient, inbound.pk, sender)


def answer_by_hand(
    *, inbound_id: int, clinic: Clinic, body: str, clinician: Clinician, now: datetime, key: UUID
) -> Message:
    """Answer one text and take it out of the inbox; the same `key` again changes nothing.

    Of two colleagues who answer at the same moment one is told that it was done. Raises NotFoundError for another
    clinic's text, ConflictError where somebody dealt with it meanwhile or the phone must not be texted, NoSenderError;
    then nothing is stored.
    """
    with transaction.atomic():
        inbound = (
            InboundMessage.objects.select_for_update(of=("self",))
            .select_related("patient")
            .filter(pk=inbound_id, clinic=clinic)
            .first()
        )
        if inbound is None:
            raise NotFoundError("There is no such text in this clinic.")
        standing = find_written(clinic=clinic, clinician=clinician, key=key)
        if standing is not None:
            return standing
        if inbound.inbox != InboundMessage.Inbox.OPEN:
            raise ConflictError(
                "Somebody has dealt with this text meanwhile. Look at the conversation before you write."
            )
        message = write(
            letter=letter_back(inbound=inbound, clinic=clinic), body=body, clinician=clinician, now=now, key=key
        )
        mark_inbox_done(inbound_id=inbound.pk, clinic=clinic, clinician=clinician, now=now)
    return message
