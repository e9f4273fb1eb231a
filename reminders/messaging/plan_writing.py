"""Storing plans that were laid out: their rows, their texts, and the record of it."""

import json
import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from reminders.clinic.models import AuditEvent
from reminders.messaging.compose import POLICIES
from reminders.messaging.copying import copy_in
from reminders.messaging.models import AftercarePlan, Message
from reminders.messaging.plan_facts import House, Visit
from reminders.messaging.plan_rows import Text

PLAN = ("id", "clinic_id", "treatment_session_id", "protocol_version_id", "revision", "state", "created_at")
TEXT = (
    *("clinic_id", "public_id", "patient_id", "treatment_session_id", "plan_id", "step_key", "kind", "priority"),
    *("sender_id", "to_number", "language", "template_version_id", "body", "segments", "consent_rule"),
    *("unknown_policy", "quiet_exempt", "state", "reason", "introduces", "first_due_at", "due_at", "expires_at"),
    *("created_at", "changed_at"),
)
# What the policy of a kind comes to in its columns.
_CELLS = {
    kind.value: (policy.priority, policy.consent_rule.value, policy.unknown_policy.value, policy.quiet_exempt)
    for kind, policy in POLICIES.items()
}
EVENT = ("clinic_id", "at", "actor", "verb", "subject", "subject_id", "patient_id", "details")


class Course(NamedTuple):
    """One session's plan, laid out and not yet written."""

    visit: Visit
    house: House
    is_withheld: bool
    texts: Sequence[Text]


def write_plans(courses: Sequence[Course], *, now: datetime) -> int:
    """Insert the plans, their messages and an audit event each; return the number of messages."""
    if not courses:
        return 0
    plan_ids = _new_plan_ids(len(courses))
    numbered = list(zip(plan_ids, courses, strict=True))
    copy_in(AftercarePlan, PLAN, (_plan(plan_id, course, now) for plan_id, course in numbered))
    copy_in(Message, TEXT, _messages(numbered, now))
    copy_in(AuditEvent, EVENT, (_event(plan_id, course, now) for plan_id, course in numbered))
    return sum(len(course.texts) for course in courses)


def _new_plan_ids(number: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence('reminders_aftercareplan', 'id')) FROM generate_series(1, %s)",
            [number],
        )
        return [pk for (pk,) in cursor.fetchall()]


def _plan(plan_id: int, course: Course, now: datetime) -> tuple[Any, ...]:
    state = AftercarePlan.State.WITHHELD if course.is_withheld else AftercarePlan.State.ACTIVE
    visit = course.visit
    in_force = course.house.protocol_for(visit.technique)
    return (
        plan_id,
        visit.clinic_id,
        visit.id,
        in_force.version_id if in_force else None,
        visit.revision,
        state.value,
        now,
    )


def _messages(numbered: Sequence[tuple[int, Course]], now: datetime) -> Iterator[tuple[Any, ...]]:
    # Moments go over as text: psycopg takes four times as long to say the same.
    written_at = now.isoformat()
    for plan_id, (visit, house, _, texts) in numbered:
        for text in texts:
            body = text.body
            priority, consent_rule, unknown_policy, quiet_exempt = _CELLS[text.kind]
            yield (
                *(visit.clinic_id, _random_uuid(), visit.patient_id, visit.id, plan_id, text.step_key, text.kind),
                *(priority, house.sender_id, visit.number, visit.language, body.version_id, body.text, body.segments),
                *(consent_rule, unknown_policy, quiet_exempt, text.state, text.reason, text.introduces),
                *(text.first_due_at.isoformat(), text.due_at.isoformat(), text.expires_at.isoformat()),
                *(written_at, written_at),
            )


def _random_uuid() -> str:
    """Return what `uuid.uuid4().hex` would, in a third of its time."""
    random = os.urandom(16).hex()
    return f"{random[:12]}4{random[13:16]}{'89ab'[int(random[16], 16) & 3]}{random[17:]}"


def _event(plan_id: int, course: Course, now: datetime) -> tuple[Any, ...]:
    visit = course.visit
    details = json.dumps({"revision": visit.revision, "messages": len(course.texts)})
    system = AuditEvent.Actor.SYSTEM.value
    return visit.clinic_id, now, system, "planned", "aftercareplan", plan_id, visit.patient_id, details
