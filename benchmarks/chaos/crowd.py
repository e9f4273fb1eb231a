"""The texts that become due while something is broken: one wave of rows per fault, each to a phone of its own."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from itertools import count
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.db import transaction

from reminders.clinic.models import Clinic, ConsentRecord, Patient, PatientPhone, TreatmentSession
from reminders.messaging.compose import Link, Words, announce, default_sender, new_message
from reminders.messaging.models import Kind, Message

LEAD = timedelta(seconds=1)
USEFUL_FOR = timedelta(hours=2)
SOON_STALE = timedelta(seconds=20)
SHARE_URGENT = 0.1
SHARE_SOON_STALE = 0.05
MIDDAY_HOUR = 11
# Far beyond what the waves ask for, so that pacing is no fault among the faults.
PARTS_PER_SECOND = 200.0
QUIET_START, QUIET_END = time(20), time(9)
# Together they cover the globe, so that it is late morning somewhere at any time.
ZONES = (
    "America/Chicago", "America/Los_Angeles", "Pacific/Honolulu", "Pacific/Auckland", "Australia/Brisbane",
    "Asia/Tokyo", "Asia/Bangkok", "Asia/Karachi", "Asia/Dubai", "Europe/Berlin", "America/Sao_Paulo",
)  # fmt: skip
_AREAS = (312, 773, 630, 847, 708)
# Without 555, where the sample clinic has its own numbers.
_EXCHANGES = [exchange for exchange in range(50, 100) if exchange != 55]
_PHONES_PER_BLOCK = 100


@dataclass(slots=True)
class Wave:
    """The rows that became due during one fault."""

    name: str
    texts: list[Message] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    """What the numbers of its phones begin with; no other wave has them."""
    ended_at: float = 0.0
    """Steady seconds at which the fault was over."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One text to write. What is left empty is as usual."""

    due_at: datetime
    useful_for: timedelta = USEFUL_FOR
    kind: Kind = Kind.ADVICE
    body: str | None = None
    to_number: str = ""
    zone: str = ""


class _Block(NamedTuple):
    """A hundred phones of one wave."""

    prefix: str
    free: "count[int]"


