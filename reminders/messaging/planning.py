"""From a finished treatment session to dated message rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import transaction

from reminders.clinic import audit
from reminders.clinic.models import AuditEvent, PatientPhone, PhoneState, TreatmentSession
from reminders.clinic.selectors import advice_for, primary_phone, screening_answers
from reminders.content.models import ProtocolVersion, Step
from reminders.content.selectors import published_protocol, schedule_step
from reminders.core.advice import AdviceDecision
from reminders.core.catching_up import catch_up
from reminders.core.protocols import condition_from_json
from reminders.core.quiet_hours import QuietWindow
from reminders.core.schedule import Dropped, Placed, StepKind, lay_out
from reminders.core.states import LEFT, MessageState
from reminders.messaging.cancelling import cancel_course, cancel_older_advice
from reminders.messaging.compose import SEND_GRACE, Link, announce, default_sender, new_message, words_for
from reminders.messaging.models import AftercarePlan, Kind, Message

KIND_OF_STEP = {StepKind.ADVICE: Kind.ADVICE, StepKind.CHECK_IN: Kind.CHECK_IN}
DROP_STATE = {"quiet_hours": MessageState.SUPPRESSED, "expired": MessageState.EXPIRED}


@dataclass(frozen=True, slots=True)
class _Course:
    """What laying out one session needs, read once."""

    session: TreatmentSession
    plan: AftercarePlan
    phone: PatientPhone
    advice: AdviceDecision
    now: datetime


def plan_aftercare(*, treatment_session_id: int, now: datetime) -> int:
    """Lay out the current revision of a session; return how many message rows it wrote.

    Promised: any number of calls, in any order and at the same time, leave one plan for the newest revision; a step
    that may already have left is never written again; every step of the plan becomes a row, those that will not be sent
    with their reason. Raises MissingProtocolError, MissingTextError or NoSenderError; then nothing is stored, and the
    sweep tries again.
    """
    with transaction.atomic():
        session = (
            TreatmentSession.objects.select_for_update(of=("self",))
            .select_related("clinic", "patient")
            .get(pk=treatment_session_id)
        )
        if session.planned_revision == session.revision:
            return 0
        messages: list[Message] = []
        if session.status == TreatmentSession.Status.COMPLETED:
            messages = _lay_out_plan(session, now)
        TreatmentSession.objects.filter(pk=session.pk).update(planned_revision=session.revision)
        announce()
    return len(messages)


def _lay_out_plan(session: TreatmentSession, now: datetime) -> list[Message]:
    version = published_protocol(clinic=session.clinic)
    _supersede(session, now)
    plan = AftercarePlan.objects.create(
        clinic=session.clinic,
        treatment_session=session,
        protocol_version=version,
        revision=session.revision,
        created_at=now,
    )
    course = _Course(
        session=session,
        plan=plan,
        phone=primary_phone(patient=session.patient),
        advice=advice_for(treatment_session=session, now=now),
        now=now,
    )
    messages = _rows(course, _open_steps(session, version))
    Message.objects.bulk_create(messages)
    cancel_older_advice(patient=session.patient, newest=session, now=now)
    audit.record(
        clinic=session.clinic,
        actor=AuditEvent.Actor.SYSTEM,
        verb="planned",
        subject=plan,
        patient=session.patient,
        now=now,
        revision=session.revision,
        messages=len(messages),
    )
    return messages


def _supersede(session: TreatmentSession, now: datetime) -> None:
    cancel_course(treatment_session=session, reason="replanned", now=now, kinds=[Kind.ADVICE, Kind.CHECK_IN])
    AftercarePlan.objects.filter(treatment_session=session).exclude(state=AftercarePlan.State.CANCELLED).update(
        state=AftercarePlan.State.SUPERSEDED
    )


def _open_steps(session: TreatmentSession, version: ProtocolVersion) -> list[Step]:
    """Return the steps to lay out: those that follow the session, fit it, and have not left with an earlier plan."""
    gone = set(
        Message.objects.filter(treatment_session=session, state__in=list(LEFT)).values_list("step_key", flat=True)
    )
    screening = screening_answers(patient=session.patient)
    return [
        step
        for step in version.steps.order_by("position")
        if StepKind(step.kind) in KIND_OF_STEP
        and step.key not in gone
        and condition_from_json(step.condition).holds(
            technique=session.technique, regions=session.regions, screening=screening
        )
    ]


def _rows(course: _Course, steps: Sequence[Step]) -> list[Message]:
    session = course.session
    zone = ZoneInfo(session.patient.timezone)
    quiet = QuietWindow(session.clinic.quiet_start, session.clinic.quiet_end)
    laid = lay_out(steps=[schedule_step(step) for step in steps], ended_at=session.ended_at, zone=zone, quiet=quiet)
    laid = catch_up(laid, now=course.now, zone=zone, quiet=quiet)
    first_key = _first_to_leave(laid)
    by_key = {step.key: step for step in steps}
    return [_row(course, by_key[outcome.key], outcome, is_first=outcome.key == first_key) for outcome in laid]


def _first_to_leave(laid: Sequence[Placed | Dropped]) -> str | None:
    placed = [outcome for outcome in laid if isinstance(outcome, Placed)]
    return min(placed, key=lambda outcome: outcome.at).key if placed else None


def _row(course: _Course, step: Step, outcome: Placed | Dropped, *, is_first: bool) -> Message:
    session = course.session
    words = words_for(
        clinic=session.clinic,
        key=step.template_key,
        language=session.patient.language,
        values={
            "technique": session.technique,
            "heat_ok": course.advice.heat_ok,
            "drug": str(course.advice.drug),
            "is_first": is_first,
            "first_name": session.patient.given_name,
        },
    )
    message = new_message(
        clinic=session.clinic,
        kind=KIND_OF_STEP[StepKind(step.kind)],
        words=words,
        sender=default_sender(clinic=session.clinic),
        to_number=course.phone.number,
        due_at=outcome.at if isinstance(outcome, Placed) else outcome.first_due_at,
        now=course.now,
        link=Link(patient=session.patient, treatment_session=session, plan=course.plan, step_key=step.key),
    )
    message.first_due_at = outcome.first_due_at
    if isinstance(outcome, Placed):
        message.expires_at = max(outcome.expires_at, outcome.at + SEND_GRACE)
        if course.phone.state != PhoneState.OK and course.phone.state != PhoneState.UNREACHABLE:
            message.state, message.reason = MessageState.SUPPRESSED, f"phone_{course.phone.state}"
        elif message.kind == Kind.ADVICE and _has_newer_session(session):
            message.state, message.reason = MessageState.CANCELLED, "newer_session"
    else:
        message.state, message.reason = DROP_STATE[outcome.reason], str(outcome.reason)
    return message


def _has_newer_session(session: TreatmentSession) -> bool:
    return TreatmentSession.objects.filter(
        patient=session.patient, ended_at__gt=session.ended_at, status=TreatmentSession.Status.COMPLETED
    ).exists()
