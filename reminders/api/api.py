"""The API, version 1: `/api/v1/`, with its document at `openapi.json` and pages to try it at `docs`."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI, Router, Swagger

from reminders.api import treatment_sessions
from reminders.api.auth import ClinicKey
from reminders.api.bodies import StrictJsonParser
from reminders.api.problems import add_problem_handlers, problem_response

api = NinjaAPI(
    title="Aftercare reminders",
    version="1",
    description=(
        "Send a finished treatment session; the patient's aftercare texts and the soreness check-in follow by "
        "themselves. Every request carries a clinic's key as `Authorization: Bearer <key>`. Everything that is not a "
        "success is an `application/problem+json` document with a stable `code` and, for wrong fields, `errors`."
    ),
    urls_namespace="api-v1",
    auth=ClinicKey(),
    parser=StrictJsonParser(),
    # Its scripts and styles come from ninja's own static files, so the page works without the internet.
    docs=Swagger(settings={"persistAuthorization": False}),
    docs_url="/docs",
    openapi_url="/openapi.json",
)


# Last, because the first address that fits wins.
anything_else = Router()


@anything_else.api_operation(
    ["GET", "POST", "PUT", "PATCH", "DELETE"], "/{path:rest}", auth=None, include_in_schema=False
)
def nothing_here(request: HttpRequest, rest: str) -> HttpResponse:
    """Answer in the API's own form where no operation has this address."""
    return problem_response(
        status=HTTPStatus.NOT_FOUND, code="not_found", detail="There is nothing here; see docs for what there is."
    )


add_problem_handlers(api)
api.add_router("", treatment_sessions.router)
api.add_router("", anything_else)
