"""Every move that any of these tests makes is checked against the table of legal moves, by the database itself."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.db import connection

from reminders.clinic.models import Clinic, Patient
from reminders.core.states import MESSAGE_MOVES, MessageState
from tests.factories import make_clinic, make_patient
from tests.messaging.carriers import PaperCarrier

NOON = datetime(2026, 5, 13, 17, 0, tzinfo=UTC)
"""A Wednesday noon in Chicago, outside quiet hours."""

REFUSE_ILLEGAL_MOVES = """
CREATE OR REPLACE FUNCTION test_refuse_illegal_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT (OLD.state || '>' || NEW.state = ANY (string_to_array('{moves}', ' '))) THEN
        RAISE EXCEPTION 'illegal move from % to %', OLD.state, NEW.state;
    END IF;
    RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER test_legal_moves_only BEFORE UPDATE ON reminders_message
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION test_refuse_illegal_move();
CREATE OR REPLACE TRIGGER test_legal_moves_only BEFORE UPDATE ON reminders_outbox
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION test_refuse_illegal_move();
"""
# What people see: `scheduled` stands for `claimed` too.
SEEN_MOVES = {
    **MESSAGE_MOVES,
    MessageState.SCHEDULED: MESSAGE_MOVES[MessageState.SCHEDULED] | MESSAGE_MOVES[MessageState.CLAIMED],
}


@pytest.fixture(autouse=True)
def legal_moves_only(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let the database refuse any move that the table does not know."""
    marker = request.node.get_closest_marker("django_db")
    if marker is None:
        yield
        return
    request.getfixturevalue("transactional_db" if marker.kwargs.get("transaction") else "db")
    moves = " ".join(f"{origin}>{end}" for origin, ends in SEEN_MOVES.items() for end in sorted(ends))
    with connection.cursor() as cursor:
        cursor.execute(REFUSE_ILLEGAL_MOVES.format(moves=moves))
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER test_legal_moves_only ON reminders_message")
        cursor.execute("DROP TRIGGER test_legal_moves_only ON reminders_outbox")


@pytest.fixture
def clinic() -> Clinic:
    """A clinic in Chicago with one sender, whose pace is no part of the story."""
    clinic = make_clinic()
    clinic.senders.update(parts_per_second=1000)
    return clinic


@pytest.fixture
def patient(clinic: Clinic) -> Patient:
    """A patient who agreed to texts."""
    return make_patient(clinic=clinic, now=NOON)


@pytest.fixture
def carrier() -> PaperCarrier:
    """A carrier that accepts everything."""
    return PaperCarrier()
