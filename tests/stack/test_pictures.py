"""A picture through all the processes: carrier, webhook, broker, worker, database."""

from typing import Any

import psycopg
import pytest
import requests

from tests.stack.launch import RunningStack
from tests.waiting import eventually

pytestmark = pytest.mark.stack


def test_a_picture_from_a_phone_ends_encrypted_in_the_database_and_nowhere_else(stack: RunningStack) -> None:
    with psycopg.connect(stack.facts["database_url"], autocommit=True) as database:
        (clinic_number,) = one_row(database, "SELECT number FROM reminders_sender ORDER BY id LIMIT 1")
        wish = {"from": "+13125550163", "to": clinic_number, "body": "", "media": 1}
        sid = requests.post(f"{stack.sandbox_url}/sandbox/api/inbound", json=wish, timeout=30).json()["sid"]

        eventually(lambda: picture_of(database, sid)[2] is not None, what="the carrier's copy is deleted")

        state, content, _removed_at, media = picture_of(database, sid)
    assert state == "kept"
    assert b"\x89PNG\r\n\x1a\n" not in bytes(content)
    account = stack.env["TWILIO_ACCOUNT_SID"], stack.env["TWILIO_AUTH_TOKEN"]
    assert requests.get(media[0]["url"], auth=account, timeout=30).status_code == 404


def picture_of(database: psycopg.Connection, sid: str) -> tuple[Any, ...]:
    return one_row(
        database,
        "SELECT p.state, p.content, p.removed_at, i.media FROM reminders_picture p"
        " JOIN reminders_inboundmessage i ON i.id = p.inbound_id WHERE i.message_sid = %s",
        sid,
    )


def one_row(database: psycopg.Connection, query: str, *values: str) -> tuple[Any, ...]:
    found = database.execute(query, values).fetchone()
    assert found is not None
    return tuple(found)
