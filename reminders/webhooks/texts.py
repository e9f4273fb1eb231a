"""Webhooks of texts: one comes in, or the carrier reports on one of ours."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any
from uuid import UUID

import structlog
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse

from reminders import clock
from reminders.conversations.pictures import expected_with
from reminders.conversations.services import IncomingText, receive
from reminders.conversations.tasks import fetch_picture, read_texts
from reminders.messaging.status import Report
from reminders.webhooks.signed import form_of, signed, twiml
from reminders.webhooks.status_desk import take_in

log = structlog.get_logger(__name__)

# The carrier sends ten at most; more would be somebody else.
MOST_MEDIA = 10
# Codes have five figures; a number that long is none, and reading it would take its time.
LONGEST_CODE = 10
# The carrier's word for a text of which a part never came.
PART_LOST = "30009"
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
    stored = receive(incoming=incoming, now=clock.now())
    if stored is None or stored.clinic_id is None:
        return twiml()
    unread = [stored.pk] if stored.handled_at is None else []
    pictures = expected_with(inbound_id=stored.pk) if stored.media else []
    return _Then(partial(_hand_on, unread, pictures), twiml().content, content_type="text/xml")


class _Then(HttpResponse):
    """An answer with something to do once it has left: the carrier does not wait for a broker."""

    def __init__(self, then: Callable[[], None], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._then = then

    def close(self) -> None:
        """Called by the server when the answer is on its way."""
        super().close()
        self._then()


def _hand_on(unread: Sequence[int], pictures: Sequence[int]) -> None:
    try:
        for inbound_id in unread:
            read_texts.delay(inbound_id)
        for picture_id in pictures:
            fetch_picture.delay(picture_id)
    except Exception as error:  # noqa: BLE001  # the sweeps find text and pictures in a few seconds, whatever broke here
        log.warning("text_not_handed_on", inbound_ids=unread, picture_ids=pictures, kind=type(error).__name__)


def _said(form: Mapping[str, Any], name: str) -> str:
    """Return one field; PostgreSQL stores no NUL, nothing else is touched."""
    return (form.get(name) or "").replace("\x00", "")


def _incoming(form: Mapping[str, Any]) -> IncomingText:
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
        is_cut_short=said("ErrorCode") == PART_LOST,
    )


@signed
def status(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Take a status callback in. Most of them are answered before they come here (webhooks.front)."""
    return HttpResponse(status=status_answer(public_id=public_id, form=form_of(request)))


def status_answer(*, public_id: UUID, form: Mapping[str, Any]) -> HTTPStatus:
    """Store a status callback, apply it if its rank rises, and return what to answer.

    Unknown ids get 204 all the same: no error loops. While the database is away the carrier is told so, and comes back.
    """
    said = partial(_said, form)
    code = said("ErrorCode")
    report = Report(
        public_id=public_id,
        carrier_sid=said("MessageSid") or said("SmsSid"),
        status=said("MessageStatus") or said("SmsStatus"),
        error_code=int(code) if code.isdecimal() and len(code) <= LONGEST_CODE else None,
    )
    try:
        take_in(report)
    except DatabaseError as error:
        log.error("status_not_stored", kind=type(error).__name__)
        return HTTPStatus.SERVICE_UNAVAILABLE
    return HTTPStatus.NO_CONTENT
