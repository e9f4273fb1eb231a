"""What the policy must know besides the words: which question is open, and what came before it."""

from dataclasses import replace
from datetime import datetime, timedelta

from django.db.models import Max

from reminders.clinic.models import Patient, TreatmentSession
from reminders.conversations.check_ins import recent_sessions, thresholds_of
from reminders.conversations.models import CheckIn
from reminders.conversations.policy import RECENT, UNASKED
from reminders.core.protocols import Thresholds, thresholds_from_json
from reminders.core.schedule import StepKind
from reminders.core.states import CheckInState
from reminders.core.triage import Situation
from reminders.messaging.models import AftercarePlan

# After how many of the patient's earlier sessions an answer is compared: the newest three that were answered.
EARLIER_SESSIONS = 3


def situation_of(*, check_in: CheckIn | None, patient: Patient, body: str, now: datetime) -> Situation:
    """Return what the policy must know besides the words; `check_in` is the question that the text answers."""
    session = check_in.treatment_session if check_in else next(iter(recent_sessions(patient=patient, now=now)), None)
    situation = _of_question(check_in) if check_in else _unasked(session, patient, now)
    situation = replace(situation, asks_too=_asks_too(body))
    if session is None:
        return situation
    return replace(
        situation,
        usual_score=_usual_score(session),
        technique=session.technique,
        regions=frozenset(session.regions),
        hours_since_session=(now - session.ended_at) / timedelta(hours=1),
    )


def _of_question(check_in: CheckIn) -> Situation:
    of_session = CheckIn.objects.filter(treatment_session=check_in.treatment_session)
    earlier = (
        of_session.filter(state=CheckInState.ANSWERED, score__isnull=False, asked_at__lt=check_in.asked_at)
        .order_by("-asked_at")
        .first()
    )
    return Situation(
        asked=StepKind(check_in.kind),
        thresholds=thresholds_of(check_in),
        clarifications=check_in.clarifications,
        earlier_score=earlier.score if earlier else None,
        rechecks=of_session.filter(kind=StepKind.RECHECK).count(),
    )


def _unasked(session: TreatmentSession | None, patient: Patient, now: datetime) -> Situation:
    was_asked = CheckIn.objects.filter(patient=patient, asked_at__gt=now - RECENT).exists()
    return Situation(asked=None, thresholds=_thresholds_unasked(session), was_asked=was_asked)


def _thresholds_unasked(session: TreatmentSession | None) -> Thresholds:
    """Return the numbers of the session's protocol, but nothing is asked where no question is open."""
    plans = AftercarePlan.objects.filter(treatment_session=session).select_related("protocol_version")
    plan = plans.order_by("-id").first() if session else None
    if plan is None:
        return UNASKED
    spoken = thresholds_from_json(plan.protocol_version.thresholds)
    return replace(spoken, clarify_limit=UNASKED.clarify_limit, recheck_limit=UNASKED.recheck_limit)


def _usual_score(session: TreatmentSession) -> int | None:
    """Return the highest answer after each of the patient's last earlier sessions, and of those the highest."""
    answered = CheckIn.objects.filter(
        patient=session.patient_id,
        treatment_session__ended_at__lt=session.ended_at,
        treatment_session__status=TreatmentSession.Status.COMPLETED,
        score__isnull=False,
    )
    by_session = answered.values("treatment_session").annotate(worst=Max("score"))
    newest = by_session.order_by("-treatment_session__ended_at").values_list("worst", flat=True)[:EARLIER_SESSIONS]
    return max(newest, default=None)


def _asks_too(body: str) -> bool:
    """Tell whether a text holds a question that a person should read; a lone "2?" is doubt, not a question."""
    return "?" in body and len(body.split()) > 2
