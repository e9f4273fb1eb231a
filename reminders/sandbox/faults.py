"""Faults that can be switched on: what a real network and a real carrier do on a bad day, by rule and repeatable."""

import asyncio
import json
import random
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, fields
from itertools import count
from typing import Any

from aiohttp import web

from reminders.sandbox.rest import RestRequest, refusal, reply
from reminders.sandbox.webhooks import Post
from reminders.sandbox.wire import CarrierError

EFFECTS = {
    "delay": "answers after `seconds`, with `processed` processed at once",
    "too_many": "429 with code 20429 before processing; `retry_after` adds the header",
    "queue_full": "429 with code 21611 before processing",
    "error": "500 or 503 (`status`), with `processed` after processing",
    "reset": "cuts the connection with a TCP reset, with `processed` after processing",
    "hang": "takes the request and never answers, with `processed` after processing",
    "truncate": "processes, then cuts the answer in the middle of its body",
    "unauthorized": "401 with code 20003, as for a suspended account or a rotated token",
    "refuse": "refuses with error `code`, as for an opt-out (21610) or a number that is none (21211)",
    "garble": "201 with a body that is no JSON, with `processed` after processing",
    "other_sid": "processes, and answers with the id of the text before",
    "list_lag": "hides messages younger than `seconds` from lists",
    "late": "posts callbacks after `seconds`",
    "doubled": "posts callbacks twice",
    "reordered": "posts a callback after the one that follows it",
    "lost": "never posts callbacks",
    "forged": "signs callbacks with a wrong token",
}
CALLBACK_EFFECTS = frozenset({"late", "doubled", "reordered", "lost", "forged"})
HANG_LOOK_SECONDS = 0.1

Run = Callable[[RestRequest], Awaitable[web.Response]]


@dataclass(slots=True)
class Rule:
    """One fault. It strikes requests (or callbacks) that match, the `first` so many or by chance."""

    id: int
    effect: str
    operation: str = "*"
    """`messages.create`, `messages.*`, `calls.create`, ...; for callbacks `message.status`, `call.status`, ..."""
    to: str = "*"
    """A number, or the beginning of numbers and an asterisk."""
    first: int | None = None
    """How many strikes are left; None strikes without end."""
    skip: int = 0
    """How many matching requests pass unharmed before the first strike."""
    probability: float = 1.0
    seconds: float = 1.0
    status: int = 500
    processed: bool = False
    retry_after: int | None = None
    code: int = 21211
    struck: int = 0

    def matches(self, operation: str, to: str) -> bool:
        """Return whether this rule is about such a request."""
        is_about = to.startswith(self.to[:-1]) if self.to.endswith("*") else to == self.to
        if self.first == 0 or not is_about:
            return False
        return self.operation in {"*", operation, operation.partition(".")[0] + ".*"}

    def as_json(self) -> dict[str, Any]:
        """Return the rule for the control API."""
        return asdict(self)


_CHECKED = {f.name: f.type for f in fields(Rule)}


