"""Posts to the product, signed as Twilio signs them, with Twilio's retry rules and the faults that were switched on."""

import asyncio
from collections import defaultdict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

import aiohttp
from twilio.request_validator import HMAC_SHA256, RequestValidator
from yarl import URL

from reminders.sandbox.records import Message
from reminders.sandbox.wire import API_VERSION, without_fragment

if TYPE_CHECKING:
    from reminders.sandbox.carrier import Carrier

RETRY_PAUSE_SECONDS = 0.2
MAX_CONNECTIONS = 100
# Servers of the product close idle connections after about two seconds; a reused dead one would look like a loss.
IDLE_SECONDS = 1.0
REORDER_SECONDS = 2.0
"""How long a callback that shall be overtaken waits for the one behind it."""


@dataclass(frozen=True, slots=True)
class Overrides:
    """Twilio's connection overrides: what a webhook address may carry behind `#`."""

    connect_ms: int = 5000
    read_ms: int = 15000
    total_ms: int = 15000
    retries: int = 1
    retry_on: frozenset[str] = frozenset({"ct"})

    @classmethod
    def of(cls, url: str) -> "Overrides":
        """Read the overrides of an address; what is absent or out of range keeps Twilio's default."""
        given = dict(parse_qsl(url.partition("#")[2]))

        def number(name: str, default: int, low: int, high: int) -> int:
            text = given.get(name, "")
            return int(text) if text.isdecimal() and low <= int(text) <= high else default

        return cls(
            number("ct", 5000, 100, 10000),
            number("rt", 15000, 100, 15000),
            number("tt", 15000, 100, 15000),
            number("rc", 1, 0, 5),
            frozenset(given.get("rp", "ct").split(",")),
        )


