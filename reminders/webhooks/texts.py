"""Webhooks of texts: one comes in, or the carrier reports on one of ours."""

from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse

from reminders import clock
from reminders.conversations.services import IncomingText, receive
from reminders.conversations.tasks import read_texts
from reminders.messaging.status import record_status
from reminders.webhooks.signed import form_of, signed, twiml

# The carrier sends ten at most; more would be somebody else.
MOST_MEDIA = 10


@signed
def inbound(request: HttpRequest) -> HttpResponse:
    """Store a text, settle what cannot wait, and answer with an empty document; the rest is read by a task."""
    form = form_of(request)
    count = min(int(form.get("NumMedia") or "0") if (form.get("NumMedia") or "0").isdigit() else 0, MOST_MEDIA)
    incoming = IncomingText(
        message_sid=(form.get("MessageSid") or form.get("SmsSid") or "")[:34],
        from_number=(form.get("From") or "")[:40],
        to_number=(form.get("To") or "")[:40],
        # PostgreSQL stores no NUL; nothing else of the words is touched.
        body=(form.get("Body") or "").replace("\x00", ""),
        media=[
            {"url": form.get(f"MediaUrl{n}") or "", "type": form.get(f"MediaContentType{n}") or ""}
            for n in range(count)
        ],
        opt_out_type=(form.get("OptOutType") or "")[:10],
    )
    with transaction.atomic():
        stored = receive(incoming=incoming, now=clock.now())
        if stored is not None and stored.handled_at is None and stored.clinic_id is not None:
            transaction.on_commit(lambda: read_texts.delay(stored.pk), robust=True)
    return twiml()


@signed
def status(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Store a status callback and apply it if its rank rises. Unknown ids answer 204 all the same: no error loops."""
    form = form_of(request)
    code = form.get("ErrorCode") or ""
    record_status(
        public_id=public_id,
        carrier_sid=form.get("MessageSid") or form.get("SmsSid") or "",
        status=form.get("MessageStatus") or form.get("SmsStatus") or "",
        error_code=int(code) if code.isdigit() else None,
        now=clock.now(),
    )
    return HttpResponse(status=204)
