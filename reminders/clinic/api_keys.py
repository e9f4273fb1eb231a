"""Keys for the API: one clinic each, shown once, stored as a SHA-256."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from reminders.clinic import audit
from reminders.clinic.models import ApiKey, AuditEvent, Clinic, Clinician

PREFIX: Final = "rk_"
SHOWN_CHARACTERS: Final = 12
LAST_USED_STEP: Final = timedelta(minutes=1)
"""`last_used_at` is written at most this often, so that reading with a key is not also writing."""


def create_api_key(
    *,
    clinic: Clinic,
    label: str,
    now: datetime,
    actor: AuditEvent.Actor = AuditEvent.Actor.SYSTEM,
    clinician: Clinician | None = None,
) -> tuple[ApiKey, str]:
    """Make a key and return its row and the key itself, which is stored nowhere and cannot be shown again."""
    # 256 random bits: a plain hash is enough, because there is nothing to guess (unlike a password).
    plain = PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        api_key = ApiKey.objects.create(
            clinic=clinic, label=label[:60], prefix=plain[:SHOWN_CHARACTERS], digest=_digest(plain), created_at=now
        )
        audit.record(clinic=clinic, actor=actor, clinician=clinician, verb="api_key_created", subject=api_key, now=now)
    return api_key, plain


def authenticate_api_key(plain: str, now: datetime) -> Clinic | None:
    """Return the clinic of a key, or None where there is no such key or it was revoked."""
    if not plain.startswith(PREFIX) or len(plain) > 100:
        return None
    api_key = ApiKey.objects.select_related("clinic").filter(digest=_digest(plain), revoked_at__isnull=True).first()
    if api_key is None:
        return None
    if api_key.last_used_at is None or now - api_key.last_used_at >= LAST_USED_STEP:
        ApiKey.objects.filter(pk=api_key.pk).update(last_used_at=now)
    return api_key.clinic


def revoke_api_key(
    *,
    api_key: ApiKey,
    now: datetime,
    actor: AuditEvent.Actor = AuditEvent.Actor.SYSTEM,
    clinician: Clinician | None = None,
) -> bool:
    """End a key at once; return False where it had ended already."""
    with transaction.atomic():
        if not ApiKey.objects.filter(pk=api_key.pk, revoked_at__isnull=True).update(revoked_at=now):
            return False
        audit.record(
            clinic=api_key.clinic, actor=actor, clinician=clinician, verb="api_key_revoked", subject=api_key, now=now
        )
    return True


def _digest(plain: str) -> str:
    return hashlib.sha256(plain.encode()).hexdigest()