@dataclass(slots=True)
class Answer:
    """What came back from the product: a status, or the reason why there was none."""

    status: int | None = None
    text: str = ""
    content_type: str = ""
    failure: str = ""
    """`ct` (no connection), `rt` (no answer in time), `4xx`, `5xx`, or empty."""
    attempts: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return the answer for the control API, its body cut to 2000 characters."""
        return {
            "status": self.status,
            "body": self.text[:2000],
            "content_type": self.content_type,
            "failure": self.failure or None,
            "attempts": self.attempts,
        }


@dataclass(slots=True)
class Post:
    """One request to the product. Posts of one lane (a message, a call) keep their order."""

    kind: str
    lane: str
    url: str
    params: dict[str, str]
    method: str = "POST"
    signature: str = "valid"
    """`valid`, `wrong` or `missing`."""
    fault: str | None = None


class Webhooks:
    """The carrier's way back to the product."""

    def __init__(self, carrier: "Carrier") -> None:
        self._carrier = carrier
        self._validator = RequestValidator(carrier.settings.auth_token)
        self._forger = RequestValidator("not-" + carrier.settings.auth_token)
        self._lanes: defaultdict[str, deque[Post]] = defaultdict(deque)
        self._held: dict[str, Post] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Open the connection pool."""
        connector = aiohttp.TCPConnector(limit=MAX_CONNECTIONS, keepalive_timeout=IDLE_SECONDS)
        self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())

    async def stop(self) -> None:
        """Drop what was not posted yet and close the pool."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session:
            await self._session.close()

    @property
    def idle(self) -> bool:
        """Return whether nothing is on its way or held back."""
        return not self._tasks and not self._held

    def post_status(self, message: Message) -> None:
        """Post a text's new status to its StatusCallback."""
        params = {
            "MessageSid": message.sid,
            "MessageStatus": message.status,
            "SmsSid": message.sid,
            "SmsStatus": message.status,
            "AccountSid": self._carrier.settings.account_sid,
            "From": message.sender or "",
            "To": message.to,
            "ApiVersion": API_VERSION,
        }
        if message.service_sid:
            params["MessagingServiceSid"] = message.service_sid
        if message.error_code is not None:
            params["ErrorCode"] = str(message.error_code)
        if message.status in {"delivered", "undelivered"}:
            params["RawDlrDoneDate"] = message.updated_at.strftime("%y%m%d%H%M")
        self.post(Post("message.status", message.sid, message.status_callback, params))

    def post(self, post: Post) -> None:
        """Post in the background, unless a fault says late, lost, doubled, reordered or forged."""
        rule = self._carrier.faults.for_callback(post) if self._carrier.faults.rules else None
        if rule is None:
            self._enqueue(post)
            return
        post.fault = rule.effect
        loop = asyncio.get_running_loop()
        match rule.effect:
            case "lost":
                self._log(post, Answer(failure="lost"))
            case "late":
                loop.call_later(rule.seconds, self._enqueue, post)
            case "doubled":
                self._enqueue(post)
                self._enqueue(post)
            case "reordered" if post.lane not in self._held:
                self._held[post.lane] = post
                loop.call_later(REORDER_SECONDS, self._let_go, post.lane)
            case "forged":
                post.signature = "wrong"
                self._enqueue(post)
            case _:
                self._enqueue(post)

    async def exchange(self, post: Post) -> Answer:
        """Post now and return the product's answer, after the retries that the address asks for."""
        overrides = Overrides.of(post.url)
        answer = Answer()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + overrides.total_ms / 1000
        for attempt in range(1, overrides.retries + 2):
            answer = await self._once(post, overrides, left_seconds=deadline - loop.time())
            answer.attempts = attempt
            if not answer.failure or not ({answer.failure, "all"} & overrides.retry_on):
                break
            if loop.time() + RETRY_PAUSE_SECONDS >= deadline:
                break
            await asyncio.sleep(RETRY_PAUSE_SECONDS)
        self._log(post, answer)
        return answer

    def _enqueue(self, post: Post) -> None:
        lane = self._lanes[post.lane]
        lane.append(post)
        held = self._held.pop(post.lane, None)
        if held:
            lane.append(held)
        if len(lane) - bool(held) == 1:
            task = asyncio.get_running_loop().create_task(self._drain(post.lane))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _let_go(self, lane: str) -> None:
        held = self._held.pop(lane, None)
        if held:
            self._enqueue(held)

    async def _drain(self, lane: str) -> None:
        waiting = self._lanes[lane]
        while waiting:
            # It stays at the head while it is posted, which tells `_enqueue` that this lane has its task.
            await self.exchange(waiting[0])
            waiting.popleft()
        del self._lanes[lane]

    async def _once(self, post: Post, overrides: Overrides, *, left_seconds: float) -> Answer:
        if self._session is None:
            raise RuntimeError("the sandbox has not been started")
        url, params = without_fragment(post.url), post.params
        if post.method == "GET":
            url += ("&" if "?" in url else "?") + urlencode(params)
            params = {}
        headers = {"User-Agent": "TwilioProxy/1.1", "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"}
        headers |= self._signature(post.signature, url, params)
        headers["I-Twilio-Idempotency-Token"] = f"{post.lane}-{post.params.get('MessageStatus', post.kind)}"
        timeout = aiohttp.ClientTimeout(
            total=max(0.05, left_seconds),
            sock_connect=overrides.connect_ms / 1000,
            sock_read=overrides.read_ms / 1000,
        )
        body = urlencode(params).encode() if post.method == "POST" else None
        try:
            async with self._session.request(
                post.method, URL(url, encoded=True), data=body, headers=headers, timeout=timeout
            ) as response:
                text = await response.text(errors="replace")
                failure = f"{response.status // 100}xx" if response.status >= 400 else ""
                return Answer(response.status, text, response.content_type, failure)
        except (aiohttp.ConnectionTimeoutError, aiohttp.ClientConnectorError, aiohttp.ServerDisconnectedError):
            return Answer(failure="ct")
        except (TimeoutError, aiohttp.ClientError, OSError):
            return Answer(failure="rt")

    def _signature(self, kind: str, url: str, params: dict[str, str]) -> dict[str, str]:
        """Return the signature headers of a request: the account's SHA-1, or a shared key's SHA-256."""
        if kind == "missing":
            return {}
        secret = self._carrier.ledger.behaviour.shared_key_secret
        if secret:
            signer = RequestValidator(secret if kind == "valid" else "not-" + secret)
            return {
                "X-Twilio-Signature": signer.compute_signature(url, params, HMAC_SHA256),
                "X-Twilio-Webhooks-Signature-Settings": f"key=webhooks_sharedkey_sandbox,algorithm={HMAC_SHA256}",
            }
        signer = self._validator if kind == "valid" else self._forger
        return {"X-Twilio-Signature": signer.compute_signature(url, params)}

    def _log(self, post: Post, answer: Answer) -> None:
        self._carrier.ledger.record(
            "webhook.posted",
            at=self._carrier.time.now(),
            webhook=post.kind,
            sid=post.lane,
            url=post.url,
            params=post.params,
            signature=post.signature,
            fault=post.fault,
            response=answer.as_json(),
        )
