"""What escalations do, in the same transaction, when something happens in the clinic."""

from datetime import datetime
from typing import Any

from django.dispatch import receiver

from reminders.clinic import events
from reminders.clinic.errors import ConflictError
from reminders.clinic.models import Patient
from reminders.core.states import EscalationState
from reminders.escalations.models import Escalation

_BOTH_OPEN = "Both have an open case about the same text: close one of the two first, then try again."


@receiver(events.patients_merged, dispatch_uid="escalations")
def move_cases(sender: object, *, kept: Patient, duplicate: Patient, now: datetime, **_: Any) -> None:
    """Bring the duplicate's cases over. One text may have raised a case for both, where they share a phone.

    Then the kept patient's case keeps the text, and the other names that case. Two that are open have to be settled by
    a person, who knows which one they are working on.
    """
    own = {(row.inbound_id, row.reason): row for row in Escalation.objects.filter(patient=kept, inbound__isnull=False)}
    for case in Escalation.objects.select_for_update().filter(patient=duplicate).order_by("pk"):
        twin = own.get((case.inbound_id, case.reason)) if case.inbound_id else None
        if twin is not None:
            if EscalationState.RESOLVED not in (case.state, twin.state):
                raise ConflictError(_BOTH_OPEN)
            # The open one of the two keeps the patient's words, for whoever has to act on them.
            lesser = case if case.state == EscalationState.RESOLVED else twin
            other = twin if lesser is case else case
            lesser.inbound, lesser.details = None, {**lesser.details, "same_text_as": other.pk}
            lesser.save(update_fields=["inbound", "details"])
        case.patient = kept
        case.save(update_fields=["patient"])
