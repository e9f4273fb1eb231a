"""Which carrier is in use. The only place besides the adapter itself that names one."""

from functools import lru_cache

from django.conf import settings

from reminders.delivery.media import MediaStore
from reminders.delivery.port import Carrier
from reminders.delivery.twilio_carrier import TwilioCarrier

TWILIO_API = "https://api.twilio.com"


@lru_cache(maxsize=1)
def carrier() -> Carrier:
    """Return the configured carrier; the sandbox is the same adapter pointed at another address."""
    return TwilioCarrier(
        account_sid=settings.TWILIO_ACCOUNT_SID,
        auth_token=settings.TWILIO_AUTH_TOKEN,
        base_url=settings.TWILIO_API_BASE_URL,
    )


def media_store() -> MediaStore:
    """Return the place where the carrier keeps what came with texts."""
    return MediaStore(
        account_sid=settings.TWILIO_ACCOUNT_SID,
        auth_token=settings.TWILIO_AUTH_TOKEN,
        base_url=settings.TWILIO_API_BASE_URL or TWILIO_API,
        is_configured=bool(settings.TWILIO_API_BASE_URL),
    )
