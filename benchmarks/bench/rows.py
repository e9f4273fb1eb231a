"""The rows that scenarios start from, and what is asked of them afterwards. The only file that names columns."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.backends.utils import CursorWrapper

from benchmarks.bench.carrier import BenchError

# Together they cover the globe, so that it is the middle of somebody's day at any time: nothing waits for the morning.
ZONES = (
    "America/Chicago", "America/Los_Angeles", "Pacific/Honolulu", "Pacific/Auckland", "Australia/Brisbane",
    "Asia/Tokyo", "Asia/Bangkok", "Asia/Karachi", "Asia/Dubai", "Europe/Berlin", "America/Sao_Paulo",
)  # fmt: skip
MIDDAY_HOUR = 13
BODY = "Northside Physio: use heat for 15 minutes this evening. Reply STOP to end."
AT_FULL_SPEED = 1_000_000.0
FIRST_NUMBER = 2_000_000_000
OPEN_STATES = ("scheduled", "claimed", "sending", "ambiguous", "unresolved")


@dataclass(frozen=True, slots=True)
class Place:
    """A clinic with its sender and patients number 1 to `patients`, all of whom agreed to texts."""

    clinic_id: int
    sender_id: int
    sender_number: str
    patients: int
    first_number: int
    first_patient_id: int

    def number_of(self, patient: int) -> str:
        """Return the phone of a patient, counted from 1."""
        return f"+{self.first_number + patient}"


def make_place(*, number: int, patients: int, parts_per_second: float = AT_FULL_SPEED) -> Place:
    """Make one clinic where it is midday, with everything a commit point asks for. `number` tells clinics apart."""
    zone = min(ZONES, key=lambda name: abs(datetime.now(ZoneInfo(name)).hour - MIDDAY_HOUR))
    sender = f"+1312555{1000 + number:04d}"
    first = FIRST_NUMBER + number * 10_000_000
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO reminders_clinic (name, slug, phone, booking_url, timezone, language, opening_hours,"
            " reply_hours, reply_hours_es, quiet_start, quiet_end, is_paused, emergency_text_after_opt_out, created_at)"
            " VALUES ('Northside Physio', %s, %s, 'https://northside.example/book', %s, 'en', '{}', 'weekdays', '',"
            " '20:00', '09:00', false, false, now()) RETURNING id",
            [f"bench-{number}", sender, zone],
        )
        clinic_id = int(cursor.fetchone()[0])
        cursor.execute(_insert("reminders_sender", {
            "clinic_id": "%(clinic)s", "number": "%(number)s", "parts_per_second": "%(rate)s", "allowance": "1",
            "allowance_at": "now()", "paused_reason": "''",
        }, "(SELECT 1)") + " RETURNING id",
            {"clinic": clinic_id, "number": sender, "rate": parts_per_second},
        )  # fmt: skip
        sender_id = int(cursor.fetchone()[0])
        everyone: dict[str, int | str] = {"clinic": clinic_id, "zone": zone, "first": first, "count": patients}
        cursor.execute(
            "INSERT INTO reminders_patient (clinic_id, external_id, given_name, family_name, language, timezone,"
            " created_at) SELECT %(clinic)s, 'bench-' || n, 'Pat', '', 'en', %(zone)s, now()"
            " FROM generate_series(1, %(count)s) n ORDER BY n RETURNING id",
            everyone,
        )
        first_patient = int(cursor.fetchone()[0])
        cursor.execute(
            "INSERT INTO reminders_patientphone (clinic_id, patient_id, number, is_primary, state)"
            " SELECT %(clinic)s, %(patient)s + n - 1, '+' || (%(first)s + n), true, 'ok'"
            " FROM generate_series(1, %(count)s) n",
            everyone | {"patient": first_patient},
        )
        cursor.execute(
            "INSERT INTO reminders_consentrecord (clinic_id, patient_id, number, channel, decision, method, disclosure,"
            " recorded_at) SELECT %(clinic)s, %(patient)s + n - 1, '+' || (%(first)s + n), 'sms', 'granted',"
            " 'paper_form', 'I agree.', now() - interval '1 day' FROM generate_series(1, %(count)s) n",
            everyone | {"patient": first_patient},
        )
        cursor.execute("ANALYZE")
    return Place(clinic_id, sender_id, sender, patients, first, first_patient)


def set_rate(place: Place, parts_per_second: float) -> None:
    """Change how many SMS parts a second the clinic's sender may send."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE reminders_sender SET parts_per_second = %s WHERE id = %s", [parts_per_second, place.sender_id]
        )


