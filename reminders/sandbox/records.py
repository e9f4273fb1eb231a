"""What the carrier keeps: messages with their media, and calls, and how Twilio prints them."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from reminders.sandbox.wire import API_VERSION, iso, rfc2822

FINISHED = frozenset({"delivered", "undelivered", "failed", "canceled", "received", "read"})
ENDED = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


@dataclass(slots=True)
class Media:
    """One picture or file of a message. `origin` is the address an outgoing one was given with."""

    sid: str
    content_type: str
    created_at: datetime
    origin: str = ""

    def as_twilio(self, account: str, message_sid: str) -> dict[str, Any]:
        """Return the media resource."""
        return {
            "sid": self.sid,
            "account_sid": account,
            "parent_sid": message_sid,
            "content_type": self.content_type,
            "date_created": rfc2822(self.created_at),
            "date_updated": rfc2822(self.created_at),
            "uri": f"/{API_VERSION}/Accounts/{account}/Messages/{message_sid}/Media/{self.sid}.json",
        }


@dataclass(slots=True)
class Message:
    """One text in either direction, as the carrier knows it."""

    sid: str
    to: str
    sender: str | None
    body: str
    status: str
    direction: str
    created_at: datetime
    updated_at: datetime
    segments: int = 1
    service_sid: str | None = None
    sent_at: datetime | None = None
    error_code: int | None = None
    status_callback: str = ""
    media: list[Media] = field(default_factory=list)
    send_at: datetime | None = None
    validity_seconds: int = 36000
    outcome: str = "delivered"
    outcome_error: int | None = None
    retain: bool = True
    feedback: str = ""
    serial: int = 0
    deleted: bool = False
    received_real: float = 0.0
    """Monotonic seconds at the create, for faults that hide fresh messages; not kept over a restart."""

    def as_twilio(self, account: str, error_message: str | None = None) -> dict[str, Any]:
        """Return the message resource with Twilio's types: counts are strings, codes are numbers."""
        uri = f"/{API_VERSION}/Accounts/{account}/Messages/{self.sid}"
        return {
            "sid": self.sid,
            "account_sid": account,
            "messaging_service_sid": self.service_sid,
            "to": self.to,
            "from": self.sender,
            "body": self.body,
            "status": self.status,
            "num_segments": str(self.segments if self.sender else 0),
            "num_media": str(len(self.media)),
            "direction": self.direction,
            "error_code": self.error_code,
            "error_message": error_message,
            "price": None,
            "price_unit": "USD",
            "date_created": rfc2822(self.created_at),
            "date_updated": rfc2822(self.updated_at),
            "date_sent": rfc2822(self.sent_at),
            "uri": uri + ".json",
            "subresource_uris": {"media": uri + "/Media.json"},
            "api_version": API_VERSION,
        }

    def as_record(self) -> dict[str, Any]:
        """Return the message for the journal and the control API."""
        record: dict[str, Any] = {
            "sid": self.sid,
            "to": self.to,
            "from": self.sender,
            "body": self.body,
            "status": self.status,
            "direction": self.direction,
            "created_at": iso(self.created_at),
            "updated_at": iso(self.updated_at),
            "segments": self.segments,
            "service_sid": self.service_sid,
            "sent_at": iso(self.sent_at) if self.sent_at else None,
            "error_code": self.error_code,
            "status_callback": self.status_callback,
            "send_at": iso(self.send_at) if self.send_at else None,
            "validity_seconds": self.validity_seconds,
            "outcome": self.outcome,
            "outcome_error": self.outcome_error,
            "retain": self.retain,
            "feedback": self.feedback,
        }
        if self.media:
            record["media"] = [
                {"sid": m.sid, "content_type": m.content_type, "created_at": iso(m.created_at), "origin": m.origin}
                for m in self.media
            ]
        return record

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> "Message":
        """Return the message that `as_record` described."""
        known = dict(record)
        sender = known.pop("from")
        media = [
            Media(m["sid"], m["content_type"], datetime.fromisoformat(m["created_at"]), m["origin"])
            for m in known.pop("media", [])
        ]
        for name in ("created_at", "updated_at", "sent_at", "send_at"):
            known[name] = _moment(known[name])
        return cls(sender=sender, media=media, **known)


@dataclass(slots=True)
class Call:
    """One call to a phone."""

    sid: str
    to: str
    sender: str
    status: str
    created_at: datetime
    updated_at: datetime
    url: str = ""
    method: str = "POST"
    twiml: str = ""
    fallback_url: str = ""
    status_callback: str = ""
    callback_events: list[str] = field(default_factory=lambda: ["completed"])
    callback_method: str = "POST"
    timeout_seconds: int = 60
    machine_detection: str = ""
    async_amd_callback: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    answered_by: str | None = None
    said: list[dict[str, Any]] = field(default_factory=list)
    gathering: bool = False
    sequence: int = 0
    serial: int = 0
    deleted: bool = False

    @property
    def duration_seconds(self) -> int:
        """Return how long the parties were connected, 0 where they never were."""
        if self.started_at is None or self.ended_at is None:
            return 0
        return max(0, round((self.ended_at - self.started_at).total_seconds()))

    def as_twilio(self, account: str) -> dict[str, Any]:
        """Return the call resource."""
        uri = f"/{API_VERSION}/Accounts/{account}/Calls/{self.sid}"
        return {
            "sid": self.sid,
            "account_sid": account,
            "parent_call_sid": None,
            "to": self.to,
            "to_formatted": self.to,
            "from": self.sender,
            "from_formatted": self.sender,
            "phone_number_sid": None,
            "status": self.status,
            "start_time": rfc2822(self.started_at),
            "end_time": rfc2822(self.ended_at),
            "duration": str(self.duration_seconds) if self.status == "completed" else None,
            "price": None,
            "price_unit": "USD",
            "direction": "outbound-api",
            "answered_by": self.answered_by,
            "api_version": API_VERSION,
            "forwarded_from": None,
            "group_sid": None,
            "caller_name": None,
            "queue_time": "0",
            "trunk_sid": None,
            "date_created": rfc2822(self.created_at),
            "date_updated": rfc2822(self.updated_at),
            "uri": uri + ".json",
            "subresource_uris": {"notifications": uri + "/Notifications.json", "events": uri + "/Events.json"},
        }

    def as_record(self) -> dict[str, Any]:
        """Return the call for the journal and the control API."""
        record = {name: getattr(self, name) for name in self.__slots__ if name not in {"serial", "deleted"}}
        record["from"] = record.pop("sender")
        record["said"] = list(self.said)
        for name in ("created_at", "updated_at", "started_at", "ended_at"):
            record[name] = iso(record[name]) if record[name] else None
        return record

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> "Call":
        """Return the call that `as_record` described."""
        known = dict(record)
        known["sender"] = known.pop("from")
        for name in ("created_at", "updated_at", "started_at", "ended_at"):
            known[name] = _moment(known[name])
        return cls(**known)
