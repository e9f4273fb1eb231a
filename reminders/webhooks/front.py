"""A short way in for status callbacks, which are most of what a web process gets.

Three come for every text, and none needs a session, a login or a page. So a callback of the usual shape is answered
before Django's own way of handling requests; whatever looks different in any way goes on to the same view.
"""

import re
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

import structlog
from django.http.request import HttpHeaders

from reminders.logs import place_of
from reminders.webhooks.signed import is_from_carrier
from reminders.webhooks.texts import status_answer

log = structlog.get_logger(__name__)

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

STATUS_PATH = re.compile(r"/webhooks/sms/status/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/")
FORM = "application/x-www-form-urlencoded"
# A callback has some 300 characters; a long one is read by those who know how to refuse it.
MOST_BYTES = 10_000
MOST_FIELDS = 100


def status_in_front(django: Application) -> Application:
    """Return an application that answers plain status callbacks itself and leaves everything else to `django`."""

    def application(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        public_id = _usual_callback(environ)
        if public_id is None:
            return django(environ, start_response)
        status = _answer(environ, public_id)
        # A 204 has no body by definition; any other answer says that it has none.
        headers = [] if status is HTTPStatus.NO_CONTENT else [("Content-Length", "0")]
        start_response(f"{status.value} {status.phrase}", headers)
        return []

    return application


def _usual_callback(environ: Environ) -> UUID | None:
    """Return which message a request reports on, if it has the usual shape. Reads nothing of its body."""
    found = STATUS_PATH.fullmatch(environ.get("PATH_INFO", ""))
    length = environ.get("CONTENT_LENGTH") or ""
    is_usual = (
        found is not None
        and environ["REQUEST_METHOD"] == "POST"
        and not environ.get("QUERY_STRING")
        and not environ.get("SCRIPT_NAME")
        and environ.get("CONTENT_TYPE", "").partition(";")[0].strip() == FORM
        and length.isdecimal()
        and int(length) <= MOST_BYTES
    )
    return UUID(found[1]) if is_usual and found is not None else None


def _answer(environ: Environ, public_id: UUID) -> HTTPStatus:
    body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    try:
        form = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        return HTTPStatus.BAD_REQUEST
    if not is_from_carrier(path=environ["PATH_INFO"], form=form, headers=HttpHeaders(environ)):
        return HTTPStatus.FORBIDDEN
    try:
        return status_answer(public_id=public_id, form={name: values[-1] for name, values in form.items()})
    except Exception as error:  # noqa: BLE001  # as Django does for its views; the server would log the words of it
        log.error("status_not_taken_in", kind=type(error).__name__, where=place_of(error))
        return HTTPStatus.INTERNAL_SERVER_ERROR
