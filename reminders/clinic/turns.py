"""Letting transactions that decide about the same thing go one after the other."""

from django.db import connection

from reminders.clinic.models import Clinic


def take_turn(*, clinic: Clinic, topic: str) -> None:
    """Wait until no other transaction holds `topic` of this clinic, then hold it until this transaction ends.

    A row cannot be locked before it exists: the first session of an external id, the first decision about a phone.
    A PostgreSQL advisory lock can, and it gets in nobody's way who does not ask for the same topic.
    Raises RuntimeError outside a transaction, where the lock would be gone at once.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("take_turn needs a transaction: outside one its lock ends with the statement")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [turn_key(clinic_id=clinic.pk, topic=topic)]
        )


def turn_key(*, clinic_id: int, topic: str) -> str:
    """Return the name under which a turn is locked, for statements that share it (see messaging.sql)."""
    return f"clinic:{clinic_id}:{topic}"
