"""A brake on guessing passwords that counts over all web processes and hosts.

The count is a row, not an entry in the broker's memory: the broker may be emptied at any moment, which would give a
guesser five more tries, and when it is away one would have to choose between no logins and no brake. A login reads
the database anyway, so here there is no such choice: while it is away nobody logs in at all.
"""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.utils.crypto import salted_hmac

from reminders.console.models import SignInBrake

FAILURES_ALLOWED: Final = 5
WAIT: Final = timedelta(minutes=15)
SWEPT_AT_ONCE: Final = 100


def take_try(*, username: str, address: str, now: datetime) -> bool:
    """Count one try before its password is looked at; return False, and count nothing, where the brake holds.

    Counting first keeps many tries at the same moment from all finding the count still low. The brake holds for
    15 minutes from the fifth try that `forgive` did not take back; refused tries do not make that longer.
    """
    _sweep(now)
    with transaction.atomic():
        brake, _ = SignInBrake.objects.select_for_update().get_or_create(
            who=_who(username, address), defaults={"forget_at": now + WAIT}
        )
        if brake.forget_at <= now:
            brake.failures = 0
        if brake.failures >= FAILURES_ALLOWED:
            return False
        brake.failures += 1
        brake.forget_at = now + WAIT
        brake.save(update_fields=["failures", "forget_at"])
    return True


def forgive(*, username: str, address: str) -> None:
    """Forget all tries of this name from this address: the password was right."""
    SignInBrake.objects.filter(who=_who(username, address)).delete()


def _sweep(now: datetime) -> None:
    """Remove old counts, a bounded number at a time, so that guesses at many names do not pile up rows."""
    with transaction.atomic():
        # Skipping what others hold: two sweeps that met in different order would wait for each other for ever.
        old = SignInBrake.objects.filter(forget_at__lte=now).select_for_update(skip_locked=True)
        SignInBrake.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:SWEPT_AT_ONCE])).delete()


def _who(username: str, address: str) -> str:
    """Return a keyed digest, so that the table is no list of names and addresses."""
    said = f"{username.strip().lower()}\n{address}"
    return salted_hmac("reminders.sign_in_brake", said, algorithm="sha256").hexdigest()
