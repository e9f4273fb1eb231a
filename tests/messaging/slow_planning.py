"""The slow obvious twin of planning: one session at a time, one query per question. The oracle of its tests."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import transaction

from reminders.clinic import audit
from reminders.clinic.consent import REVOKED, newest_decision
from reminders.clinic.models import AuditEvent, PatientPhone, PhoneState, TreatmentSession
from reminders.clinic.selectors import advice_for, has_newer_session, primary_phone, screening_answers
from reminders.content.models import ProtocolVersion, Step
from reminders.content.selectors import protocol_for, schedule_step
from reminders.core.advice import AdviceDecision
from reminders.core.catching_up import catch_up
from reminders.core.protocols import condition_from_json
from reminders.core.quiet_hours import QuietWindow
from reminders.core.schedule import Dropped, Placed, StepKind, lay_out
from reminders.core.states import LEFT, MessageState
from reminders.messaging.cancelling import cancel_older_advice, make_way_for_new_plan
from reminders.messaging.compose import (
    SEND_GRACE,
    Link,
    course_values,
    default_sender,
    new_message,
    words_for,
)
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
    is_opted_out: bool
    has_newer_session: bool
    now: datetime


def plan_slowly(*, treatment_session_id: int, now: datetime) -> int:
    """Lay out the current revision of a session; return how many message rows it wrote."""
    sessions = TreatmentSession.objects.select_related("clinic", "patient")
    with transaction.atomic():
        session = sessions.get(pk=treatment_session_id)
        if session.planned_revision == session.revision:
            return 0
        messages: list[Message] = []
        if session.status == TreatmentSession.Status.COMPLETED:
            messages = _lay_out_plan(session, now)
        TreatmentSession.objects.filter(pk=session.pk).update(planned_revision=session.revision)
    return len(messages)


def _lay_out_plan(session: TreatmentSession, now: datetime) -> list[Message]:
    version = protocol_for(clinic=session.clinic, technique=session.technique)
    is_withheld = _supersede(session, now) or _is_in_danger(session)
    plan = AftercarePlan.objects.create(
        clinic=session.clinic,
        treatment_session=session,
        protocol_version=version,
        revision=session.revision,
        state=AftercarePlan.State.WITHHELD if is_withheld else AftercarePlan.State.ACTIVE,
        created_at=now,
    )
    phone = primary_phone(patient=session.patient)
    decision = newest_decision(session.clinic, phone.number)
    course = _Course(
        session=session,
        plan=plan,
        phone=phone,
        advice=advice_for(treatment_session=session, now=now),
        is_opted_out=decision is not None and decision.decision == REVOKED,
        has_newer_session=has_newer_session(treatment_session=session),
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


def _supersede(session: TreatmentSession, now: datetime) -> bool:
    """Replace the plan in force; return whether its advice was withheld, which a correction does not undo."""
    make_way_for_new_plan(treatment_session=session, now=now)
    in_force = AftercarePlan.objects.filter(
        treatment_session=session, state__in=[AftercarePlan.State.ACTIVE, AftercarePlan.State.WITHHELD]
    )
    states = list(in_force.values_list("state", flat=True))
    in_force.update(state=AftercarePlan.State.SUPERSEDED)
    return AftercarePlan.State.WITHHELD in states


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
        values=course_values(treatment_session=session, advice=course.advice, is_first=is_first),
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
    message.introduces = is_first
    if isinstance(outcome, Dropped):
        message.state, message.reason = DROP_STATE[outcome.reason], str(outcome.reason)
    else:
        message.expires_at = max(outcome.expires_at, outcome.at + SEND_GRACE)
        message.state, message.reason = _standing(course, message.kind)
    return message


def _standing(course: _Course, kind: str) -> tuple[MessageState, str]:
    """Return whether a text may wait for its time, or which reason keeps it from that already now."""
    if course.is_opted_out:
        return MessageState.SUPPRESSED, "opted_out"
    if course.phone.state not in (PhoneState.OK, PhoneState.UNREACHABLE):
        return MessageState.SUPPRESSED, f"phone_{course.phone.state}"
    if kind == Kind.ADVICE and course.plan.state == AftercarePlan.State.WITHHELD:
        return MessageState.CANCELLED, "red_flag"
    if kind == Kind.ADVICE and course.has_newer_session:
        return MessageState.CANCELLED, "newer_session"
    return MessageState.SCHEDULED, ""


def _is_in_danger(session: TreatmentSession) -> bool:
    """Tell whether a danger sign was reported since the treatment: advice that is planned late stays withheld too."""
    return session.patient.escalations.filter(reason="red_flag", created_at__gt=session.ended_at).exists()
