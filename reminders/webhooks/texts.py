"""Webhooks of texts: one comes in, or the carrier reports on one of ours."""

import re
from functools import partial
from uuid import UUID

import structlog
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict

from reminders import clock
from reminders.conversations.services import IncomingText, receive
from reminders.conversations.tasks import read_texts
from reminders.messaging.status import record_status
from reminders.webhooks.signed import form_of, signed, twiml

log = structlog.get_logger(__name__)

# The carrier sends ten at most; more would be somebody else.
MOST_MEDIA = 10
# Other channels put their name before the number ("whatsapp:+1..."); the person behind it is the same.
CHANNEL = re.compile(r"^[a-z]+:")


@signed
def inbound(request: HttpRequest) -> HttpResponse:
    """Store a text, settle what cannot wait, and answer with an empty document; the rest is read by a task."""
    incoming = _incoming(form_of(request))
    if not incoming.message_sid:
        # Without its id a text cannot be told from its own repeat: the carrier shows the failure in its log.
        log.error("text_without_id")
        return HttpResponse(status=400)
    with transaction.atomic():
        stored = receive(incoming=incoming, now=clock.now())
        if stored is not None and stored.handled_at is None and stored.clinic_id is not None:
            transaction.on_commit(lambda: read_texts.delay(stored.pk), robust=True)
    return twiml()


def _said(form: QueryDict, name: str) -> str:
    """Return one field; PostgreSQL stores no NUL, nothing else is touched."""
    return (form.get(name) or "").replace("\x00", "")


def _incoming(form: QueryDict) -> IncomingText:
    said = partial(_said, form)
    count = said("NumMedia")
    return IncomingText(
        message_sid=(said("MessageSid") or said("SmsSid"))[:34],
        from_number=CHANNEL.sub("", said("From"))[:40],
        to_number=CHANNEL.sub("", said("To"))[:40],
        body=said("Body"),
        media=[
            {"url": said(f"MediaUrl{n}"), "type": said(f"MediaContentType{n}")}
            for n in range(min(int(count) if count.isdecimal() else 0, MOST_MEDIA))
        ],
        opt_out_type=said("OptOutType").upper()[:10],
    )


@signed
def status(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Store a status callback and apply it if its rank rises. Unknown ids answer 204 all the same: no error loops."""
    said = partial(_said, form_of(request))
    code = said("ErrorCode")
    record_status(
        public_id=public_id,
        carrier_sid=said("MessageSid") or said("SmsSid"),
        status=said("MessageStatus") or said("SmsStatus"),
        error_code=int(code) if code.isdecimal() else None,
        now=clock.now(),
    )
    return HttpResponse(status=204)
