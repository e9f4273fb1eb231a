"""Giving courses that are under way the protocol version that was published since.

A plan keeps the version it was made with unless somebody says otherwise, having seen whose texts would change. A plan
that moves is laid out anew as after a correction of its session: what has left, or may have, is never sent again.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import F, Q, QuerySet

from reminders.clinic import audit
from reminders.clinic.errors import ReminderError
from reminders.clinic.models import AuditEvent, Clinician, TreatmentSession
from reminders.clinic.turns import plans_of, take_turns
from reminders.content.models import Protocol, ProtocolVersion, Step
from reminders.content.selectors import DEFAULT_PROTOCOL
from reminders.core.rendering import TemplateError
from reminders.core.states import LEFT, MessageState
from reminders.messaging.models import AftercarePlan, Kind, Message
from reminders.messaging.plan_facts import PLANNED, InForce, houses_of, read_visits, texts_of
from reminders.messaging.plan_rows import Desk, Text
from reminders.messaging.planning import plan_many

BATCH: Final = 100
"""Courses that are moved in one transaction: whoever corrects or voids one of them waits for the batch."""

_IN_FORCE: Final = (AftercarePlan.State.ACTIVE, AftercarePlan.State.WITHHELD)


@dataclass(frozen=True, slots=True)
class StepChange:
    """One planned text before and after: None where it is not there. `is_reworded` tells that it is another text."""

    template_key: str
    before: datetime | None
    after: datetime | None
    is_reworded: bool = False


@dataclass(frozen=True, slots=True)
class CourseChange:
    """What would change for one patient."""

    treatment_session: TreatmentSession
    number: int
    steps: list[StepChange]


def running_courses(*, version: ProtocolVersion, now: datetime) -> QuerySet[AftercarePlan]:
    """Return the plans under other versions of this protocol that texts can still leave of, the newest session first.

    Those are the sessions so recent that the last step of `version`, or of their own one, is still of use, and of a
    technique that this protocol serves.
    """
    reach = max((timedelta(minutes=minutes) for minutes in _reaches(version)), default=timedelta(0))
    return (
        AftercarePlan.objects.filter(
            _technique_served(version),
            clinic=version.clinic_id,
            state__in=_IN_FORCE,
            protocol_version__protocol=version.protocol_id,
            treatment_session__clinic=version.clinic_id,
            treatment_session__status=TreatmentSession.Status.COMPLETED,
            treatment_session__ended_at__gt=now - reach,
        )
        .exclude(protocol_version=version)
        .order_by("-treatment_session__ended_at", "-id")
    )


def changes_for(*, version: ProtocolVersion, plans: Sequence[AftercarePlan], now: datetime) -> list[CourseChange]:
    """Return, for each of these plans that would change, its texts before and after a move to `version`.

    Nothing is stored. A session that could not be planned with it (no phone, no words) would stay as it is, and is left
    out.
    """
    found = {plan.treatment_session_id: plan for plan in plans}
    sessions = TreatmentSession.objects.select_related("patient", "clinic").in_bulk(found)
    house = houses_of({version.clinic_id})[version.clinic_id]
    steps = list(version.steps.filter(kind__in=PLANNED).order_by("position"))
    house = replace(house, protocols={"": InForce(version.pk, steps)})
    desk = Desk(houses={version.clinic_id: house}, texts=texts_of([house]), now=now)
    keys = {step.key: step.template_key for step in steps}
    waiting, gone = _standing(list(found))
    changes = []
    for visit in read_visits(list(found)):
        plan = found[visit.id]
        is_withheld = plan.state == AftercarePlan.State.WITHHELD or visit.is_in_danger
        try:
            texts = desk.texts(visit, gone=gone.get(visit.id, ()), is_withheld=is_withheld)
        except (ReminderError, TemplateError):
            continue
        steps_changed = list(_steps_changed(waiting.get(visit.id, {}), texts, keys))
        if steps_changed:
            changes.append(CourseChange(sessions[visit.id], plan.protocol_version.number, steps_changed))
    return sorted(changes, key=lambda one: (one.treatment_session.ended_at, one.treatment_session.pk), reverse=True)


def move_courses(*, version: ProtocolVersion, clinician: Clinician, now: datetime) -> int:
    """Lay out the running courses anew by `version`, which is in force; return how many.

    Safe at any time: a text that a worker has in hand is waited for, and what may have left is not sent again. A course
    that cannot be planned keeps its plan. On record with the counts; doing it twice changes nothing more.
    """
    ids = sorted(running_courses(version=version, now=now).values_list("treatment_session_id", flat=True))
    moved = 0
    for start in range(0, len(ids), BATCH):
        with transaction.atomic():
            moved += _move(ids[start : start + BATCH], version, now)
    audit.record(
        clinic=version.clinic,
        actor=AuditEvent.Actor.CLINICIAN,
        clinician=clinician,
        verb="moved_plans",
        subject=version,
        now=now,
        key=version.protocol.key,
        number=version.number,
        moved=moved,
        kept=len(ids) - moved,
    )
    return moved


def _technique_served(version: ProtocolVersion) -> Q:
    if version.protocol.key != DEFAULT_PROTOCOL:
        return Q(treatment_session__technique__in=version.protocol.techniques)
    others = Protocol.objects.filter(clinic=version.clinic_id).exclude(key=DEFAULT_PROTOCOL)
    taken = {technique for techniques in others.values_list("techniques", flat=True) for technique in techniques}
    return ~Q(treatment_session__technique__in=taken)


def _reaches(version: ProtocolVersion) -> Iterator[int]:
    # Of all versions: a plan may be of any of them.
    steps = Step.objects.filter(protocol_version__protocol=version.protocol_id, kind__in=PLANNED)
    for offset, expires in steps.values_list("offset_minutes", "expires_minutes").distinct():
        yield offset + expires


def _standing(
    session_ids: Sequence[int],
) -> tuple[dict[int, dict[str, tuple[datetime, str]]], dict[int, set[str]]]:
    """Return, by session and step, when what waits is due and with which text; and the steps that may have left."""
    waiting: dict[int, dict[str, tuple[datetime, str]]] = {}
    gone: dict[int, set[str]] = {}
    rows = Message.objects.filter(treatment_session__in=session_ids, kind__in=[Kind.ADVICE, Kind.CHECK_IN])
    for session_id, key, state, due_at, template_key in rows.filter(
        state__in=[MessageState.SCHEDULED, *LEFT]
    ).values_list("treatment_session_id", "step_key", "state", "due_at", "template_version__template__key"):
        if state == MessageState.SCHEDULED:
            waiting.setdefault(session_id or 0, {})[key] = (due_at, template_key or "")
        else:
            gone.setdefault(session_id or 0, set()).add(key)
    return waiting, gone


def _steps_changed(
    waiting: dict[str, tuple[datetime, str]], texts: Sequence[Text], keys: dict[str, str]
) -> Iterator[StepChange]:
    planned = {text.step_key: text for text in texts if text.state == MessageState.SCHEDULED}
    for key, (due_at, template_key) in waiting.items():
        after = planned.get(key)
        if after is None:
            yield StepChange(template_key or key, due_at, None)
        elif after.due_at != due_at or (template_key and keys[key] != template_key):
            yield StepChange(
                keys[key], due_at, after.due_at, is_reworded=bool(template_key) and keys[key] != template_key
            )
    for key, text in planned.items():
        if key not in waiting:
            yield StepChange(keys[key], None, text.due_at)


def _move(session_ids: Collection[int], version: ProtocolVersion, now: datetime) -> int:
    sessions = TreatmentSession.objects.filter(pk__in=session_ids)
    # As planning does: the patients' turns first, then the sessions in the order of their ids.
    patients = sessions.values_list("patient_id", flat=True)
    take_turns(turns=[(version.clinic_id, plans_of(patient_id)) for patient_id in patients])
    still = running_courses(version=version, now=now).filter(treatment_session__in=session_ids)
    ids = list(
        sessions.filter(
            pk__in=still.values("treatment_session"),
            status=TreatmentSession.Status.COMPLETED,
            planned_revision=F("revision"),
        )
        .order_by("id")
        .select_for_update(of=("self",), no_key=True)
        .values_list("id", flat=True)
    )
    # The revision counts the plans; one that is owed already will be laid out by the version in force anyway.
    TreatmentSession.objects.filter(pk__in=ids).update(revision=F("revision") + 1, updated_at=now)
    planned = plan_many(treatment_session_ids=ids, now=now)
    failed = list(planned.failures)
    TreatmentSession.objects.filter(pk__in=failed).update(revision=F("revision") - 1)
    return len(ids) - len(failed)
