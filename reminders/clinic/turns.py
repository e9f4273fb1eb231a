"""Letting transactions that decide about the same thing go one after the other."""

from collections.abc import Iterable

from django.db import connection

from reminders.clinic.models import Clinic


def take_turn(*, clinic: Clinic, topic: str) -> None:
    """Wait until no other transaction holds `topic` of this clinic, then hold it until this transaction ends.

    A row cannot be locked before it exists: the first session of an external id, the first decision about a phone.
    A PostgreSQL advisory lock can, and it gets in nobody's way who does not ask for the same topic.
    Raises RuntimeError outside a transaction, where the lock would be gone at once.
    """
    take_turns(turns=[(clinic.pk, topic)])


def take_turns(*, turns: Iterable[tuple[int, str]]) -> None:
    """Take several turns, given as (clinic's id, topic), in an order that is the same for everybody.

    So no two that ask for several wait for each other; whoever holds one already must not ask for an earlier one.
    Raises RuntimeError outside a transaction.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("a turn needs a transaction: outside one its lock ends with the statement")
    keys = sorted({turn_key(clinic_id=clinic_id, topic=topic) for clinic_id, topic in turns})
    with connection.cursor() as cursor:
        # The array is read from its start to its end, and each key is locked before the next one is read.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(key, 0)) FROM unnest(%s::text[]) AS key", [keys])


def turn_key(*, clinic_id: int, topic: str) -> str:
    """Return the name under which a turn is locked, for statements that share it (see messaging.sql)."""
    return f"clinic:{clinic_id}:{topic}"


def plans_of(patient_id: int) -> str:
    """Return the topic on which whatever lays out or withholds texts of one patient's sessions takes turns."""
    return f"plans:{patient_id}"


def conversation_of(number: str) -> str:
    """Return the topic on which whatever handles the texts of one phone takes turns."""
    return f"conversation:{number}"
