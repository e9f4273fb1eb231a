"""A phone that was out of reach is back once a text to it has been delivered."""

from datetime import datetime, timedelta
from typing import Final

from django.db.models import Exists, OuterRef

from reminders.clinic.models import PatientPhone, PhoneState
from reminders.core.states import MessageState
from reminders.messaging.models import Message
from reminders.messaging.rounds import pass_by

BEHIND: Final = timedelta(minutes=1)
STEP: Final = 100
MOST_STEPS: Final = 5


def note_reached_phones(*, now: datetime) -> int:
    """Let phones count as in use that were delivered to after they had been out of reach; return how many.

    A round of its own, so that a receipt, of which there are thousands, asks nothing of phones. Landlines, dead and
    quarantined numbers stay what they are until a person says otherwise.
    """
    out_of_reach = PatientPhone.objects.filter(
        clinic=OuterRef("clinic"),
        number=OuterRef("to_number"),
        state=PhoneState.UNREACHABLE,
        state_changed_at__lt=OuterRef("changed_at"),
    )
    reached = Message.objects.filter(Exists(out_of_reach), state=MessageState.DELIVERED, channel="sms")
    back = 0
    for _ in range(MOST_STEPS):
        stretch = pass_by(name="reached", behind=BEHIND, among=reached, now=now, limit=STEP)
        if stretch is None:
            break
        for message in Message.objects.filter(pk__in=stretch.found):
            phones = PatientPhone.objects.filter(
                clinic=message.clinic_id,
                number=message.to_number,
                state=PhoneState.UNREACHABLE,
                state_changed_at__lt=message.changed_at,
            )
            back += phones.update(state=PhoneState.OK, state_changed_at=message.changed_at)
    return back
