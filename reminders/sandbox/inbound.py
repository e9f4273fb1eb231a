"""Texts that phones send to the product."""

from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from reminders.sandbox.parts import part_count
from reminders.sandbox.photo import PHOTO_TYPE
from reminders.sandbox.records import Media, Message
from reminders.sandbox.twiml import parse_document
from reminders.sandbox.webhooks import Answer, Post
from reminders.sandbox.wire import API_VERSION, E164, new_sid

if TYPE_CHECKING:
    from reminders.sandbox.carrier import Carrier

# What a number with the carrier's default opt-out handling listens to (a whole text, any case).
STOP_WORDS = frozenset({"stop", "stopall", "unsubscribe", "end", "quit", "cancel", "revoke", "optout"})
START_WORDS = frozenset({"start", "unstop", "yes"})
HELP_WORDS = frozenset({"help", "info"})
STOP_REPLY = "You are unsubscribed from this number and will get no more texts. Reply START to get them again."
START_REPLY = "You will get texts from this number again. Reply STOP to end them, HELP for help."
HELP_REPLY = "Reply STOP to get no more texts from this number. Message and data rates may apply."


def opt_out_type(body: str) -> str | None:
    """Return STOP, START or HELP where a whole text is one of the carrier's keywords."""
    word = body.strip().lower()
    for kind, words in (("STOP", STOP_WORDS), ("START", START_WORDS), ("HELP", HELP_WORDS)):
        if word in words:
            return kind
    return None


def _webhook_params(carrier: "Carrier", message: Message, kind: str | None) -> dict[str, str]:
    account = carrier.settings.account_sid
    params = {
        "MessageSid": message.sid,
        "SmsSid": message.sid,
        "SmsMessageSid": message.sid,
        "AccountSid": account,
        "From": message.sender or "",
        "To": message.to,
        "Body": message.body,
        "NumMedia": str(len(message.media)),
        "NumSegments": str(message.segments),
        "SmsStatus": "received",
        "ApiVersion": API_VERSION,
    }
    for end in ("From", "To"):
        params |= {end + part: "" for part in ("City", "State", "Zip")} | {end + "Country": "US"}
    for index, media in enumerate(message.media):
        path = f"/{API_VERSION}/Accounts/{account}/Messages/{message.sid}/Media/{media.sid}"
        params[f"MediaUrl{index}"] = carrier.public_url + path
        params[f"MediaContentType{index}"] = media.content_type
    if kind:
        params["OptOutType"] = kind
    return params


def take(
    carrier: "Carrier",
    *,
    sender: str,
    to: str,
    body: str,
    media_count: int = 0,
    media_type: str = PHOTO_TYPE,
    message_sid: str | None = None,
) -> Message:
    """Keep a text from a phone. A `message_sid` that is known already stands for Twilio posting the same text again.

    Raises ValueError for a number that is none, or more than ten media.
    """
    if message_sid and message_sid in carrier.ledger.messages:
        return carrier.ledger.messages[message_sid]
    if not (E164.fullmatch(sender) or sender.isdecimal()) or not to:
        raise ValueError("a text needs a sender in E.164 (or a short code) and a receiving number")
    if not 0 <= media_count <= 10:
        raise ValueError("a text has at most 10 media")
    now = carrier.time.now()
    message = Message(
        sid=message_sid or new_sid("MM" if media_count else "SM"),
        to=to,
        sender=sender,
        body=body,
        status="received",
        direction="inbound",
        created_at=now,
        updated_at=now,
        sent_at=now,
        segments=part_count(body),
        media=[Media(new_sid("ME"), media_type, now) for _ in range(media_count)],
    )
    carrier.ledger.add_message(message)
    return message


async def deliver(carrier: "Carrier", message: Message, *, signature: str = "valid") -> Answer | None:
    """Post a text to the product's inbound webhook and do what its TwiML says; None where no address is set."""
    kind = None
    if carrier.ledger.behaviour.carrier_handles_opt_out:
        kind = opt_out_type(message.body)
        _keep_choice(carrier, message, kind)
    behaviour = carrier.ledger.behaviour
    url = behaviour.inbound_urls.get(message.to) or behaviour.inbound_url
    if not url:
        return None
    params = _webhook_params(carrier, message, kind)
    answer = await carrier.webhooks.exchange(Post("message.inbound", message.sid, url, params, signature=signature))
    if answer.status == 200 and answer.text.strip():
        _obey(carrier, message, answer)
    return answer


def _keep_choice(carrier: "Carrier", message: Message, kind: str | None) -> None:
    """Keep STOP and START and answer the phone, as a number with default handling does."""
    if kind is None:
        return
    now, phone = carrier.time.now(), message.sender or ""
    if kind == "STOP":
        carrier.ledger.record("opted_out", at=now, phone=phone, sender=message.to, durable=True)
    if kind == "START":
        carrier.ledger.record("opted_in", at=now, phone=phone, sender=message.to, durable=True)
    texts = {"STOP": STOP_REPLY, "START": START_REPLY, "HELP": HELP_REPLY}
    reply(carrier, to=phone, sender=message.to, body=texts[kind])


def _obey(carrier: "Carrier", message: Message, answer: Answer) -> None:
    """Send each `<Message>` of a TwiML answer; other answers are noted as Twilio's debugger notes them."""
    now = carrier.time.now()
    if answer.content_type not in {"text/xml", "application/xml"}:
        carrier.ledger.record("debugger", at=now, sid=message.sid, code=12300)
        return
    try:
        document = parse_document(answer.text)
    except ElementTree.ParseError:
        carrier.ledger.record("debugger", at=now, sid=message.sid, code=12100)
        return
    for verb in document:
        if verb.tag == "Message":
            body = (verb.findtext("Body") or verb.text or "").strip()
            to, sender = verb.get("to", message.sender or ""), verb.get("from", message.to)
            reply(carrier, to=to, sender=sender, body=body, callback=verb.get("statusCallback", ""))
        else:
            carrier.ledger.record("debugger", at=now, sid=message.sid, code=12200)


def reply(carrier: "Carrier", *, to: str, sender: str, body: str, callback: str = "") -> Message:
    """Send a text that no create asked for: a TwiML answer or the carrier's own keyword answer."""
    now: Any = carrier.time.now()
    message = Message(
        sid=new_sid("SM"),
        to=to,
        sender=sender,
        body=body,
        status="queued",
        direction="outbound-reply",
        created_at=now,
        updated_at=now,
        segments=part_count(body),
        status_callback=callback,
    )
    carrier.progress.decide_outcome(message)
    carrier.ledger.add_message(message)
    carrier.progress.follow(message)
    return message
