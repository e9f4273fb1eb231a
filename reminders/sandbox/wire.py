"""Small facts of Twilio's wire format: sids, dates, the error envelope."""

import json
import re
import secrets
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import Any

API_VERSION = "2010-04-01"
JSON_HEADERS = {"Content-Type": "application/json"}
E164 = re.compile(r"\+[1-9]\d{6,14}")

# Sentences are ours; codes and their HTTP status are those of Twilio's error dictionary.
REFUSALS: dict[int, tuple[int, str]] = {
    20001: (400, "A parameter has a value that is not allowed"),
    20003: (401, "Authenticate"),
    20004: (405, "Method not allowed"),
    20009: (409, "The message is still on its way; wait until it is finished"),
    20404: (404, "The requested resource was not found"),
    20429: (429, "Too Many Requests"),
    20500: (500, "An internal server error has occurred"),
    20503: (503, "The service is unavailable"),
    21201: (400, "No 'To' number is specified"),
    21205: (400, "The 'Url' parameter is not a valid URL"),
    21210: (400, "The 'From' number is not verified for this account"),
    21211: (400, "The 'To' number is not a valid phone number"),
    21212: (400, "The 'From' number is not a valid phone number or sender"),
    21213: (400, "A 'From' number is required to place a call"),
    21214: (400, "The 'To' number cannot be reached"),
    21215: (400, "The account may not call this country"),
    21216: (400, "The account may not call this number"),
    21217: (400, "The 'To' number is not a valid phone number"),
    21220: (400, "The call is not in progress and cannot be changed"),
    21408: (400, "Texts to this region are not enabled"),
    21602: (400, "A message needs a body, media or a content template"),
    21603: (400, "A 'From' number or a messaging service is required"),
    21604: (400, "A 'To' number is required"),
    21606: (400, "The 'From' number cannot send texts for this account"),
    21609: (400, "The 'StatusCallback' is not a valid URL"),
    21610: (400, "The recipient has opted out of texts from this sender"),
    21611: (429, "The queue of the 'From' number is full"),
    21612: (400, "The 'To' number cannot be reached from the 'From' number"),
    21614: (400, "The 'To' number is not a mobile number"),
    21617: (400, "The body is longer than 1600 characters"),
    21703: (400, "The messaging service has no sender"),
    30409: (400, "The message cannot be canceled"),
    35111: (400, "A scheduled message needs 'SendAt'"),
    35114: (400, "'SendAt' is not a date in ISO 8601"),
    35115: (400, "'SendAt' must be more than 300 seconds and at most 35 days ahead"),
    35117: (400, "'ScheduleType' must be fixed"),
    35118: (400, "A messaging service is required to schedule a message"),
    90007: (400, "'ValidityPeriod' must be a whole number from 1 to 36000"),
}

# What a receipt says about a text that did not arrive.
RECEIPT_ERRORS: dict[int, str] = {
    30003: "Unreachable destination handset",
    30004: "Message blocked",
    30005: "Unknown destination handset",
    30006: "Landline or unreachable carrier",
    30007: "Message filtered",
    30008: "Unknown error",
    30036: "Validity period expired",
}


class CarrierError(Exception):
    """A refused request: a code of Twilio's error dictionary with its HTTP status and a sentence."""

    def __init__(self, code: int, *, status: int | None = None, message: str | None = None) -> None:
        usual_status, usual_message = REFUSALS.get(code, (400, "The request was refused"))
        self.code = code
        self.status = status or usual_status
        self.message = message or usual_message
        super().__init__(self.message)

    def envelope(self) -> bytes:
        """Return the error as Twilio writes it."""
        return json.dumps(
            {
                "code": self.code,
                "message": self.message,
                "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
                "status": self.status,
            }
        ).encode()


def new_sid(prefix: str) -> str:
    """Return a fresh sid: two letters and 32 hexadecimal digits."""
    return prefix + secrets.token_hex(16)


@lru_cache(maxsize=256)
def _rfc2822_second(epoch_second: int) -> str:
    return format_datetime(datetime.fromtimestamp(epoch_second, tz=UTC))


def rfc2822(moment: datetime | None) -> str | None:
    """Return a moment as Twilio's resources print it, in UTC and whole seconds; None stays None."""
    return None if moment is None else _rfc2822_second(int(moment.timestamp()))


def iso(moment: datetime) -> str:
    """Return a moment as ISO 8601 in UTC with microseconds, as the journal and the control API print it."""
    return moment.astimezone(UTC).isoformat()


def without_fragment(url: str) -> str:
    """Return a webhook URL as it is signed and requested: connection overrides after `#` are not part of it."""
    return url.split("#", 1)[0]


def dump(value: Any) -> bytes:
    """Return compact JSON bytes."""
    return json.dumps(value, separators=(",", ":")).encode()
