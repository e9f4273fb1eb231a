"""Reading request bodies: small JSON documents in UTF-8, and nothing that two readers could understand differently."""

import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final, NoReturn

from django.http import HttpRequest
from ninja.parser import Parser

from reminders.api.problems import RefusedBodyError

MAX_BODY_BYTES: Final = 64 * 1024
"""A session with every field filled to the brim is a tenth of this."""


class StrictJsonParser(Parser):
    """Ninja's parser, with everything refused that is not one plain JSON document."""

    def parse_body(self, request: HttpRequest) -> Any:
        """Return the parsed document. Raises RefusedBodyError."""
        if request.content_type != "application/json":
            raise RefusedBodyError(
                status=HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                code="unsupported_media_type",
                sentence="Send JSON, with the header Content-Type: application/json.",
            )
        body = request.body
        if len(body) > MAX_BODY_BYTES:
            raise RefusedBodyError(
                status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE, code="too_large", sentence="Send one session at a time."
            )
        try:
            return json.loads(body.decode(), parse_constant=_refuse, object_pairs_hook=_each_name_once)
        except (ValueError, RecursionError):
            raise RefusedBodyError(
                status=HTTPStatus.BAD_REQUEST,
                code="invalid_json",
                sentence="The body is not one JSON document in UTF-8 in which each name stands once.",
            ) from None


def _refuse(_name: str) -> NoReturn:
    raise ValueError("not JSON")


def _each_name_once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a name that stands twice: which of two phones would be meant?"""
    document = dict(pairs)
    if len(document) < len(pairs):
        raise ValueError("a name stands twice")
    return document
