"""The keeper of the truth: all that was processed, doubles included, whatever the product believes it sent."""

from bisect import insort
from collections import Counter, defaultdict, deque
from datetime import datetime
from typing import Any

from reminders.sandbox.history import History
from reminders.sandbox.journal import Journal
from reminders.sandbox.records import Call, Message
from reminders.sandbox.settings import Behaviour
from reminders.sandbox.wire import iso, without_fragment

KEPT_WEBHOOKS = 20_000


class Ledger:
    """Messages, calls, opt-outs and rules in memory. Every change is an event, and events rebuild them on a restart."""

    def __init__(self, journal: Journal | None = None, behaviour: Behaviour | None = None) -> None:
        self._journal = journal
        self.history = History(journal)
        self.behaviour = behaviour or Behaviour()
        self._settings_changed: dict[str, Any] = {}
        self._empty()

    def _empty(self) -> None:
        self.messages: dict[str, Message] = {}
        self.in_order: list[Message] = []
        self.by_to: defaultdict[str, list[Message]] = defaultdict(list)
        self.by_sender: defaultdict[str, list[Message]] = defaultdict(list)
        self.threads: defaultdict[str, list[Message]] = defaultdict(list)
        """Per phone, both directions, oldest first."""
        self.inbound_answers: dict[str, dict[str, Any]] = {}
        """What the product last answered to each text from a phone."""
        self.calls: dict[str, Call] = {}
        self._calls_made = 0
        self.opt_outs: set[tuple[str, str]] = set()
        self.numbers: dict[str, dict[str, Any]] = {}
        self.webhooks: deque[dict[str, Any]] = deque(maxlen=KEPT_WEBHOOKS)
        self.created_per_text: Counter[tuple[str, str]] = Counter()
        self.created_per_callback: Counter[str] = Counter()
        self.requests: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def recover(self) -> int:
        """Replay the journal; return how many events it held."""
        count = 0
        for event in self._journal.read() if self._journal else ():
            self.history.replayed(event)
            self._apply(event)
            count += 1
        return count

    def reset(self, *, at: datetime) -> None:
        """Forget all messages, calls and rules, keep settings, and go on counting events."""
        self.history.clear()
        self._empty()
        self.record("setting.changed", at=at, changes=dict(self._settings_changed))
        self.record("reset", at=at, durable=True)

    def record(self, kind: str, *, at: datetime, durable: bool = False, **fields: Any) -> None:
        """Add an event and apply it to the state."""
        event = {"n": 0, "at": iso(at), "kind": kind, **fields}
        self.history.add(event, durable=durable)
        self._apply(event)

    def add_message(self, message: Message) -> None:
        """Keep a processed create or a received text; it outlives a kill from here on."""
        self._insert(message)
        kind = "message.received" if message.direction == "inbound" else "message.created"
        at = iso(message.created_at)
        self.history.add({"n": 0, "at": at, "kind": kind, "message": message.as_record()}, durable=True)

    def add_call(self, call: Call) -> None:
        """Keep a processed call; it outlives a kill from here on."""
        self._insert_call(call)
        record = call.as_record()
        self.history.add({"n": 0, "at": iso(call.created_at), "kind": "call.created", "call": record}, durable=True)

    def change_call(self, call: Call, kind: str, *, at: datetime, **changes: Any) -> None:
        """Change fields of a call; `said` adds a line to what was said."""
        self.record(kind, at=at, sid=call.sid, changes=changes)

    def opted_out(self, *, to: str, sender: str | None) -> bool:
        """Return whether this phone told this sender to stop and the carrier keeps that."""
        return bool(self.opt_outs) and (to, sender or "") in self.opt_outs

    def rule_for(self, number: str) -> dict[str, Any]:
        """Return what was set for a number, else what was set for all (`*`), else nothing."""
        return self.numbers.get(number) or self.numbers.get("*") or {}

    def doubles(self) -> list[dict[str, Any]]:
        """Return texts created more than once for one phone with one body."""
        return [{"to": to, "body": body, "count": n} for (to, body), n in self.created_per_text.items() if n > 1]

    def _insert(self, message: Message) -> None:
        message.serial = len(self.in_order)
        self.messages[message.sid] = message
        self.in_order.append(message)
        self.by_to[message.to].append(message)
        if message.sender:
            self.by_sender[message.sender].append(message)
        self.threads[(message.sender or "") if message.direction == "inbound" else message.to].append(message)
        if message.direction == "outbound-api":
            self.created_per_text[message.to, message.body] += 1
            if message.status_callback:
                self.created_per_callback[without_fragment(message.status_callback)] += 1

    def _insert_call(self, call: Call) -> None:
        self._calls_made += 1
        call.serial = self._calls_made
        self.calls[call.sid] = call

    def _apply(self, event: dict[str, Any]) -> None:
        match event["kind"]:
            case "message.created" | "message.received":
                self._insert(Message.from_record(event["message"]))
            case "call.created":
                self._insert_call(Call.from_record(event["call"]))
            case kind if kind.startswith("call."):
                self._apply_call(event)
            case "setting.changed":
                # Only what was changed while running outlives a restart; the rest comes from the command line again.
                self._settings_changed |= event["changes"]
                self.behaviour.apply(event["changes"])
            case "number.set":
                self.numbers[event["number"]] = event["rule"]
            case "number.cleared":
                self.numbers.pop(event["number"], None)
            case "opted_out":
                self.opt_outs.add((event["phone"], event["sender"]))
            case "opted_in":
                self.opt_outs.discard((event["phone"], event["sender"]))
            case "webhook.posted":
                self.webhooks.append(event)
                if event["webhook"] == "message.inbound":
                    self.inbound_answers[event["sid"]] = event["response"]
            case kind if kind.startswith(("message.", "media.")):
                self._apply_message(event)

    def _apply_message(self, event: dict[str, Any]) -> None:
        message = self.messages.get(event["sid"])
        if message is None:
            return
        message.updated_at = datetime.fromisoformat(event["at"])
        match event["kind"]:
            case "message.status":
                message.status = event["status"]
                message.error_code = event["error_code"]
                if message.status == "sent":
                    message.sent_at = message.updated_at
                if event.get("picked_sender") and not message.sender:
                    message.sender = event["picked_sender"]
                    insort(self.by_sender[event["picked_sender"]], message, key=lambda m: m.serial)
            case "message.redacted":
                message.body = ""
            case "message.deleted":
                message.deleted = True
                del self.messages[message.sid]
            case "message.feedback":
                message.feedback = event["outcome"]
            case "media.deleted":
                message.media = [m for m in message.media if m.sid != event["media_sid"]]

    def _apply_call(self, event: dict[str, Any]) -> None:
        call = self.calls.get(event["sid"])
        if call is None:
            return
        call.updated_at = datetime.fromisoformat(event["at"])
        for name, value in event["changes"].items():
            if name == "said":
                call.said.append(value)
            elif name in {"started_at", "ended_at"}:
                setattr(call, name, datetime.fromisoformat(value))
            else:
                setattr(call, name, value)
        if event["changes"].get("deleted"):
            del self.calls[call.sid]
