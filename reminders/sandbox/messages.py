"""Twilio's Messages resource: create, list, fetch, cancel, redact, delete, media and feedback."""

import mimetypes
import time
from typing import TYPE_CHECKING, Any

from aiohttp import web

from reminders.sandbox import validation
from reminders.sandbox.listing import date_filter, page_of
from reminders.sandbox.parts import part_count
from reminders.sandbox.photo import PHOTO_TYPE, photo_bytes
from reminders.sandbox.records import FINISHED, Media, Message
from reminders.sandbox.rest import RestRequest, no_content, reply
from reminders.sandbox.wire import RECEIPT_ERRORS, CarrierError, new_sid, rfc2822

if TYPE_CHECKING:
    from reminders.sandbox.carrier import Carrier


def resource(carrier: "Carrier", message: Message) -> dict[str, Any]:
    """Return a message as Twilio prints it."""
    error = None if message.error_code is None else RECEIPT_ERRORS.get(message.error_code, "Unknown error")
    return message.as_twilio(carrier.settings.account_sid, error)


def _found(carrier: "Carrier", request: RestRequest) -> Message:
    message = carrier.ledger.messages.get(request.path["sid"])
    if message is None:
        raise CarrierError(20404)
    return message


async def create(carrier: "Carrier", request: RestRequest) -> web.Response:
    """Take a text to send. Nothing in the request makes a repeat harmless: each accepted create is one more text."""
    form, ledger = request.form, carrier.ledger
    now = carrier.time.now()
    sender, service = form.get("From") or None, form.get("MessagingServiceSid") or None
    if sender and sender.startswith("MG"):
        sender, service = None, sender
    to = form.get("To", "")
    validation.check_recipient(to, sender=sender)
    validation.check_sender(sender, service)
    validation.check_content(form)
    callback = form.get("StatusCallback", "")
    validation.check_callback(callback)
    validity = validation.check_validity(form.get("ValidityPeriod"))
    send_at = validation.check_schedule(form, now=now)
    validation.check_opt_out(ledger, to=to, sender=sender or carrier.settings.pool_number)
    media_urls = request.all("MediaUrl")
    if len(media_urls) > validation.MAX_MEDIA:
        raise CarrierError(20001, message="A message has at most 10 media")
    body = form.get("Body", "")
    message = Message(
        sid=new_sid("MM" if media_urls else "SM"),
        to=to,
        sender=sender,
        body=body,
        status="scheduled" if send_at else "accepted" if service else "queued",
        direction="outbound-api",
        created_at=now,
        updated_at=now,
        segments=part_count(body),
        service_sid=service,
        status_callback=callback,
        media=[Media(new_sid("ME"), mimetypes.guess_type(u)[0] or PHOTO_TYPE, now, u) for u in media_urls],
        send_at=send_at,
        validity_seconds=validity,
        retain=form.get("ContentRetention") != "discard",
        received_real=time.monotonic(),
    )
    carrier.progress.decide_outcome(message)
    ledger.add_message(message)
    carrier.progress.follow(message)
    return reply(resource(carrier, message), 201)


async def listing(carrier: "Carrier", request: RestRequest) -> web.Response:
    """List texts of both directions, newest first, filtered by To, From and DateSent."""
    query, ledger = request.http.query, carrier.ledger
    to, sender = query.get("To"), query.get("From")
    items = ledger.in_order
    if to is not None:
        items = ledger.by_to.get(to, [])
    elif sender is not None:
        items = ledger.by_sender.get(sender, [])
    sent = date_filter(query, "DateSent")
    hidden_after = time.monotonic() - carrier.faults.list_lag_seconds(to or "")

    def wanted(message: Message) -> bool:
        return (
            (sender is None or message.sender == sender)
            and sent(message.sent_at)
            and message.received_real <= hidden_after
        )

    return reply(page_of(request.http, items, "messages", wanted=wanted, show=lambda m: resource(carrier, m)))