class Faults:
    """The rules that are switched on, in the order in which they were added; the first that strikes decides."""

    def __init__(self, *, seed: int) -> None:
        self.rules: list[Rule] = []
        self._ids = count(1)
        self._seed = seed
        self._chance = random.Random(seed)  # noqa: S311 - faults have to be repeatable, not secret
        self._last_sid: dict[str, str] = {}

    def add(self, wish: dict[str, Any]) -> Rule:
        """Switch a fault on. Raises ValueError, with a sentence, for a wish that cannot be read."""
        wish = {k: v for k, v in wish.items() if k not in {"id", "struck"}}
        seed = wish.pop("seed", None)
        if wish.get("effect") not in EFFECTS:
            raise ValueError(f"effect is one of {', '.join(EFFECTS)}")
        unknown = set(wish) - set(_CHECKED)
        if unknown:
            raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
        numbers = ("first", "skip", "probability", "seconds", "status", "retry_after", "code")
        if any(not isinstance(wish[k], int | float | None) for k in numbers if k in wish):
            raise ValueError(f"{', '.join(numbers)} are numbers")
        rule = Rule(id=next(self._ids), **wish)
        if seed is not None:
            self._chance = random.Random(seed)  # noqa: S311 - as above
        self.rules.append(rule)
        return rule

    def remove(self, rule_id: int | None = None) -> int:
        """Switch one fault off, or all; return how many there were."""
        before = len(self.rules)
        self.rules = [rule for rule in self.rules if rule_id is not None and rule.id != rule_id]
        return before - len(self.rules)

    def _pick(self, operation: str, to: str, effects: Callable[[str], bool]) -> Rule | None:
        for rule in self.rules:
            if not effects(rule.effect) or not rule.matches(operation, to):
                continue
            if rule.skip > 0:
                rule.skip -= 1
                continue
            if rule.probability < 1 and self._chance.random() >= rule.probability:
                continue
            rule.struck += 1
            if rule.first is not None:
                rule.first -= 1
            return rule
        return None

    def for_callback(self, post: Post) -> Rule | None:
        """Return the fault that strikes this callback, if any."""
        return self._pick(post.kind, post.params.get("To", ""), CALLBACK_EFFECTS.__contains__)

    def list_lag_seconds(self, to: str) -> float:
        """Return how fresh a message has to be to be missing from lists; 0 where nothing is hidden."""
        if not self.rules:
            return 0.0
        rule = self._pick("messages.list", to, lambda effect: effect == "list_lag")
        return rule.seconds if rule else 0.0

    async def strike(self, operation: str, request: RestRequest, run: Run) -> web.StreamResponse:
        """Answer a request as the first matching fault wants it, or as usual."""
        to = request.form.get("To") or request.http.query.get("To", "")
        rule = self._pick(operation, to, lambda effect: effect not in CALLBACK_EFFECTS and effect != "list_lag")
        if rule is None:
            return await run(request)
        match rule.effect:
            case "delay":
                return await _late(request, run, rule)
            case "too_many" | "queue_full":
                response = refusal(CarrierError(20429 if rule.effect == "too_many" else 21611))
                if rule.retry_after is not None:
                    response.headers["Retry-After"] = str(rule.retry_after)
                return response
            case "unauthorized" | "refuse":
                return refusal(CarrierError(20003 if rule.effect == "unauthorized" else rule.code))
            case "truncate":
                return await _truncate(request, await run(request))
            case "other_sid":
                return self._with_other_sid(operation, await run(request))
        if rule.processed:
            await run(request)
        if rule.effect == "garble":
            return web.Response(status=201, text="<html>Created</html>", content_type="text/html")
        if rule.effect == "error":
            return refusal(CarrierError(20503 if rule.status == 503 else 20500, status=rule.status))
        if rule.effect == "hang":
            await _hang(request)
        _reset(request)
        # Nothing of this reaches the client: its connection is gone.
        return web.Response(status=500)

    def _with_other_sid(self, operation: str, response: web.Response) -> web.Response:
        """Put the id of the answer before into this one; the first one of all keeps its own."""
        answer = json.loads(response.body) if isinstance(response.body, bytes) else {}
        if "sid" in answer:
            own = answer["sid"]
            answer["sid"] = self._last_sid.get(operation, own)
            self._last_sid[operation] = own
        return reply(answer, response.status)


async def _late(request: RestRequest, run: Run, rule: Rule) -> web.Response:
    """Wait before processing, or between processing and the answer."""
    answer = await run(request) if rule.processed else None
    await asyncio.sleep(rule.seconds)
    return answer or await run(request)


def _reset(request: RestRequest) -> None:
    """Cut the connection so that the client sees a reset and not an orderly end."""
    transport = request.http.transport
    if transport is None:
        return
    sock = transport.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


async def _hang(request: RestRequest) -> None:
    """Wait until the client gives up."""
    while (transport := request.http.transport) is not None and not transport.is_closing():
        await asyncio.sleep(HANG_LOOK_SECONDS)


async def _truncate(request: RestRequest, whole: web.Response) -> web.StreamResponse:
    """Announce a whole body, send half of it, and cut the connection."""
    body = whole.body if isinstance(whole.body, bytes) else b""
    half = web.StreamResponse(status=whole.status, headers={"Content-Type": "application/json"})
    half.content_length = len(body)
    await half.prepare(request.http)
    await half.write(body[: len(body) // 2])
    transport = request.http.transport
    if transport is not None:
        transport.close()
    return half
