"""The product's side of the webhooks, as far as these tests need it: it keeps what arrives and answers as told."""

from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from aiohttp import web
from twilio.request_validator import RequestValidator

EMPTY_TWIML = '<?xml version="1.0" encoding="UTF-8"?><Response/>'


@dataclass(frozen=True)
class Arrived:
    """One webhook request."""

    url: str
    method: str
    headers: dict[str, str]
    params: dict[str, str]

    def signed_with(self, token: str) -> bool:
        """Whether Twilio's own validator takes its signature."""
        params = self.params if self.method == "POST" else {}
        valid = RequestValidator(token).validate(self.url, params, self.headers.get("X-Twilio-Signature", ""))
        return bool(valid)


@dataclass
class Product:
    """Answers every path; `answers` maps a path to a function of the form that returns a document or a status."""

    base_url: str = ""
    arrived: list[Arrived] = field(default_factory=list)
    answers: dict[str, Callable[[Arrived], str | int]] = field(default_factory=dict)

    async def handle(self, request: web.Request) -> web.Response:
        """Keep the request and answer it."""
        text = await request.text()
        pairs = parse_qsl(text if request.method == "POST" else request.query_string, keep_blank_values=True)
        url = self.base_url + request.path_qs
        one = Arrived(url, request.method, dict(request.headers), dict(pairs))
        self.arrived.append(one)
        given = self.answers.get(request.path)
        answer = given(one) if given else EMPTY_TWIML
        if isinstance(answer, int):
            return web.Response(status=answer)
        return web.Response(text=answer, content_type="text/xml")

    def at(self, path: str) -> list[Arrived]:
        """What arrived at one path, oldest first."""
        return [one for one in self.arrived if one.url.partition("?")[0] == self.base_url + path]
