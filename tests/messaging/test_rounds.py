"""Rounds pass by everything that happened, once each, however many walk and wherever they stop."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

import pytest

from reminders.clinic.models import Clinic, Patient
from reminders.messaging.models import Message
from reminders.messaging.rounds import Stretch, pass_by, walk_again
from tests.factories import make_message, make_patient
from tests.messaging.conftest import NOON
from tests.messaging.threads import run_at_once

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def changed(patient: Patient, at: datetime, state: str = "sent") -> int:
    """A message that last changed then."""
    return make_message(patient=patient, state=state, now=at, due_at=at, changed_at=at).pk


def walk(now: datetime, *, limit: int = 100, states: Sequence[str] = ("sent",)) -> Stretch | None:
    """One step, a minute behind."""
    among = Message.objects.filter(state__in=states)
    return pass_by(name="test", behind=MINUTE, among=among, now=now, limit=limit)


def all_found(now: datetime, *, limit: int = 100) -> list[int]:
    """Everything that the steps find until the round has come to its end."""
    found: list[int] = []
    while stretch := walk(now, limit=limit):
        found += stretch.found
    return found


def test_each_message_is_passed_once_and_none_too_early(patient: Patient) -> None:
    early, late = changed(patient, NOON - 5 * MINUTE), changed(patient, NOON - MINUTE / 2)

    assert all_found(NOON) == [early]
    assert all_found(NOON) == []
    assert all_found(NOON + MINUTE) == [late]
    assert all_found(NOON + 60 * MINUTE) == []


def test_what_is_not_looked_for_and_what_has_not_come_to_its_end_is_never_met(patient: Patient) -> None:
    for state in ("delivered", "scheduled", "ambiguous"):
        changed(patient, NOON - 5 * MINUTE, state=state)

    stretch = walk(NOON, states=["sent", "scheduled", "ambiguous"])

    assert stretch is not None
    assert stretch.found == []
    assert walk(NOON) is None


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_short_steps_leave_out_nobody_also_where_many_changed_in_one_moment(clinic: Clinic, limit: int) -> None:
    patients = [make_patient(clinic=clinic) for _ in range(7)]
    made = [changed(one, NOON - (10 - number // 3) * MINUTE) for number, one in enumerate(patients)]

    assert sorted(all_found(NOON, limit=limit)) == made


def test_a_stretch_that_could_not_be_walked_is_walked_again(patient: Patient) -> None:
    one = changed(patient, NOON - 5 * MINUTE)
    stretch = walk(NOON)
    assert stretch is not None

    walk_again(stretch)

    assert all_found(NOON) == [one]


def test_one_that_others_have_gone_on_from_is_not(patient: Patient) -> None:
    changed(patient, NOON - 5 * MINUTE)
    stretch = walk(NOON)
    assert stretch is not None
    assert walk(NOON + MINUTE) is not None

    walk_again(stretch)

    assert all_found(NOON + MINUTE) == []


@pytest.mark.django_db(transaction=True)
def test_several_that_walk_at_the_same_time_share_the_way(clinic: Clinic) -> None:
    made = [changed(make_patient(clinic=clinic), NOON - (20 - number) * MINUTE) for number in range(12)]

    shares = run_at_once([partial(all_found, NOON, limit=2)] * 3)

    rest = all_found(NOON)
    assert sorted([pk for share in shares for pk in share] + rest) == made
