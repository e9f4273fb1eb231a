"""What the state machine plays on: two clinics, three phones, and the tables as they stand."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db import connection

from reminders.clinic.models import Clinic, Clinician, Patient, TreatmentSession
from reminders.core.quiet_hours import QuietWindow
from reminders.messaging.claimed import Claimed, Held
from reminders.messaging.models import Sender
from tests.factories import make_clinic, make_clinician, make_patient, make_treatment_session, phone_of
from tests.messaging.conftest import NOON
from tests.messaging.model import Line, Phone, Text

FAST, SLOW = 1_000_000.0, 0.001
"""Parts a second: one whose pace nobody notices, and one that lets a single text go in a quarter of an hour."""

ZONE: Final = ZoneInfo("America/Chicago")
QUIET: Final = QuietWindow(time(20), time(9))

KINDS: Final[Mapping[str, Mapping[str, Any]]] = {
    "advice": {"priority": 3, "consent_rule": "granted"},
    "check_in": {"priority": 2, "consent_rule": "granted"},
    "reply": {"priority": 1, "consent_rule": "not_revoked", "quiet_exempt": True},
    "confirmation": {"priority": 1, "consent_rule": "none", "quiet_exempt": True},
    "emergency": {"priority": 0, "consent_rule": "not_revoked", "quiet_exempt": True, "unknown_policy": "resend"},
}
OF_A_SESSION: Final = ("advice", "check_in")


@dataclass(frozen=True)
class Person:
    """A patient with a phone, a session, and who texts them."""

    clinic: Clinic
    patient: Patient
    number: str
    session: TreatmentSession
    sender_id: int


@dataclass(frozen=True)
class World:
    """The rows that are there before a story begins."""

    people: tuple[Person, ...]
    staff: Mapping[int, Clinician]
    speed: Mapping[int, float]

    def lines(self) -> dict[int, Line]:
        """The senders, by id, for a model."""
        return {pk: Line(pk=pk, is_slow=speed == SLOW) for pk, speed in self.speed.items()}

    def phones(self) -> list[Phone]:
        """The phones, in the order of the people, for a model."""
        return [Phone(number=person.number) for person in self.people]


def make_world() -> World:
    """Two patients of a clinic whose sender is fast, one of a clinic whose sender is slow."""
    clinics = [make_clinic(), make_clinic()]
    speed = {}
    for clinic, parts_per_second in zip(clinics, (FAST, SLOW), strict=True):
        clinic.senders.update(parts_per_second=parts_per_second)
        speed[clinic.senders.get().pk] = parts_per_second
    people = [_make_person(clinic) for clinic in (clinics[0], clinics[0], clinics[1])]
    return World(tuple(people), {clinic.pk: make_clinician(clinic=clinic) for clinic in clinics}, speed)


def _make_person(clinic: Clinic) -> Person:
    patient = make_patient(clinic=clinic, now=NOON)
    session = make_treatment_session(patient=patient, now=NOON)
    return Person(clinic, patient, phone_of(patient), session, clinic.senders.get().pk)


EVERYTHING = """
SELECT COALESCE(m.id, o.message_id), m.state, o.state, o.fence, m.due_at, o.due_at, m.attempts, o.attempts,
       o.unknown_tries, m.withdrawn, m.carrier_sid, m.carrier_rank, m.error_code,
       (o.lease_until IS NOT NULL) = (o.state IN ('claimed', 'sending')),
       ARRAY(SELECT a.number || ' ' || a.outcome FROM reminders_deliveryattempt a WHERE a.message_id = m.id)
FROM reminders_message m FULL JOIN reminders_outbox o ON o.message_id = m.id
"""


def differences(texts: Mapping[int, Text]) -> list[str]:
    """Hold all rows against the model; return a line for each that is not as it should be."""
    with connection.cursor() as cursor:
        cursor.execute(EVERYTHING)
        found = {row[0]: row[1:] for row in cursor.fetchall()}
    lines = [f"{pk}: a row that no model knows: {found[pk]}" for pk in found.keys() - texts.keys()]
    for pk, text in texts.items():
        is_, should = _as_words(found.get(pk)), _expected(text)
        wrong = [f"{name} is {is_.get(name)}, not {value}" for name, value in should.items() if is_.get(name) != value]
        lines += [f"{pk} ({text.body}): " + "; ".join(wrong)] if wrong else []
    return lines


_NAMES: Final = (
    *("seen", "in the outbox", "fence", "due", "due in the outbox", "tries", "tries in the outbox", "unknown tries"),
    *("withdrawn", "carrier id", "rank", "error code", "a lease exactly while it is held", "log"),
)


def _as_words(row: tuple[Any, ...] | None) -> dict[str, Any]:
    if row is None:
        return {}
    return {**dict(zip(_NAMES, row, strict=True)), "log": Counter(row[-1])}


def _expected(text: Text) -> dict[str, Any]:
    should: dict[str, Any] = {
        "seen": text.seen,
        "in the outbox": text.state if text.is_open else None,
        "tries": text.attempts,
        "withdrawn": text.withdrawn,
        "carrier id": text.sid,
        "rank": text.rank,
        "error code": text.error_code,
        "log": Counter({f"{number} {outcome}": times for (number, outcome), times in text.log.items()}),
    }
    if text.is_open:
        should |= {
            "fence": text.fence,
            "tries in the outbox": text.attempts,
            "unknown tries": text.unknown_tries,
            "a lease exactly while it is held": True,
        }
    if text.seen == "scheduled":
        should |= {"due": text.due_at, "due in the outbox": text.due_at}
    return should


def due_of(pk: int) -> tuple[str, datetime]:
    """The state and the due time of one message, as people see them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT state, due_at FROM reminders_message WHERE id = %s", [pk])
        state, due_at = cursor.fetchone()
    return state, due_at


def lasting_leases(pks: Iterable[int]) -> None:
    """Let the leases of these rows last a day: they end when the story says so, not when a machine is slow."""
    _set(
        "UPDATE reminders_outbox SET lease_until = clock_timestamp() + interval '1 day' WHERE message_id = ANY (%s)",
        pks,
    )


def end_leases_of(pks: Iterable[int]) -> None:
    """Let the leases of these rows end, as time would."""
    _set(
        "UPDATE reminders_outbox SET lease_until = clock_timestamp() - interval '1 second' "
        "WHERE message_id = ANY (%s) AND lease_until IS NOT NULL",
        pks,
    )


def rest(sender_id: int) -> None:
    """Let a sender's next turn come."""
    _set(
        "UPDATE reminders_sender SET claimed_until = clock_timestamp() - interval '1 second', "
        "turns_until = clock_timestamp() - interval '1 second' WHERE id = ANY (%s)",
        [sender_id],
    )


def pause(senders: Iterable[int]) -> None:
    """Hold these senders for a day."""
    _set("UPDATE reminders_sender SET paused_until = clock_timestamp() + interval '1 day' WHERE id = ANY (%s)", senders)


def lasting_pauses() -> None:
    """Let the pauses that refusals made last a day."""
    pause(Sender.objects.filter(paused_until__isnull=False).values_list("pk", flat=True))


def _set(statement: str, pks: Iterable[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, [list(pks)])


def ids(held: Iterable[Held | Claimed]) -> list[int]:
    """The messages that are held."""
    return [one.id for one in held]