async def fetch(carrier: "Carrier", request: RestRequest) -> web.Response:
    """Return one text."""
    return reply(resource(carrier, _found(carrier, request)))


async def update(carrier: "Carrier", request: RestRequest) -> web.Response:
    """Cancel a scheduled text (`Status=canceled`) or redact a finished one (`Body=` with nothing)."""
    message, form = _found(carrier, request), request.form
    now = carrier.time.now()
    if "Status" in form:
        if form["Status"] != "canceled":
            raise CarrierError(20001, message="'Status' can only be set to canceled")
        if message.status != "scheduled":
            raise CarrierError(30409)
        carrier.progress.move(message, "canceled")
    if "Body" in form:
        if form["Body"]:
            raise CarrierError(20001, message="'Body' can only be set to the empty string")
        if message.status not in FINISHED | {"sent"}:
            raise CarrierError(20009)
        carrier.ledger.record("message.redacted", at=now, sid=message.sid, durable=True)
    return reply(resource(carrier, message))


async def delete(carrier: "Carrier", request: RestRequest) -> web.Response:
    """Delete a finished text for good."""
    message = _found(carrier, request)
    if message.status not in FINISHED | {"sent"}:
        raise CarrierError(20009)
    carrier.ledger.record("message.deleted", at=carrier.time.now(), sid=message.sid, durable=True)
    return no_content()


async def media_listing(carrier: "Carrier", request: RestRequest) -> web.Response:
    """List the media of a text."""
    message, account = _found(carrier, request), carrier.settings.account_sid
    created = date_filter(request.http.query, "DateCreated")
    media = [m for m in message.media if created(m.created_at)]
    uri = request.http.path
    return reply(
        {
            "media_list": [m.as_twilio(account, message.sid) for m in media],
            "first_page_uri": f"{uri}?PageSize=50&Page=0",
            "next_page_uri": None,
            "previous_page_uri": None,
            "uri": f"{uri}?PageSize=50&Page=0",
            "page": 0,
            "page_size": 50,
            "start": 0,
            "end": max(len(media) - 1, 0),
        }
    )


def _found_media(carrier: "Carrier", request: RestRequest) -> tuple[Message, Media]:
    message = _found(carrier, request)
    for media in message.media:
        if media.sid == request.path["media"]:
            return message, media
    raise CarrierError(20404)


async def media_fetch(carrier: "Carrier", request: RestRequest) -> web.Response:
    """Describe one of a text's media."""
    message, media = _found_media(carrier, request)
    return reply(media.as_twilio(carrier.settings.account_sid, message.sid))


async def media_content(carrier: "Carrier", request: RestRequest) -> web.Response:
    """Return the bytes of a photo that a phone sent."""
    _, media = _found_media(carrier, request)
    return web.Response(body=photo_bytes(), content_type=media.content_type)


async def media_delete(carrier: "Carrier", request: RestRequest) -> web.Response:
    """Delete one of a text's media for good."""
    message, media = _found_media(carrier, request)
    now = carrier.time.now()
    carrier.ledger.record("media.deleted", at=now, sid=message.sid, media_sid=media.sid, durable=True)
    return no_content()


async def feedback(carrier: "Carrier", request: RestRequest) -> web.Response:
    """Take what the recipient did with a text."""
    message = _found(carrier, request)
    outcome = request.form.get("Outcome", "confirmed")
    if outcome not in {"confirmed", "unconfirmed"}:
        raise CarrierError(20001, message="'Outcome' is confirmed or unconfirmed")
    now, account = carrier.time.now(), carrier.settings.account_sid
    carrier.ledger.record("message.feedback", at=now, sid=message.sid, outcome=outcome, durable=True)
    return reply(
        {
            "account_sid": account,
            "message_sid": message.sid,
            "outcome": outcome,
            "date_created": rfc2822(now),
            "date_updated": rfc2822(now),
            "uri": f"/2010-04-01/Accounts/{account}/Messages/{message.sid}/Feedback.json",
        },
    )
