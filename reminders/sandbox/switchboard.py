"""Live calls: they ring until a person (or a rule, or the time-out) decides, and tell the product what happens."""

import asyncio
import contextlib
from datetime import timedelta
from typing import TYPE_CHECKING

from reminders.sandbox.conversation import Conversation
from reminders.sandbox.records import ENDED, Call
from reminders.sandbox.webhooks import Post
from reminders.sandbox.wire import API_VERSION, iso, rfc2822

if TYPE_CHECKING:
    from reminders.sandbox.carrier import Carrier

KEYS = frozenset("0123456789*#")
SETTLE_SECONDS = 20.0
# What our events are called in Twilio's StatusCallbackEvent.
ASKED_AS = {"initiated": "initiated", "ringing": "ringing", "in-progress": "answered"}


class Line:
    """One live call: who picks up, and the conversation."""

    def __init__(self, carrier: "Carrier", call: Call) -> None:
        self.call = call
        self.talk = Conversation(carrier, call)
        self.pick_up: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.task: asyncio.Task[None] | None = None

    def decide(self, outcome: str) -> None:
        """Let the phone do this, unless that is decided already."""
        if not self.pick_up.done():
            self.pick_up.set_result(outcome)


class Switchboard:
    """All live calls, and the hands that answer them."""

    def __init__(self, carrier: "Carrier") -> None:
        self._carrier = carrier
        self._lines: dict[str, Line] = {}

    def dial(self, call: Call) -> None:
        """Let a phone ring in the background."""
        line = self._lines[call.sid] = Line(self._carrier, call)
        line.task = asyncio.get_running_loop().create_task(self._run(line))

    def resume(self) -> None:
        """End calls that were live when the process was killed; a telephone line does not outlive its exchange."""
        for call in list(self._carrier.ledger.calls.values()):
            if call.status not in ENDED and call.sid not in self._lines:
                self._move(call, "failed")

    async def stop(self) -> None:
        """Drop all lines without a word."""
        for line in list(self._lines.values()):
            if line.task:
                line.task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await line.task

    def params(self, call: Call) -> dict[str, str]:
        """Return the fields that every request about a call carries."""
        fields = {
            "CallSid": call.sid,
            "AccountSid": self._carrier.settings.account_sid,
            "From": call.sender,
            "To": call.to,
            "Caller": call.sender,
            "Called": call.to,
            "CallStatus": call.status,
            "ApiVersion": API_VERSION,
            "Direction": "outbound-api",
        }
        if call.answered_by and not call.async_amd_callback:
            fields["AnsweredBy"] = call.answered_by
        return fields

    async def pick_up(self, call: Call, outcome: str) -> None:
        """Decide what a ringing phone does: answer, voicemail, busy, no-answer, failed.

        Returns when the call listens for a key or is over. Raises ValueError where the phone does not ring.
        """
        line = self._lines.get(call.sid)
        if line is None or line.pick_up.done():
            raise ValueError("the phone is not ringing")
        line.decide(outcome)
        await self._settled(line)

    async def press(self, call: Call, digits: str | None) -> None:
        """Press keys on a running call, or stay silent (None); waits for the prompt and for what follows the keys."""
        line = self._lines.get(call.sid)
        if line is None or call.status not in {"queued", "ringing", "in-progress"}:
            raise ValueError("the call is over")
        if digits is not None and not (digits and KEYS.issuperset(digits)):
            raise ValueError("keys are 0 to 9, * and #")
        await self._settled(line)
        if not call.gathering:
            raise ValueError("the call does not listen for keys")
        line.talk.press(digits)
        await self._settled(line)

    async def end(self, call: Call, status: str) -> None:
        """End a live call from either side with this status. Raises ValueError where it is over."""
        line = self._lines.pop(call.sid, None)
        if line is None or line.task is None:
            raise ValueError("the call is over")
        line.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await line.task
        line.talk.settled.set()
        self._move(call, status)

    async def redirect(self, call: Call, *, url: str, twiml: str, method: str) -> None:
        """Give a running call new TwiML in place of what it was doing."""
        line = self._lines[call.sid]
        if line.task:
            line.task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await line.task
        line.talk = Conversation(self._carrier, call)
        line.task = asyncio.get_running_loop().create_task(self._talk(line, url=url, twiml=twiml, method=method))

    async def _settled(self, line: Line) -> None:
        try:
            await asyncio.wait_for(line.talk.settled.wait(), SETTLE_SECONDS)
        except TimeoutError:
            raise ValueError("the product has not said yet what the call shall do") from None

    async def _run(self, line: Line) -> None:
        """One call from its first ring to its end."""
        call, carrier = line.call, self._carrier
        self._tell(call, "initiated")
        self._move(call, "ringing")
        rule = carrier.ledger.rule_for(call.to)
        preset = rule.get("call", "ring")
        if preset != "ring":
            line.decide(preset)
        else:
            give_up = carrier.time.now() + timedelta(seconds=call.timeout_seconds)
            carrier.alarms.at(give_up, lambda: line.decide("no-answer"))
        outcome = await line.pick_up
        if outcome not in {"answer", "voicemail"}:
            self._finish(line, outcome)
            return
        if call.machine_detection:
            machine = "machine_end_beep" if call.machine_detection == "DetectMessageEnd" else "machine_start"
            answered_by = "human" if outcome == "answer" else machine
            carrier.ledger.change_call(call, "call.detected", at=carrier.time.now(), answered_by=answered_by)
        # Also without detection, where Twilio knows of no machine: nobody will press a key.
        line.talk.nobody_there = outcome == "voicemail"
        self._move(call, "in-progress")
        self._tell_detection(call)
        if rule.get("press") and outcome == "answer":
            line.talk.will_press = str(rule["press"])
        await self._talk(line, url=call.url, twiml=call.twiml, method=call.method)

    async def _talk(self, line: Line, *, url: str, twiml: str, method: str) -> None:
        await line.talk.run(url=url, twiml=twiml, method=method)
        self._finish(line, "completed")

    def _finish(self, line: Line, status: str) -> None:
        self._lines.pop(line.call.sid, None)
        self._move(line.call, status)
        line.talk.settled.set()

    def _move(self, call: Call, status: str) -> None:
        now = self._carrier.time.now()
        changes: dict[str, object] = {"status": status}
        if status == "in-progress":
            changes["started_at"] = iso(now)
        if status in ENDED:
            changes |= {"ended_at": iso(now), "gathering": False}
        self._carrier.ledger.change_call(call, "call.status", at=now, **changes)
        self._tell(call, status)

    def _tell(self, call: Call, status: str) -> None:
        """Post a status callback where this event was asked for."""
        if ASKED_AS.get(status, "completed") not in call.callback_events or not call.status_callback:
            return
        params = self.params(call) | {
            "CallStatus": status,
            "Timestamp": rfc2822(self._carrier.time.now()) or "",
            "SequenceNumber": str(call.sequence),
            "CallbackSource": "call-progress-events",
        }
        if status in ENDED:
            params["CallDuration"] = str(call.duration_seconds)
            params["Duration"] = str(-(-call.duration_seconds // 60))
        self._carrier.ledger.change_call(call, "call.told", at=self._carrier.time.now(), sequence=call.sequence + 1)
        self._carrier.webhooks.post(Post("call.status", call.sid, call.status_callback, params, call.callback_method))

    def _tell_detection(self, call: Call) -> None:
        if call.async_amd_callback and call.answered_by:
            account = self._carrier.settings.account_sid
            params = {"CallSid": call.sid, "AccountSid": account, "AnsweredBy": call.answered_by}
            params["MachineDetectionDuration"] = "0"
            self._carrier.webhooks.post(Post("call.detection", call.sid, call.async_amd_callback, params))
