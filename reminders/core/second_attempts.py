"""A text that the carrier took and then could not deliver: which failures deserve one more attempt, and when.

Source of the codes: Twilio's error dictionary. What is refused outright never comes here; what is refused because of
the words, the number or an opt-out would be refused again.
"""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from reminders.core.carrier_errors import Fault, fault_of
from reminders.core.quiet_hours import first_instant

URGENT_AFTER = timedelta(minutes=1)
"""Where somebody may be in danger, whatever the code says."""

AFTER: Mapping[int, timedelta] = {
    30001: timedelta(minutes=10),  # the carrier's queue was full
    30003: timedelta(hours=2),  # handset switched off or out of reach: hours, not minutes
    30008: timedelta(minutes=30),  # unknown; one more try is what the carrier advises
    30017: timedelta(minutes=15),  # congestion
    30022: timedelta(hours=1),  # too many for this sender's registration just now
    30410: timedelta(hours=1),  # a network's time-out, which the carrier does not repeat so as not to double
    30450: timedelta(hours=1),  # a block against pumping, of 15 to 30 minutes
}
# Daily allowances of a registration begin anew at midnight in this zone.
DAILY = frozenset({30023, 30027})
ALLOWANCE_ZONE = ZoneInfo("America/Los_Angeles")
ALLOWANCE_GRACE = timedelta(minutes=10)

SENDERS_FAULT_AFTER = timedelta(minutes=1)
"""After the sender was seen to work again: until then there is no second attempt."""


def second_attempt_at(*, code: int | None, failed_at: datetime, is_urgent: bool) -> datetime | None:
    """Return when a text that failed with this code may be tried once more, or None where that would be in vain.

    For a fault of the sender the answer holds once that sender works again. All moments are aware.
    """
    fault = fault_of(code=code)
    if code is None or (code not in AFTER and code not in DAILY and fault is not Fault.SENDER_FAULT):
        return None
    if is_urgent:
        return failed_at + URGENT_AFTER
    if code in DAILY:
        tomorrow = failed_at.astimezone(ALLOWANCE_ZONE).date() + timedelta(days=1)
        return first_instant(day=tomorrow, wall=time(0), zone=ALLOWANCE_ZONE) + ALLOWANCE_GRACE
    return failed_at + AFTER.get(code, SENDERS_FAULT_AFTER)


def waits_for_its_sender(code: int | None) -> bool:
    """Tell whether a second attempt would be in vain until the sender's set-up has been put right."""
    return fault_of(code=code) is Fault.SENDER_FAULT