def seed(
    place: Place, *, wave: str, texts: int, due_at: datetime, over: timedelta = timedelta(), state: str = "scheduled",
    priority: int = 3, kind: str = "advice", bare: bool = False,
) -> None:  # fmt: skip
    """Write `texts` rows in one statement, due from `due_at` on, evenly over `over`.

    `bare` leaves foreign keys and triggers aside, for a history of millions that nobody reads by key; such rows must be
    at their end already.
    """
    ended = state not in OPEN_STATES
    columns = {
        "clinic_id": "%(clinic)s", "public_id": "gen_random_uuid()", "step_key": "''", "occurrence": "0",
        "patient_id": "%(patient)s + (n - 1) %% %(patients)s", "dedupe_key": "'bench:' || %(wave)s || ':' || n",
        "kind": "%(kind)s", "channel": "'sms'", "priority": "%(priority)s", "sender_id": "%(sender)s",
        "to_number": "'+' || (%(first)s + (n - 1) %% %(patients)s + 1)", "language": "'en'", "body": "%(body)s",
        "segments": "1", "consent_rule": "'granted'", "unknown_policy": "'settle'", "quiet_exempt": "false",
        "state": "%(state)s", "reason": "''", "introduces": "false",
        "first_due_at": "%(due)s + (n - 1) * %(step)s", "due_at": "%(due)s + (n - 1) * %(step)s",
        "expires_at": "%(due)s + (n - 1) * %(step)s + interval '6 hours'",
        "fence": "0", "attempts": "1" if ended else "0", "carrier_rank": "0" if ended else "-1",
        "carrier_sid": "'SM' || md5(%(wave)s || n)" if ended else "''",
        "accepted_at": "%(due)s" if ended else "NULL", "created_at": "%(made)s", "changed_at": "%(made)s",
    }  # fmt: skip
    values: dict[str, Any] = {
        "clinic": place.clinic_id, "patient": place.first_patient_id, "patients": place.patients, "wave": wave,
        "kind": kind, "priority": priority, "sender": place.sender_id, "first": place.first_number, "body": BODY,
        "state": state, "due": due_at, "step": over / texts, "made": min(due_at, datetime.now(UTC)), "count": texts,
    }  # fmt: skip
    with _unhurried() as cursor:
        if bare:
            cursor.execute("SET session_replication_role = replica")
        try:
            cursor.execute(_insert("reminders_message", columns, "generate_series(1, %(count)s) n ORDER BY n"), values)
        finally:
            if bare:
                cursor.execute("SET session_replication_role = DEFAULT")
        cursor.execute("NOTIFY reminders_outbox")


@contextmanager
def _unhurried() -> Iterator[CursorWrapper]:
    """Give a cursor whose statements may take their time, longer than the product allows its own."""
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        try:
            yield cursor
        finally:
            cursor.execute("RESET statement_timeout")


def _insert(table: str, columns: dict[str, str], source: str) -> str:
    """Return an INSERT of those columns that the table has: a benchmark should also run on yesterday's engine."""
    with connection.cursor() as cursor:
        there = {column.name for column in connection.introspection.get_table_description(cursor, table)}
    kept = {name: value for name, value in columns.items() if name in there}
    return f"INSERT INTO {table} ({', '.join(kept)}) SELECT {', '.join(kept.values())} FROM {source}"  # noqa: S608


def wait_until_ended(place: Place, *, wave: str, texts: int, seconds: float) -> float:
    """Return the instant (seconds since 1970) at which all rows of a wave are recorded as accepted.

    Raises BenchError where some are not within `seconds`.
    """
    deadline = time.monotonic() + seconds
    while True:
        at = time.time()
        states = states_of(place, wave=wave)
        if states.get("accepted", 0) >= texts:
            return at
        if time.monotonic() > deadline:
            raise BenchError(f"Only {states} of {texts} texts came to their end within {seconds:g} s.")
        time.sleep(0.02)


# The semicolon follows the colon: a range of keys, which an index finds whatever the database's collation.
_IN_WAVE = "clinic_id = %s AND dedupe_key >= %s AND dedupe_key < %s"


def _wave(place: Place, wave: str) -> list[int | str]:
    return [place.clinic_id, f"bench:{wave}:", f"bench:{wave};"]


