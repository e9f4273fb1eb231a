"""One-time codes at the login: six digits that an app shows for 30 seconds (RFC 6238), and codes for when it is lost.

`at` is the host's time, not the product's clock: the app on the phone knows nothing of a clock moved in the sandbox.
"""

import hashlib
import secrets
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import pyotp
import structlog
from django.db import transaction
from django.db.models import QuerySet

from reminders.clinic import audit
from reminders.clinic.account_models import OneTimeSecret, RecoveryCode
from reminders.clinic.errors import ConflictError
from reminders.clinic.models import AuditEvent, Clinician
from reminders.clinic.sealing import SealError, seal, unseal

log = structlog.get_logger(__name__)

ISSUER: Final = "Aftercare"
STEP_SECONDS: Final = 30
# RFC 6238, section 5.2 advises one step of delay; one step ahead is for phones whose clock is fast.
STEPS_AROUND: Final = (-1, 0, 1)
RECOVERY_CODES: Final = 10
# Without 0, 1, i, l and o, which people mix up on paper. 16 of 31 letters and digits are 79 bits: nothing to guess.
_LETTERS: Final = "23456789abcdefghjkmnpqrstuvwxyz"
_LENGTH: Final = 16
_GROUP: Final = 4


class Taken(StrEnum):
    """Which kind of code opened the door."""

    APP = "app"
    RECOVERY = "recovery"


def is_on(*, clinician: Clinician) -> bool:
    """Whether this person's login asks for a code."""
    return _confirmed().filter(clinician=clinician).exists()


def who_has_codes(*, clinic_id: int) -> set[int]:
    """Return the ids of the clinic's staff whose login asks for a code."""
    return set(_confirmed().filter(clinician__clinic=clinic_id).values_list("clinician_id", flat=True))


def start(*, clinician: Clinician, now: datetime) -> None:
    """Make a new secret that does not count yet. Raises ConflictError where codes are on already."""
    with transaction.atomic():
        OneTimeSecret.objects.select_for_update().filter(clinician=clinician).first()
        if is_on(clinician=clinician):
            raise ConflictError("Codes are on already. Turn them off first, to take another phone.")
        sealed = seal(pyotp.random_base32().encode("ascii"), bound_to=_bound(clinician))
        OneTimeSecret.objects.update_or_create(
            clinician=clinician, defaults={"sealed": sealed, "made_at": now, "confirmed_at": None, "last_step": 0}
        )


def unconfirmed_secret(*, clinician: Clinician) -> str:
    """Return the secret that waits to be confirmed, in base32 as apps take it, or an empty string."""
    row = OneTimeSecret.objects.filter(clinician=clinician, confirmed_at__isnull=True).first()
    try:
        return "" if row is None else _secret(row)
    except SealError:
        return ""  # the key it was sealed with is gone: one begins again


def address_of(*, clinician: Clinician, secret: str) -> str:
    """Return the secret as the `otpauth:` address that a QR code carries."""
    return str(pyotp.TOTP(secret, interval=STEP_SECONDS).provisioning_uri(name=clinician.username, issuer_name=ISSUER))


def confirm(*, clinician: Clinician, typed: str, at: datetime, now: datetime) -> list[str] | None:
    """Turn codes on where the typed one is right, and return the recovery codes, which are stored nowhere.

    Returns None for a wrong code. Raises ConflictError where nothing waits to be confirmed.
    """
    with transaction.atomic():
        row = OneTimeSecret.objects.select_for_update().filter(clinician=clinician, confirmed_at__isnull=True).first()
        if row is None:
            raise ConflictError("There is no code to confirm. Begin again.")
        if not _take_from_app(row, _plain(typed), at):
            return None
        row.confirmed_at = now
        row.save(update_fields=["confirmed_at"])
        _record(clinician, clinician, "codes_turned_on", now)
        return _new_recovery_codes(clinician, now)


def take(*, clinician: Clinician, typed: str, at: datetime, now: datetime) -> Taken | None:
    """Use up a code at the login: from the app, or one of the recovery codes. Returns None where it is not right.

    Of several logins with the same code at the same moment one gets in.
    """
    plain = _plain(typed)
    with transaction.atomic():
        row = _confirmed().select_for_update().filter(clinician=clinician).first()
        if row is None:
            return None
        if len(plain) == _LENGTH:
            return _take_recovery(clinician, plain, now)
        return Taken.APP if _take_from_app(row, plain, at) else None