class Crowd:
    """Makes patients and their texts. Rows are written as one transaction per wave."""

    def __init__(self, *, clinic: Clinic, rng: random.Random, now: datetime) -> None:
        self._rng = rng
        self._numbers = count()
        self._blocks = count()
        self._open_block: dict[str, _Block] = {}
        self._wave_of_patient: dict[int | None, str] = {}
        clinic.timezone = min(ZONES, key=lambda name: abs(_local_hour(now, name) - MIDDAY_HOUR))
        clinic.quiet_start, clinic.quiet_end = QUIET_START, QUIET_END
        clinic.save(update_fields=["timezone", "quiet_start", "quiet_end"])
        self.clinic = clinic
        self._sender = default_sender(clinic=clinic)
        self._sender.parts_per_second = PARTS_PER_SECOND
        self._sender.save(update_fields=["parts_per_second"])

    def spread(self, *, texts: int, seconds: float, now: datetime) -> list[Wanted]:
        """Return the usual mixture, due over the next `seconds`, in the order of their due times."""
        moments = sorted(now + LEAD + timedelta(seconds=self._rng.uniform(0, seconds)) for _ in range(texts))
        return [
            Wanted(
                due_at=due_at,
                kind=Kind.EMERGENCY if self._rng.random() < SHARE_URGENT else Kind.ADVICE,
                useful_for=SOON_STALE if self._rng.random() < SHARE_SOON_STALE else USEFUL_FOR,
            )
            for due_at in moments
        ]

    def zone_at_night(self, *, now: datetime) -> str:
        """Return the zone in which it is nearest to one in the morning."""
        return min(ZONES, key=lambda name: abs(_local_hour(now, name) - 1))

    @transaction.atomic
    def write(self, *, wave: Wave, wanted: Sequence[Wanted], now: datetime) -> list[Message]:
        """Write one row per text wanted, each for a patient of its own, add them to the wave, and return them."""
        visits = self.visits(wave=wave, patients=len(wanted), zones=[one.zone for one in wanted], now=now)
        pairs = zip(visits, wanted, strict=True)
        rows = [self._message(wave=wave, visit=visit, phone=phone, one=one, now=now) for (visit, phone), one in pairs]
        written = Message.objects.bulk_create(rows)
        wave.texts += written
        announce()
        return written

    @transaction.atomic
    def write_more(self, *, wave: Wave, like: Sequence[Message], due_at: datetime, now: datetime) -> list[Message]:
        """Write another text for each patient of `like`, all due at one later moment, and return them."""
        rows = [
            self._message(
                wave=wave, visit=one.treatment_session, phone=one.to_number, one=Wanted(due_at=due_at), now=now
            )
            for one in like
            if one.treatment_session is not None
        ]
        written = Message.objects.bulk_create(rows)
        wave.texts += written
        return written

    def visits(
        self, *, wave: Wave, patients: int, zones: Sequence[str], now: datetime,
        ended_at: datetime | None = None, planned: bool = True,
    ) -> list[tuple[TreatmentSession, str]]:  # fmt: skip
        """Write patients who agreed to texts, each with a session and a phone. `planned`: nothing is owed for it."""
        clinic = self.clinic
        numbers = [next(self._numbers) for _ in range(patients)]
        phones = [self._phone(wave) for _ in range(patients)]
        with_zones = zip(numbers, zones, strict=True)
        people = Patient.objects.bulk_create([self._patient(number, zone, now) for number, zone in with_zones])
        self._wave_of_patient |= {patient.pk: wave.name for patient in people}
        pairs = list(zip(people, phones, strict=True))
        PatientPhone.objects.bulk_create(
            [PatientPhone(clinic=clinic, patient=patient, number=phone) for patient, phone in pairs]
        )
        ConsentRecord.objects.bulk_create([_consent(clinic, patient, phone, now) for patient, phone in pairs])
        sessions = [_session(patient, now, ended_at or now - timedelta(hours=1), planned) for patient in people]
        return list(zip(TreatmentSession.objects.bulk_create(sessions), phones, strict=True))

    def wave_of(self, message: Message) -> str:
        """Return the name of the wave a row belongs to, also where the product wrote it by itself."""
        return self._wave_of_patient.get(message.patient_id, "")

    def _phone(self, wave: Wave) -> str:
        """Return a number that belongs to nobody (555-01xx or its neighbours), another one for each of 25,000."""
        block = self._open_block.get(wave.name)
        line = next(block.free) if block else _PHONES_PER_BLOCK
        if block is None or line >= _PHONES_PER_BLOCK:
            number = next(self._blocks)
            block = _Block(f"+1{_AREAS[number % 5]}5{_EXCHANGES[number // 5 % len(_EXCHANGES)]}01", count(1))
            self._open_block[wave.name] = block
            wave.prefixes.append(block.prefix)
            line = 0
        return f"{block.prefix}{line:02d}"

    def _patient(self, number: int, zone: str, now: datetime) -> Patient:
        zone = zone or self.clinic.timezone
        return Patient(
            clinic=self.clinic, given_name="Pat", external_id=f"chaos-{number}", timezone=zone, created_at=now
        )

    def _message(self, *, wave: Wave, visit: TreatmentSession, phone: str, one: Wanted, now: datetime) -> Message:
        number = next(self._numbers)
        return new_message(
            clinic=self.clinic, kind=one.kind, sender=self._sender, to_number=one.to_number or phone, due_at=one.due_at,
            words=Words(body=_words(number) if one.body is None else one.body, version=None, language="en"),
            link=Link(patient=visit.patient, treatment_session=visit), expires_at=one.due_at + one.useful_for,
            dedupe_key=f"chaos:{wave.name}:{number}", now=now,
        )  # fmt: skip


def _words(number: int) -> str:
    return f"A text of no matter, number {number}."


def _local_hour(now: datetime, zone: str) -> float:
    local = now.astimezone(ZoneInfo(zone))
    return local.hour + local.minute / 60


def _consent(clinic: Clinic, patient: Patient, phone: str, now: datetime) -> ConsentRecord:
    return ConsentRecord(
        clinic=clinic, patient=patient, number=phone, decision="granted", method="paper_form",
        disclosure="The clinic may text me.", recorded_at=now - timedelta(days=1),
    )  # fmt: skip


def _session(patient: Patient, now: datetime, ended_at: datetime, planned: bool) -> TreatmentSession:
    return TreatmentSession(
        clinic=patient.clinic, patient=patient, external_id=f"visit-{patient.external_id}", technique="superficial",
        regions=["calf"], ended_at=ended_at, revision=1, planned_revision=int(planned), created_at=now, updated_at=now,
    )  # fmt: skip
