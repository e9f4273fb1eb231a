"""Stories of plans are told with these: a clinic that can plan, a session that just ended, and what became of it."""

from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from reminders.clinic.models import Clinic, Patient, TreatmentSession
from reminders.content.services import load_starters
from reminders.messaging.planning import plan_aftercare
from tests.factories import make_clinic, make_treatment_session
from tests.messaging.conftest import NOON

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def ready_clinic(**fields: Any) -> Clinic:
    """A clinic with the starter texts and protocol, whose sender's pace is no part of the story."""
    clinic = make_clinic(**{"name": "Northside Physio", **fields})
    clinic.senders.update(parts_per_second=1000)
    load_starters(clinic=clinic, now=NOON - timedelta(days=30))
    clinic.refresh_from_db()
    return clinic


def finished(patient: Patient, *, ended_at: datetime = NOON, **fields: Any) -> TreatmentSession:
    """A session that ended just now."""
    return make_treatment_session(patient=patient, ended_at=ended_at, now=ended_at, **fields)


def plan(session: TreatmentSession, *, now: datetime = NOON) -> int:
    """Lay out its plan."""
    return plan_aftercare(treatment_session_id=session.pk, now=now)


def correct(session: TreatmentSession, **fields: Any) -> None:
    """Change the facts as a correction does: the revision rises."""
    TreatmentSession.objects.filter(pk=session.pk).update(revision=session.revision + 1, **fields)
    session.refresh_from_db()


def lines(session: TreatmentSession) -> list[tuple[str, str, str]]:
    """Step, state and reason of every text of a session, oldest row first."""
    return list(session.messages.order_by("id").values_list("step_key", "state", "reason"))


def waiting(session: TreatmentSession) -> dict[str, str]:
    """When each waiting text is due, in Chicago."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT step_key, to_char(due_at AT TIME ZONE 'America/Chicago', 'DD HH24:MI') FROM reminders_message "
            "WHERE treatment_session_id = %s AND state = 'scheduled' ORDER BY due_at",
            [session.pk],
        )
        return dict(cursor.fetchall())