def recovery_codes_left(*, clinician: Clinician) -> int:
    """Return how many recovery codes have not been used."""
    return RecoveryCode.objects.filter(clinician=clinician, used_at__isnull=True).count()


def new_recovery_codes(*, clinician: Clinician, now: datetime) -> list[str]:
    """Return ten new recovery codes; the earlier ones end. Raises ConflictError where codes are off."""
    with transaction.atomic():
        if _confirmed().select_for_update().filter(clinician=clinician).first() is None:
            raise ConflictError("Codes are off. Turn them on first.")
        _record(clinician, clinician, "recovery_codes_made", now)
        return _new_recovery_codes(clinician, now)


def turn_off(*, clinician: Clinician, by: Clinician | None, now: datetime) -> bool:
    """End codes for this person, as themselves or for who lost the phone; False where they were off.

    `by` is an owner, the person, or None for whoever runs the installation.
    """
    with transaction.atomic():
        was_on = _confirmed().select_for_update().filter(clinician=clinician).first() is not None
        OneTimeSecret.objects.filter(clinician=clinician).delete()
        RecoveryCode.objects.filter(clinician=clinician).delete()
        if was_on:
            _record(clinician, by, "codes_turned_off", now)
    return was_on


def _confirmed() -> QuerySet[OneTimeSecret]:
    return OneTimeSecret.objects.filter(confirmed_at__isnull=False)


def _take_from_app(row: OneTimeSecret, plain: str, at: datetime) -> bool:
    if len(plain) != 6 or not plain.isdecimal() or not plain.isascii():
        return False
    try:
        codes = pyotp.HOTP(_secret(row))
    except SealError:
        log.error(
            "one_time_secret_is_unreadable", clinician_id=row.clinician_id
        )  # a key is missing; recovery codes work
        return False
    this = int(at.timestamp()) // STEP_SECONDS
    fitting = [
        step
        for step in (this + away for away in STEPS_AROUND)
        if step > row.last_step and secrets.compare_digest(codes.at(step), plain)
    ]
    if not fitting:
        return False
    row.last_step = max(fitting)
    row.save(update_fields=["last_step"])
    return True


def _take_recovery(clinician: Clinician, plain: str, now: datetime) -> Taken | None:
    unused = RecoveryCode.objects.filter(clinician=clinician, digest=_digest(plain), used_at__isnull=True)
    if not unused.update(used_at=now):
        return None
    _record(clinician, clinician, "recovery_code_used", now, left=recovery_codes_left(clinician=clinician))
    return Taken.RECOVERY


def _new_recovery_codes(clinician: Clinician, now: datetime) -> list[str]:
    RecoveryCode.objects.filter(clinician=clinician).delete()
    codes = ["".join(secrets.choice(_LETTERS) for _ in range(_LENGTH)) for _ in range(RECOVERY_CODES)]
    RecoveryCode.objects.bulk_create(
        RecoveryCode(clinician=clinician, digest=_digest(code), made_at=now) for code in codes
    )
    return ["-".join(code[at : at + _GROUP] for at in range(0, _LENGTH, _GROUP)) for code in codes]


def _secret(row: OneTimeSecret) -> str:
    return unseal(bytes(row.sealed), bound_to=_bound(row.clinician)).decode("ascii")


def _bound(clinician: Clinician) -> bytes:
    return b"one-time" + int(clinician.pk).to_bytes(8)


def _plain(typed: str) -> str:
    """Return a code without the spaces and dashes that people type with it."""
    return "".join(typed.split()).replace("-", "").lower()[:40]


def _digest(plain: str) -> str:
    return hashlib.sha256(plain.encode()).hexdigest()


def _record(clinician: Clinician, by: Clinician | None, verb: str, now: datetime, **details: Any) -> None:
    audit.record(
        clinic=clinician.clinic,
        actor=AuditEvent.Actor.CLINICIAN if by else AuditEvent.Actor.SYSTEM,
        clinician=by,
        verb=verb,
        subject=clinician,
        now=now,
        **details,
    )
