"""Which carrier is in use. The only place besides the adapter itself that names one."""

from functools import lru_cache

from django.conf import settings

from reminders.delivery.port import Carrier
from reminders.delivery.twilio_carrier import TwilioCarrier


@lru_cache(maxsize=1)
def carrier() -> Carrier:
    """Return the configured carrier; the sandbox is the same adapter pointed at another address."""
    return TwilioCarrier(
        account_sid=settings.TWILIO_ACCOUNT_SID,
        auth_token=settings.TWILIO_AUTH_TOKEN,
        base_url=settings.TWILIO_API_BASE_URL,
    )
