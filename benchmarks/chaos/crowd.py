"""The texts that become due while something is broken: one wave of rows per fault, each to a phone of its own."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from itertools import count
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
# Together they cover the globe, so that it is late morning somewhere at any time.
ZONES = (
    "America/Chicago", "America/Los_Angeles", "Pacific/Honolulu", "Pacific/Auckland", "Australia/Brisbane",
    "Asia/Tokyo", "Asia/Bangkok", "Asia/Karachi", "Asia/Dubai", "Europe/Berlin", "America/Sao_Paulo",
)  # fmt: skip
_AREAS = (312, 773, 630, 847, 708)


@dataclass(slots=True)
class Wave:
    """The rows that became due during one fault."""

    name: str
    texts: list[Message] = field(default_factory=list)
    ended_at: float = 0.0
    """Steady seconds at which the fault was over."""


class Crowd:
    """Makes patients and their texts. Rows are written as one transaction per wave."""

    def __init__(self, *, clinic: Clinic, rng: random.Random, now: datetime) -> None:
        self._rng = rng
        self._numbers = count()
        clinic.timezone = min(ZONES, key=lambda name: abs(_local_hour(now, name) - MIDDAY_HOUR))
        clinic.quiet_start, clinic.quiet_end = time(20), time(9)
        clinic.save(update_fields=["timezone", "quiet_start", "quiet_end"])
        self.clinic = clinic
        self._sender = default_sender(clinic=clinic)

    @transaction.atomic
    def write(self, *, wave: str, texts: int, seconds: float, now: datetime) -> list[Message]:
        """Write `texts` rows that become due over the next `seconds`; return them in the order of their due times."""
        numbers = [next(self._numbers) for _ in range(texts)]
        patients = Patient.objects.bulk_create([self._patient(number, now) for number in numbers])
        phones = [_phone(number) for number in numbers]
        pairs = list(zip(patients, phones, strict=True))
        clinic = self.clinic
        PatientPhone.objects.bulk_create(
            [PatientPhone(clinic=clinic, patient=patient, number=phone) for patient, phone in pairs]
        )
        ConsentRecord.objects.bulk_create([_consent(clinic, patient, phone, now) for patient, phone in pairs])
        sessions = TreatmentSession.objects.bulk_create([_session(patient, now) for patient in patients])
        moments = sorted(now + LEAD + timedelta(seconds=self._rng.uniform(0, seconds)) for _ in numbers)
        rows = [
            self._message(wave=wave, number=number, phone=phone, visit=visit, due_at=due_at, now=now)
            for number, phone, visit, due_at in zip(numbers, phones, sessions, moments, strict=True)
        ]
        written = Message.objects.bulk_create(rows)
        announce()
        return written

    def _patient(self, number: int, now: datetime) -> Patient:
        return Patient(
            clinic=self.clinic, given_name="Pat", external_id=f"chaos-{number}", timezone=self.clinic.timezone,
            created_at=now,
        )  # fmt: skip

    def _message(
        self, *, wave: str, number: int, phone: str, visit: TreatmentSession, due_at: datetime, now: datetime
    ) -> Message:
        kind = Kind.EMERGENCY if self._rng.random() < SHARE_URGENT else Kind.ADVICE
        useful_for = SOON_STALE if self._rng.random() < SHARE_SOON_STALE else USEFUL_FOR
        return new_message(
            clinic=self.clinic, kind=kind, sender=self._sender, to_number=phone, due_at=due_at, now=now,
            words=Words(body=f"A text of no matter, number {number}.", version=None, language="en"),
            link=Link(patient=visit.patient, treatment_session=visit), expires_at=due_at + useful_for,
            dedupe_key=f"chaos:{wave}:{number}",
        )  # fmt: skip


def wave_of(message: Message, waves: Sequence[Wave]) -> str:
    """Return the name of the wave a row belongs to; what the product wrote by itself is in the wave that made it."""
    parts = message.dedupe_key.split(":")
    return parts[1] if parts[0] == "chaos" else next((wave.name for wave in waves if wave.name == "stop-races"), "")


def _local_hour(now: datetime, zone: str) -> float:
    local = now.astimezone(ZoneInfo(zone))
    return local.hour + local.minute / 60


def _phone(number: int) -> str:
    """Return a number that belongs to nobody (555-01xx or its neighbours), another one for each of 25,000."""
    return f"+1{_AREAS[number % 5]}5{50 + number // 500 % 50:02d}01{number // 5 % 100:02d}"


def _consent(clinic: Clinic, patient: Patient, phone: str, now: datetime) -> ConsentRecord:
    return ConsentRecord(
        clinic=clinic, patient=patient, number=phone, decision="granted", method="paper_form",
        disclosure="The clinic may text me.", recorded_at=now - timedelta(days=1),
    )  # fmt: skip


def _session(patient: Patient, now: datetime) -> TreatmentSession:
    # Planned already: its one text is written by hand.
    return TreatmentSession(
        clinic=patient.clinic, patient=patient, external_id=f"visit-{patient.external_id}", technique="deep",
        regions=["shoulder"], ended_at=now - timedelta(hours=1), revision=1, planned_revision=1,
        created_at=now, updated_at=now,
    )  # fmt: skip
