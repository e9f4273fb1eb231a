"""Operations on treatment sessions."""

from typing import Any

from django.db.models import Count
from django.http import HttpRequest
from ninja import Body, Router, Status

from reminders import clock
from reminders.api.auth import clinic_of
from reminders.api.schemas import (
    NOT_HERE,
    TreatmentSessionDetail,
    TreatmentSessionRecorded,
    problem_answers,
    session_body,
)
from reminders.clinic.consent import newest_decision
from reminders.clinic.errors import InvalidInputError, NotFoundError, Problem
from reminders.clinic.intake import parse_session
from reminders.clinic.models import AuditEvent, PatientPhone, TreatmentSession
from reminders.clinic.services import IntakeOutcome, record_treatment_session
from reminders.messaging.models import AftercarePlan, Message

router = Router(tags=["Treatment sessions"])


@router.post(
    "/treatment-sessions",
    summary="Record, correct or void a session",
    response={200: TreatmentSessionRecorded, 201: TreatmentSessionRecorded},
    openapi_extra={
        "requestBody": session_body(),
        "responses": problem_answers(
            s400="The body is not JSON.",
            s401="There is no valid key.",
            s409="The session contradicts what is on file: voided before, or another patient's.",
            s413="The body is larger than 64 KiB.",
            s415="The body is not declared as application/json.",
            s422="Fields are missing or wrong; all of them are listed.",
        ),
    },
)
def post_treatment_session(request: HttpRequest, body: Body[dict[str, Any]]) -> Status[dict[str, Any]]:
    """Send a finished session: its texts are planned at once.

    Send it again as often as you like: with the same fields it changes nothing (`unchanged`), with other fields it is a
    correction (`corrected`) and what has not left yet is planned anew, with `"status": "voided"` it is taken back.
    """
    clinic, now = clinic_of(request), clock.now()
    intake = parse_session(_without_rehearsals(body), clinic=clinic, now=now)
    session, outcome = record_treatment_session(clinic=clinic, intake=intake, actor=AuditEvent.Actor.API, now=now)
    return Status(201 if outcome is IntakeOutcome.CREATED else 200, {**_shown(session), "outcome": outcome.value})


@router.get(
    "/treatment-sessions/{path:external_id}",
    summary="Look up a session and its texts",
    response=TreatmentSessionDetail,
    openapi_extra={"responses": problem_answers(s401="There is no valid key.", s404="No session has this id.")},
)
def get_treatment_session(request: HttpRequest, external_id: str) -> dict[str, Any]:
    """Tell what is stored of one session, and how many of its texts are in which state."""
    session = (
        TreatmentSession.objects.select_related("clinic", "patient")
        .filter(clinic=clinic_of(request), external_id=external_id)
        .first()
    )
    if session is None:
        raise NotFoundError("No session of this clinic has this external id.")
    return {
        **_shown(session),
        "is_planned": session.planned_revision == session.revision,
        "plan": _plan_of(session),
    }


def _without_rehearsals(body: dict[str, Any]) -> dict[str, Any]:
    for field in NOT_HERE & body.keys():
        raise InvalidInputError([Problem(field, "unknown_field", "The API takes ended_at only.")])
    return body


def _shown(session: TreatmentSession) -> dict[str, Any]:
    numbers = PatientPhone.objects.filter(patient=session.patient, is_primary=True).values_list("number", flat=True)
    newest = newest_decision(session.clinic, numbers[0]) if numbers else None
    return {
        "external_id": session.external_id,
        "patient_external_id": session.patient.external_id,
        "status": session.status,
        "technique": session.technique,
        "regions": session.regions,
        "ended_at": session.ended_at,
        "soreness_before": session.soreness_before,
        "soreness_after": session.soreness_after,
        "revision": session.revision,
        "consent": newest.decision if newest else "none",
    }


def _plan_of(session: TreatmentSession) -> dict[str, Any] | None:
    plan = AftercarePlan.objects.filter(treatment_session=session).order_by("-revision").first()
    if plan is None:
        return None
    # All plans of the session: what left under an earlier revision is not sent again and still counts.
    states = Message.objects.filter(treatment_session=session).values_list("state").annotate(Count("id"))
    return {"state": plan.state, "revision": plan.revision, "messages": dict(states)}
