"""What Twilio refuses about a new message, and with which code."""

from datetime import datetime, timedelta
from urllib.parse import urlsplit

from reminders.sandbox.ledger import Ledger
from reminders.sandbox.wire import E164, CarrierError

MAX_BODY = 1600
MAX_CALLBACK_URL = 4000
MAX_MEDIA = 10
TEST_NUMBERS = "+1500555"

# Twilio's magic numbers for tests; a `To` or `From` not listed is an ordinary number.
MAGIC_TO = {
    "+15005550001": 21211,
    "+15005550002": 21612,
    "+15005550003": 21408,
    "+15005550004": 21610,
    "+15005550009": 21614,
}
MAGIC_FROM = {"+15005550001": 21212, "+15005550008": 21611}
MAGIC_FROM_OK = "+15005550006"
MAGIC_CALL_TO = {
    "+15005550001": 21217,
    "+15005550002": 21214,
    "+15005550003": 21215,
    "+15005550004": 21216,
}


def _bare(address: str) -> str:
    """Return the number of an address that may carry a channel prefix."""
    return address.removeprefix("whatsapp:")


def check_recipient(to: str, *, sender: str | None) -> None:
    """Refuse a recipient that is missing, malformed, magic or the sender itself."""
    if not to:
        raise CarrierError(21604)
    number = _bare(to)
    if not E164.fullmatch(number) or to == sender:
        raise CarrierError(21211)
    if number.startswith(TEST_NUMBERS) and number in MAGIC_TO:
        raise CarrierError(MAGIC_TO[number])


def check_sender(sender: str | None, service_sid: str | None) -> None:
    """Refuse a sender that is missing, malformed or magic. Short codes and names are senders too."""
    if sender is None:
        if service_sid is None:
            raise CarrierError(21603)
        return
    number = _bare(sender)
    if number.startswith(TEST_NUMBERS) and number != MAGIC_FROM_OK:
        raise CarrierError(MAGIC_FROM.get(number, 21606))
    if number.startswith("+") and not E164.fullmatch(number):
        raise CarrierError(21212)


def check_content(form: dict[str, str]) -> None:
    """Refuse a message without content and a body above 1600 characters."""
    body = form.get("Body", "")
    if not body and "MediaUrl" not in form and "ContentSid" not in form:
        raise CarrierError(21602)
    if len(body) > MAX_BODY:
        raise CarrierError(21617)


def is_webhook_url(url: str) -> bool:
    """Return whether Twilio would take this address: http or https, a host without underscores, 4000 characters."""
    if len(url) > MAX_CALLBACK_URL:
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and "_" not in (parts.hostname or "")
    except ValueError:
        return False


def check_callback(url: str) -> None:
    """Refuse a status callback that cannot be called."""
    if url and not is_webhook_url(url):
        raise CarrierError(21609)


def check_validity(text: str | None) -> int:
    """Return the validity period in seconds; refuse one that is not a whole number from 1 to 36000."""
    if text is None:
        return 36000
    if not text.isdecimal() or not 1 <= int(text) <= 36000:
        raise CarrierError(90007)
    return int(text)


def check_schedule(form: dict[str, str], *, now: datetime) -> datetime | None:
    """Return when a scheduled message is to go out, None for one to send now.

    The window is 300 s to 35 days ahead, and only a messaging service may schedule.
    """
    kind, send_at = form.get("ScheduleType"), form.get("SendAt")
    if kind is None and send_at is None:
        return None
    if kind != "fixed":
        raise CarrierError(35117)
    if not send_at:
        raise CarrierError(35111)
    if "MessagingServiceSid" not in form and not form.get("From", "").startswith("MG"):
        raise CarrierError(35118)
    try:
        moment = datetime.fromisoformat(send_at)
    except ValueError:
        raise CarrierError(35114) from None
    if moment.tzinfo is None:
        raise CarrierError(35114)
    if not timedelta(seconds=300) <= moment - now <= timedelta(days=35):
        raise CarrierError(35115)
    return moment


def check_opt_out(ledger: Ledger, *, to: str, sender: str | None) -> None:
    """Refuse a text to a phone that told this sender to stop."""
    if ledger.opted_out(to=to, sender=sender):
        raise CarrierError(21610)