def states_of(place: Place, *, wave: str) -> dict[str, int]:
    """Return how many rows of a wave are in which state."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT state, COUNT(*) FROM reminders_message WHERE {_IN_WAVE} GROUP BY state",  # noqa: S608
            _wave(place, wave),
        )
        return dict(cursor.fetchall())


def due_times(place: Place, *, wave: str) -> dict[str, float]:
    """Return when each row of a wave was due, in seconds since 1970, by the patient's number."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT to_number, EXTRACT(EPOCH FROM first_due_at)::float8"  # noqa: S608
            f" FROM reminders_message WHERE {_IN_WAVE}",
            _wave(place, wave),
        )
        return dict(cursor.fetchall())


def vacuum() -> None:
    """Bring the tables into the state that autovacuum keeps them in, at a moment that disturbs nothing."""
    with _unhurried() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
        # What was just written by the million must not be written out by the first statement that needs room.
        cursor.execute("CHECKPOINT")


def forget_all_texts() -> None:
    """Empty everything that hangs on texts."""
    with _unhurried() as cursor:
        cursor.execute("TRUNCATE reminders_message CASCADE")


def transactions() -> int:
    """Return how many transactions this database has ended since its start."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


def end(place: Place, *, wave: str) -> None:
    """Bring a wave that was claimed by hand to its end, so that nobody sends it."""
    with _unhurried() as cursor:
        cursor.execute(
            f"UPDATE reminders_message SET state = 'cancelled', reason = 'bench' WHERE {_IN_WAVE}",  # noqa: S608
            _wave(place, wave),
        )


def cancel_waiting(place: Place) -> None:
    """Take back whatever of a clinic's still waits."""
    with _unhurried() as cursor:
        cursor.execute(
            "UPDATE reminders_message SET state = 'cancelled', reason = 'bench'"
            " WHERE clinic_id = %s AND state = 'scheduled'",
            [place.clinic_id],
        )


def carrier_ids(place: Place, *, wave: str) -> list[tuple[str, str]]:
    """Return each row's public id with the carrier's id of it."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT public_id::text, carrier_sid FROM reminders_message WHERE {_IN_WAVE}",  # noqa: S608
            _wave(place, wave),
        )
        return list(cursor.fetchall())


def unread(place: Place) -> int:
    """Return how many of a clinic's inbound texts nobody has read yet."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT COUNT(*) FROM reminders_inboundmessage WHERE clinic_id = %s AND handled_at IS NULL",
            [place.clinic_id],
        )
        return int(cursor.fetchone()[0])


def give_texts(place: Place) -> None:
    """Give a clinic the starter texts and protocols, where it does not have them yet."""
    from reminders import clock
    from reminders.clinic.models import Clinic
    from reminders.content.services import load_starters

    load_starters(clinic=Clinic.objects.get(pk=place.clinic_id), now=clock.now())


def seed_sessions(place: Place, *, ended_at: datetime) -> list[int]:
    """Write a finished session for each patient of a clinic, with answers to its screening; return their ids."""
    facts = (
        "bleeding_disorder", "anticoagulant", "nsaid_allergy", "ulcer", "kidney_disease", "liver_disease", "pregnancy",
        "metal_allergy", "reduced_sensation", "pacemaker",
    )  # fmt: skip
    everyone: dict[str, int | datetime] = {
        "clinic": place.clinic_id, "patient": place.first_patient_id, "count": place.patients, "at": ended_at,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO reminders_screeningrecord (clinic_id, patient_id, recorded_at, {', '.join(facts)})"  # noqa: S608
            f" SELECT %(clinic)s, %(patient)s + n - 1, %(at)s, {', '.join(['false'] * len(facts))}"
            " FROM generate_series(1, %(count)s) n",
            everyone,
        )
        cursor.execute(
            "INSERT INTO reminders_treatmentsession (clinic_id, patient_id, external_id, technique, regions, ended_at,"
            " status, revision, planned_revision, created_at, updated_at) SELECT %(clinic)s, %(patient)s + n - 1,"
            " 'bench-' || n, 'deep', ARRAY['shoulder'], %(at)s, 'completed', 1, 0, %(at)s, %(at)s"
            " FROM generate_series(1, %(count)s) n RETURNING id",
            everyone,
        )
        ids = [int(row[0]) for row in cursor.fetchall()]
        cursor.execute("ANALYZE")
    return ids


def server_process() -> int:
    """Return the number of the database's process that serves this connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])
