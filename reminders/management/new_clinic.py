"""Making a clinic from the command line, all or nothing."""

from collections.abc import Sequence
from datetime import time

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from reminders import clock
from reminders.clinic.models import Clinic, Clinician, Role
from reminders.clinic.phones import PhoneError, parse_own_number, parse_phone
from reminders.clinic.services import create_api_key
from reminders.content.services import load_starters
from reminders.core.quiet_hours import QuietWindow, QuietWindowError, check_window
from reminders.management.add_clinic import WEEKDAYS
from reminders.messaging.models import Sender


class NewClinicError(Exception):
    """The clinic cannot be made as asked; the message says what to change. Nothing was stored."""


def make_clinic(
    *,
    name: str,
    slug: str,
    phone: str,
    senders: Sequence[str],
    parts_per_second: float,
    timezone: str,
    quiet_start: time,
    quiet_end: time,
    owner: str,
    owner_phone: str,
    owner_password: str,
) -> dict[str, str]:
    """Make a clinic with its owner, senders, starter texts and protocol; return its slug and its API key.

    Raises NewClinicError for a slug, user name or sender that is taken, an impossible phone, quiet hours that would
    let texts out before 08:00 or after 21:00, and a weak password.
    """
    now = clock.now()
    try:
        check_window(QuietWindow(quiet_start, quiet_end))
        validate_password(owner_password)
        with transaction.atomic():
            clinic = Clinic.objects.create(
                name=name,
                slug=slug,
                phone=parse_own_number(phone),
                timezone=timezone,
                quiet_start=quiet_start,
                quiet_end=quiet_end,
                opening_hours=WEEKDAYS,
            )
            Clinician.objects.create_user(
                owner,
                "",
                owner_password,
                clinic=clinic,
                role=Role.OWNER,
                phone=parse_phone(owner_phone) if owner_phone else "",
            )
            for number in senders:
                Sender.objects.create(clinic=clinic, number=parse_own_number(number), parts_per_second=parts_per_second)
            load_starters(clinic=clinic, now=now)
            _key, plain_key = create_api_key(clinic=clinic, label="First key", now=now)
    except (PhoneError, QuietWindowError) as error:
        raise NewClinicError(str(error)) from None
    except ValidationError as error:
        raise NewClinicError(" ".join(error.messages)) from None
    except IntegrityError:
        raise NewClinicError("The slug, the owner's user name or a sender is taken; choose another.") from None
    return {"clinic": slug, "api_key": plain_key}
