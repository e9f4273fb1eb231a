"""From finished treatment sessions to dated message rows."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.db import DataError, IntegrityError, transaction

from reminders.core.states import LEFT
from reminders.messaging.cancelling import take_back
from reminders.messaging.compose import announce
from reminders.messaging.models import AftercarePlan, Kind, Message
from reminders.messaging.plan_facts import (
    Visit,
    hold_owed,
    hold_plans,
    houses_of,
    nothing_owed,
    texts_of,
    unsettled_texts,
)
from reminders.messaging.plan_rows import Desk
from reminders.messaging.plan_writing import Course, write_plans

BATCH: Final = 250
"""Sessions that are laid out in one transaction. Each holds a turn in the server's one table of locks, which has room
for 64 times its connections; and whoever corrects or voids one of them waits for all, a tenth of a second."""


@dataclass(slots=True)
class Planned:
    """What a call did: how many message rows it wrote, and which sessions could not be planned, with the error."""

    messages: int = 0
    failures: dict[int, Exception] = field(default_factory=dict)


class _CannotPlanError(Exception):
    """Takes back a batch, to be done anew without those that cannot be planned."""

    def __init__(self, failures: dict[int, Exception]) -> None:
        super().__init__("some sessions of the batch cannot be planned")
        self.failures = failures


def plan_aftercare(*, treatment_session_id: int, now: datetime) -> int:
    """Lay out the current revision of one session; return how many message rows it wrote. See `plan_many`.

    Raises MissingProtocolError, MissingTextError or NoSenderError; then nothing is stored, and the sweep tries again.
    """
    planned = plan_many(treatment_session_ids=[treatment_session_id], now=now)
    for failure in planned.failures.values():
        raise failure
    return planned.messages


def plan_many(*, treatment_session_ids: Collection[int], now: datetime) -> Planned:
    """Lay out the current revisions of these sessions, a batch in one transaction with a fixed number of queries.

    Promised: any number of calls, in any order and at the same time, leave one plan for the newest revision of each
    session; a step that may already have left is never written again; every step of the plan becomes a row, those that
    will not be sent with their reason. A session that cannot be planned is among the failures, nothing is stored of it,
    and the sweep tries it again; it keeps no other from being planned. Ids that name nothing are passed over.
    """
    ids = sorted(set(treatment_session_ids))
    planned = Planned()
    for start in range(0, len(ids), BATCH):
        _plan_batch(ids[start : start + BATCH], planned, now)
    return planned


def _plan_batch(ids: Sequence[int], planned: Planned, now: datetime) -> None:
    while ids:
        try:
            with transaction.atomic():
                written = _plan_held(hold_owed(ids), now)
        except _CannotPlanError as error:
            # Also what was taken back to make way for their new plans stands again.
            planned.failures.update(error.failures)
            ids = [pk for pk in ids if pk not in error.failures]
        except (IntegrityError, DataError) as error:
            if len(ids) == 1:
                planned.failures[ids[0]] = error
                return
            # The database refuses a row of some session and does not say whose: look for it by halves.
            _plan_batch(ids[: len(ids) // 2], planned, now)
            ids = ids[len(ids) // 2 :]
        else:
            planned.messages += written
            return


def _plan_held(owed: Sequence[Visit], now: datetime) -> int:
    if not owed:
        return 0
    visits = [visit for visit in owed if visit.is_completed]
    withheld = _supersede(visits)
    gone = _make_way(visits, planned_before=withheld.keys(), now=now)
    written = write_plans(_lay_out(visits, withheld, gone, now), now=now)
    # Of a session that was voided nothing is owed any more.
    nothing_owed([visit.id for visit in owed])
    announce()
    return written


def _lay_out(
    visits: Sequence[Visit], withheld: Mapping[int, bool], gone: Mapping[int, Collection[str]], now: datetime
) -> list[Course]:
    houses = houses_of({visit.clinic_id for visit in visits})
    desk = Desk(houses=houses, texts=texts_of(houses.values()), now=now)
    courses: list[Course] = []
    failures: dict[int, Exception] = {}
    for visit in visits:
        # A danger sign since the treatment counts for a plan that is laid out late, too.
        is_withheld = withheld.get(visit.id, False) or visit.is_in_danger
        try:
            texts = desk.texts(visit, gone=gone.get(visit.id, ()), is_withheld=is_withheld)
        except Exception as error:  # noqa: BLE001  # whatever is wrong with one session must not spoil the others
            failures[visit.id] = error
        else:
            courses.append(Course(visit, houses[visit.clinic_id], is_withheld, texts))
    if failures:
        raise _CannotPlanError(failures)
    return courses


def _supersede(visits: Sequence[Visit]) -> dict[int, bool]:
    """Replace the plans in force; return the sessions that had any plan, and whether its advice was withheld.

    A correction does not undo that.
    """
    states = hold_plans([visit.id for visit in visits])
    withheld = {pk for pk, state in states if state == AftercarePlan.State.WITHHELD}
    if states:
        AftercarePlan.objects.filter(
            treatment_session__in={pk for pk, _ in states},
            state__in=[AftercarePlan.State.ACTIVE, AftercarePlan.State.WITHHELD],
        ).update(state=AftercarePlan.State.SUPERSEDED)
    return {pk: pk in withheld for pk, _ in states}


def _make_way(visits: Sequence[Visit], *, planned_before: Collection[int], now: datetime) -> dict[int, set[str]]:
    """Take back what these plans replace: unsent texts of the same sessions, and advice of the patients' earlier ones.

    Returns, by session, the steps that have left with an earlier plan.
    """
    newest = {visit.patient_id: _age_of(visit) for visit in sorted(visits, key=_age_of)}
    replaced, older = [], []
    for pk, kind, patient_id, session_id, ended_at in unsettled_texts(newest):
        if session_id in planned_before:
            replaced.append(pk)
        if kind == Kind.ADVICE and session_id and ended_at and (ended_at, session_id) < newest[patient_id]:
            older.append(pk)
    if replaced or older:
        # All of them in the order of their ids, as everybody locks messages.
        locked = Message.objects.filter(pk__in=[*replaced, *older]).order_by("id").select_for_update(no_key=True)
        len(locked.only("id"))
        take_back(Message.objects.filter(pk__in=replaced), reason="replanned", now=now, also_in_flight=False)
        take_back(Message.objects.filter(pk__in=older), reason="newer_session", now=now)
    gone: dict[int, set[str]] = {}
    if planned_before:
        left = Message.objects.filter(treatment_session__in=planned_before, state__in=list(LEFT))
        for session_id, step_key in left.values_list("treatment_session_id", "step_key"):
            gone.setdefault(session_id or 0, set()).add(step_key)
    return gone


def _age_of(visit: Visit) -> tuple[datetime, int]:
    """Order sessions by age: of two that ended at once the one recorded later is the newer."""
    return visit.ended_at, visit.id
