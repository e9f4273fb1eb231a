"""Having courses planned anew when a fact about their patient changes: no check-in goes to the number of yesterday."""

from datetime import datetime, timedelta
from typing import Final

from reminders.clinic import events
from reminders.clinic.models import Patient, TreatmentSession
from reminders.clinic.turns import plans_of, take_turn

COURSE: Final = timedelta(hours=72)
"""How long after a session's end its texts can still be unsent: check-in, nudge and re-check, each with its expiry."""

FACTS_IN_TEXTS: Final = frozenset({"given_name", "birth_date", "language", "timezone", "phone", "screening"})
"""What is known of a patient and decides what a text says, where it goes or when."""


def revise(*, treatment_session: TreatmentSession, now: datetime) -> None:
    """Have one session, which the caller holds, planned anew."""
    treatment_session.revision += 1
    treatment_session.save(update_fields=["revision"])
    events.treatment_session_corrected.send(sender=TreatmentSession, treatment_session=treatment_session, now=now)


def revise_running(
    *, patient: Patient, now: datetime, besides: TreatmentSession | None = None
) -> list[TreatmentSession]:
    """Have the patient's running courses planned anew, but for one; return their sessions. Needs a transaction."""
    take_turn(clinic=patient.clinic, topic=plans_of(patient.pk))
    running = (
        TreatmentSession.objects.select_for_update(of=("self",))
        .select_related("clinic", "patient")
        .filter(patient=patient, status=TreatmentSession.Status.COMPLETED, ended_at__gt=now - COURSE)
        .order_by("id")
    )
    sessions = list(running.exclude(pk=besides.pk) if besides else running)
    for session in sessions:
        session.updated_at = now
        session.save(update_fields=["updated_at"])
        revise(treatment_session=session, now=now)
    return sessions
