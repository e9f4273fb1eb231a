"""The stage before the first session: a carrier that is quick, a sender that may send fast, and the first morning."""

from datetime import datetime

from reminders.clinic.models import Clinician
from reminders.management.rehearsal.carrier import CarrierControl
from reminders.messaging.models import Sender

# Weeks in minutes: a number that carries one part a second would keep everybody waiting.
PARTS_PER_SECOND = 1000.0


def prepare(*, carrier: CarrierControl, begins_at: datetime) -> None:
    """Move the clock to the beginning. Staff answer by text here, so their phones ring out when they are called."""
    carrier.change_settings(sent_after=0.0, delivered_after=0.0)
    Sender.objects.update(parts_per_second=PARTS_PER_SECOND)
    for phone in Clinician.objects.exclude(phone="").values_list("phone", flat=True):
        carrier.set_number(phone, call="no-answer")
    carrier.move_clock(to=begins_at)
