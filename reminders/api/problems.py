"""Every answer that is not a success: `application/problem+json` (RFC 9457), made in this one place.

No answer and no log line repeats what was sent.
"""

import traceback
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any, Final

import structlog
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import UnreadablePostError
from ninja import NinjaAPI, Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError
from pydantic import Field

from reminders.clinic.errors import ConflictError, InvalidInputError, NotFoundError, Problem, ReminderError

log = structlog.get_logger(__name__)

CONTENT_TYPE: Final = "application/problem+json"

CONFLICT_CODES: Final = frozenset({"already_voided", "other_patient", "duplicate_patient"})
"""Problems of an intake that is well-formed by itself and contradicts what is on file: answered with 409."""


_SAFE: Final = "Send the same request again later: a repeat is never a second session."


class FieldProblem(Schema):
    """One thing wrong with one field."""

    field: str = Field(description="The field as it was sent; `body` for the document as a whole.")
    code: str = Field(description="Stable, for programs.")
    message: str = Field(description="What to do, for people. Never repeats the value.")


class ProblemDocument(Schema):
    """An answer that is not a success."""

    type: str = Field(description="A name for this kind of problem: urn:reminders:problem: and the code.")
    title: str = Field(description="The HTTP status in words.")
    status: int
    code: str = Field(description="Stable, for programs.")
    detail: str = Field(description="What to do, for people.")
    errors: list[FieldProblem] = Field(description="Everything that is wrong with the fields, all at once.")


class RefusedBodyError(ReminderError):
    """A request body that cannot be read, with the HTTP status that says why."""

    def __init__(self, *, status: HTTPStatus, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.code = code


def problem_response(*, status: HTTPStatus, code: str, detail: str, problems: Sequence[Problem] = ()) -> HttpResponse:
    """Return one problem answer."""
    document = ProblemDocument(
        type=f"urn:reminders:problem:{code}",
        title=status.phrase,
        status=status.value,
        code=code,
        detail=detail,
        errors=[FieldProblem(field=problem.field, code=problem.code, message=problem.sentence) for problem in problems],
    )
    response = JsonResponse(document.dict(), status=status.value, content_type=CONTENT_TYPE)
    if status is HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def add_problem_handlers(api: NinjaAPI) -> None:
    """Have every exception of an operation answered from here."""
    handlers: dict[type[Exception], Callable[[HttpRequest, Any], HttpResponse]] = {
        InvalidInputError: _invalid_input,
        NotFoundError: _not_found,
        ConflictError: _conflict,
        AuthenticationError: _no_key,
        ValidationError: _not_an_object,
        RequestDataTooBig: _too_large,
        UnreadablePostError: _broken_off,
        HttpError: _http_error,
        OperationalError: _unavailable,
        InterfaceError: _unavailable,
        Exception: _unexpected,
    }
    for kind, handler in handlers.items():
        api.add_exception_handler(kind, handler)


def _invalid_input(_request: HttpRequest, error: InvalidInputError) -> HttpResponse:
    conflict = any(problem.code in CONFLICT_CODES for problem in error.problems)
    return problem_response(
        status=HTTPStatus.CONFLICT if conflict else HTTPStatus.UNPROCESSABLE_ENTITY,
        code=error.code,
        detail="Nothing was stored. See errors, correct them and send it again.",
        problems=error.problems,
    )


def _not_found(_request: HttpRequest, error: NotFoundError) -> HttpResponse:
    return problem_response(status=HTTPStatus.NOT_FOUND, code=error.code, detail=str(error))


def _conflict(_request: HttpRequest, error: ConflictError) -> HttpResponse:
    return problem_response(status=HTTPStatus.CONFLICT, code=error.code, detail=str(error))


def _no_key(_request: HttpRequest, _error: AuthenticationError) -> HttpResponse:
    return problem_response(
        status=HTTPStatus.UNAUTHORIZED,
        code="no_valid_key",
        detail="Send a key of your clinic that has not been revoked, as `Authorization: Bearer <key>`.",
    )


def _not_an_object(_request: HttpRequest, _error: ValidationError) -> HttpResponse:
    sentence = "Send one JSON object with the fields of one session."
    return problem_response(
        status=HTTPStatus.UNPROCESSABLE_ENTITY,
        code="invalid_input",
        detail=sentence,
        problems=[Problem("body", "not_an_object", sentence)],
    )


def _too_large(_request: HttpRequest, _error: RequestDataTooBig) -> HttpResponse:
    return problem_response(
        status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE, code="too_large", detail="Send one session at a time."
    )


def _http_error(_request: HttpRequest, error: HttpError) -> HttpResponse:
    cause = error.__cause__
    if isinstance(cause, RefusedBodyError):
        return problem_response(status=cause.status, code=cause.code, detail=str(cause))
    status = HTTPStatus(error.status_code)
    code = "forbidden" if status is HTTPStatus.FORBIDDEN else "bad_request"
    return problem_response(status=status, code=code, detail=status.description or status.phrase)


def _broken_off(_request: HttpRequest, _error: UnreadablePostError) -> HttpResponse:
    return problem_response(
        status=HTTPStatus.BAD_REQUEST, code="bad_request", detail="The connection broke off; send it again."
    )


def _unavailable(_request: HttpRequest, error: OperationalError | InterfaceError) -> HttpResponse:
    _log(error)
    return problem_response(
        status=HTTPStatus.SERVICE_UNAVAILABLE, code="unavailable", detail=f"The database does not answer. {_SAFE}"
    )


def _unexpected(_request: HttpRequest, error: Exception) -> HttpResponse:
    _log(error)
    return problem_response(
        status=HTTPStatus.INTERNAL_SERVER_ERROR,
        code="internal_error",
        detail=f"Something is wrong on this side. {_SAFE}",
    )


def _log(error: Exception) -> None:
    # The frames without the message: a database error quotes the row it is about.
    log.error("api_request_failed", error=type(error).__name__, frames=traceback.format_tb(error.__traceback__))
