"""One answered call: TwiML is fetched, spoken, and listened to, as far as escalations need it."""

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urljoin
from xml.etree.ElementTree import Element, ParseError

from reminders.sandbox.records import Call
from reminders.sandbox.twiml import parse_document
from reminders.sandbox.webhooks import Answer, Post
from reminders.sandbox.wire import without_fragment

if TYPE_CHECKING:
    from reminders.sandbox.carrier import Carrier

# A document that redirects to itself would otherwise keep a call up for ever.
MAX_DOCUMENTS = 20
MAX_VERBS = 200
APOLOGY = "We are sorry, an application error has occurred. Goodbye."


class CallFailedError(Exception):
    """The product gave no usable TwiML; `code` is what Twilio's debugger would note."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Conversation:
    """What is said and pressed on one call. `settled` is set while it waits for a key, and once it is over."""

    def __init__(self, carrier: "Carrier", call: Call) -> None:
        self._carrier = carrier
        self._call = call
        self._keys: asyncio.Queue[str | None] = asyncio.Queue()
        self._documents = 0
        self._verbs = 0
        self._url = ""
        self.settled = asyncio.Event()
        self.nobody_there = False
        """A machine answered; no key will ever come."""
        self.will_press = ""
        """Keys that a rule presses at the first prompt."""

    def press(self, digits: str | None) -> None:
        """Press keys, or stay silent (None) until the prompt gives up. Only counts while the call listens."""
        self.settled.clear()
        for digit in digits if digits is not None else (None,):
            self._keys.put_nowait(digit)

    async def run(self, *, url: str, twiml: str, method: str) -> None:
        """Follow the TwiML to its end."""
        try:
            document: Element | None = await self._fetch(url, method) if url else self._parse(twiml)
            while document is not None:
                document = await self._follow(document)
        except CallFailedError as error:
            self._say(APOLOGY)
            self._carrier.ledger.record("debugger", at=self._carrier.time.now(), sid=self._call.sid, code=error.code)

    async def _follow(self, document: Element) -> Element | None:
        """Do what a document says; return the document that follows, or None where the call is over."""
        for verb in document:
            self._verbs += 1
            if self._verbs > MAX_VERBS:
                return None
            match verb.tag:
                case "Gather":
                    digits = await self._gather(verb)
                    if digits is not None:
                        action = urljoin(self._url, verb.get("action", "")) or self._url
                        return await self._fetch(action, verb.get("method", "POST").upper(), Digits=digits)
                case "Redirect":
                    target = urljoin(self._url, (verb.text or "").strip())
                    return await self._fetch(target, verb.get("method", "POST").upper())
                case "Hangup" | "Reject":
                    return None
                case _:
                    self._speak(verb)
        return None

    def _speak(self, verb: Element) -> None:
        match verb.tag:
            case "Say":
                self._say(" ".join("".join(verb.itertext()).split()))
            case "Play":
                self._note(f"plays {(verb.text or '').strip()}")
            case "Pause":
                self._note(f"pauses {verb.get('length', '1')} s")
            case _:
                self._note(f"does not know <{verb.tag}>")

    async def _gather(self, gather: Element) -> str | None:
        """Prompt and wait for keys; return them, or None where nobody pressed any."""
        for prompt in gather:
            self._speak(prompt)
        if self.nobody_there:
            return None
        try:
            most, timeout = int(gather.get("numDigits", "0")), float(gather.get("timeout", "5"))
        except ValueError:
            raise CallFailedError(12200) from None
        end_key = gather.get("finishOnKey", "#")
        patience = max(timeout, self._carrier.ledger.behaviour.min_gather_seconds)
        digits = ""
        self._listen(True)
        if self.will_press:
            self.press(self.will_press)
            self.will_press = ""
        try:
            while not most or len(digits) < most:
                key = await self._next_key(patience)
                if key is None:
                    break
                self._carrier.ledger.change_call(
                    self._call,
                    "call.pressed",
                    at=self._carrier.time.now(),
                    said={"kind": "pressed", "text": key},
                )
                if end_key and key == end_key:
                    break
                digits += key
        finally:
            self._listen(False)
        return digits if digits or gather.get("actionOnEmptyResult") == "true" else None

    async def _next_key(self, patience_seconds: float) -> str | None:
        """Return the next key, or None after the patience on the shared clock is over."""
        if self._keys.empty():
            self.settled.set()
        waiting = asyncio.ensure_future(self._keys.get())
        deadline = self._carrier.time.now() + timedelta(seconds=patience_seconds)
        self._carrier.alarms.at(deadline, waiting.cancel)
        try:
            return await waiting
        except asyncio.CancelledError:
            # Either our own alarm, which means silence, or the whole call was hung up.
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            return None
        finally:
            self.settled.clear()

    def _listen(self, listening: bool) -> None:
        while listening and not self._keys.empty():
            self._keys.get_nowait()
        now = self._carrier.time.now()
        self._carrier.ledger.change_call(self._call, "call.gathering", at=now, gathering=listening)

    async def _fetch(self, url: str, method: str, **extra: str) -> Element:
        self._documents += 1
        if self._documents > MAX_DOCUMENTS:
            raise CallFailedError(13310)
        params = self._carrier.switchboard.params(self._call) | extra
        answer = await self._carrier.webhooks.exchange(Post("call.twiml", self._call.sid, url, params, method))
        fallback = self._call.fallback_url
        if not _usable(answer) and fallback and url != fallback:
            return await self._fetch(fallback, "POST", ErrorCode="11200", ErrorUrl=without_fragment(url))
        if not _usable(answer):
            raise CallFailedError(11200)
        self._url = without_fragment(url)
        return self._parse(answer.text)

    def _parse(self, text: str) -> Element:
        try:
            return parse_document(text)
        except ParseError:
            raise CallFailedError(12100) from None

    def _say(self, text: str) -> None:
        said = {"kind": "said", "text": text}
        self._carrier.ledger.change_call(self._call, "call.said", at=self._carrier.time.now(), said=said)

    def _note(self, text: str) -> None:
        said = {"kind": "note", "text": text}
        self._carrier.ledger.change_call(self._call, "call.said", at=self._carrier.time.now(), said=said)


def _usable(answer: Answer) -> bool:
    return answer.status is not None and answer.status < 400
