"""How a text moves on after its create: queued, sent, and a receipt, or the failure that was asked for."""

import asyncio
from typing import TYPE_CHECKING

from reminders.sandbox.records import FINISHED, Message

if TYPE_CHECKING:
    from reminders.sandbox.carrier import Carrier

OUTCOMES = ("delivered", "undelivered", "failed", "stays_sent", "stays_queued")
DEFAULT_ERRORS = {"undelivered": 30003, "failed": 30008}


class Progress:
    """Moves texts along after real delays and tells the product by signed callbacks, never about the first status."""

    def __init__(self, carrier: "Carrier") -> None:
        self._carrier = carrier

    def decide_outcome(self, message: Message) -> None:
        """Fix how a text will end, from what was set for its number; a rule with `times` is used up by this."""
        ledger = self._carrier.ledger
        rule = ledger.rule_for(message.to)
        if not rule:
            return
        message.outcome = rule.get("outcome") or "delivered"
        message.outcome_error = rule.get("error_code") or DEFAULT_ERRORS.get(message.outcome)
        times = rule.get("times")
        if times is None:
            return
        number = rule["number"]
        now = self._carrier.time.now()
        if times > 1:
            ledger.record("number.set", at=now, number=number, rule={**rule, "times": times - 1})
        else:
            ledger.record("number.cleared", at=now, number=number)

    def follow(self, message: Message) -> None:
        """Let a text move on from the status it has; also used for texts read back after a restart."""
        if message.status == "scheduled":
            self._carrier.alarms.at(message.send_at or message.created_at, lambda: self._release(message.sid))
            return
        step = self._next_step(message)
        if step:
            delay, status, error = step
            asyncio.get_running_loop().call_later(delay, self._arrive, message.sid, message.status, status, error)

    def move(self, message: Message, status: str, error_code: int | None = None) -> None:
        """Set a status and post the callback that belongs to it."""
        carrier = self._carrier
        picked = carrier.settings.pool_number if status == "queued" and not message.sender else None
        carrier.ledger.record(
            "message.status",
            at=carrier.time.now(),
            sid=message.sid,
            status=status,
            error_code=error_code,
            picked_sender=picked,
        )
        if message.status_callback:
            carrier.webhooks.post_status(message)
        if not message.retain and status in FINISHED:
            carrier.ledger.record("message.redacted", at=carrier.time.now(), sid=message.sid)

    def _release(self, sid: str) -> None:
        message = self._carrier.ledger.messages.get(sid)
        if message is not None and message.status == "scheduled":
            self.move(message, "accepted")
            self.follow(message)

    def _arrive(self, sid: str, old: str, new: str, error: int | None) -> None:
        message = self._carrier.ledger.messages.get(sid)
        # It may have been deleted, canceled or reset in between.
        if message is None or message.status != old:
            return
        self.move(message, new, error)
        self.follow(message)

    def _next_step(self, message: Message) -> tuple[float, str, int | None] | None:
        """Return the delay in real seconds, the next status and its error code; None where nothing follows."""
        behaviour = self._carrier.ledger.behaviour
        match message.status:
            case "accepted":
                return 0, "queued", None
            case "queued":
                if message.outcome == "stays_queued":
                    return None
                if behaviour.sent_after > message.validity_seconds:
                    return message.validity_seconds, "failed", 30036
                if message.outcome == "failed":
                    return behaviour.sent_after, "failed", message.outcome_error
                return behaviour.sent_after, "sent", None
            case "sent" if message.outcome in {"delivered", "undelivered"}:
                error = message.outcome_error if message.outcome == "undelivered" else None
                return max(0.0, behaviour.delivered_after - behaviour.sent_after), message.outcome, error
        return None
