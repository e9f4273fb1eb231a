"""The one follow-up question after soreness that persists: better, the same or worse, asked as numbers."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from reminders.clinic.models import Patient
from reminders.conversations.models import CheckIn, InboundMessage
from reminders.conversations.replies import answer
from reminders.core.states import Severity
from reminders.escalations.services import raise_escalation

# Numbers above the 0-10 scale, so that an answer to this question is never taken for a score, nor the other way round.
TREND_OF = {"11": "better", "12": "same", "13": "worse"}
_AROUND = " .!\n\t"
TREND_WINDOW = timedelta(days=1)
_ANSWER = {"better": "thanks_resolved", "same": "told_your_pt", "worse": "told_your_pt"}


def people_followed_up(*, inbound: InboundMessage, people: Sequence[Patient], now: datetime) -> list[Patient]:
    """Return whose follow-up question a text could answer: nobody's unless it is 11, 12 or 13 alone."""
    if inbound.body.strip(_AROUND) not in TREND_OF:
        return []
    asked = CheckIn.objects.filter(patient__in=people, trend="asked", answered_at__gt=now - TREND_WINDOW)
    waiting = set(asked.values_list("patient_id", flat=True))
    return [patient for patient in people if patient.pk in waiting]


def handle_trend(*, inbound: InboundMessage, people: Sequence[Patient], now: datetime) -> bool:
    """Take 11, 12 or 13 alone as the answer to the follow-up question; return whether the text was one.

    Getting worse makes the open case at least a same-day one.
    """
    trend = TREND_OF.get(inbound.body.strip(_AROUND))
    if trend is None:
        return False
    check_in = (
        CheckIn.objects.select_related("patient", "treatment_session", "clinic")
        .filter(patient__in=people, trend="asked", answered_at__gt=now - TREND_WINDOW)
        .order_by("-answered_at")
        .first()
    )
    if check_in is None:
        return False
    CheckIn.objects.filter(pk=check_in.pk, trend="asked").update(trend=trend)
    inbound.patient = check_in.patient
    answer(inbound=inbound, key=_ANSWER[trend], patient=check_in.patient, now=now)
    if trend == "worse":
        raise_escalation(
            clinic=check_in.clinic,
            patient=check_in.patient,
            reason="persists",
            severity=Severity.SAME_DAY,
            now=now,
            treatment_session=check_in.treatment_session,
            check_in_id=check_in.pk,
            inbound_id=inbound.pk,
        )
    return True
