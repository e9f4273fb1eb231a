"""A clinic as it is after years: every patient and every text in one place, which is the hardest case for its pages."""

import random
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import islice
from typing import Any, Final, TypeVar

from django.db import connection, models

from reminders.clinic.models import (
    AuditEvent,
    Clinic,
    Clinician,
    ConsentRecord,
    Patient,
    PatientPhone,
    ScreeningRecord,
    TreatmentSession,
)
from reminders.content.models import ProtocolVersion
from reminders.conversations.models import CheckIn, InboundMessage, Understanding
from reminders.core.advice import SCREENING_FACTS
from reminders.escalations.models import Escalation
from reminders.management.new_clinic import make_clinic
from reminders.messaging.models import AftercarePlan, ConsentRule, Message, Sender

Row = TypeVar("Row", bound=models.Model)

BATCH = 5_000
GIVEN = ("Dana", "Luis", "Ana", "Priya", "Tom", "Mei", "Omar", "Ruth", "Ivan", "Zoe")
FAMILY = ("Reyes", "Holt", "Okafor", "Lindqvist", "Moreno", "Haddad", "Novak", "Quinn", "Sato", "Weber")
REGIONS = ("shoulder", "neck", "calf", "lower_back", "forearm")
TECHNIQUES = ("deep", "deep", "superficial", "electro")
STEPS = ("heat", "move", "medicine", "check_in")
QUIET_HOURS: Final = {"quiet_start": time(20), "quiet_end": time(9)}


@dataclass(frozen=True, slots=True)
class Crowd:
    """What was stored."""

    clinic: Clinic
    owner: Clinician
    patients: int
    messages: int


def fill(*, patients: int, messages: int, now: datetime, days: int = 365) -> Crowd:
    """Store a clinic of so many patients and at least so many texts of the last `days`, and ANALYZE the tables.

    Each session has a plan of four texts and an answer nine times in ten; every twentieth answer persists. The last
    hours hold open questions, cases, inbox texts and trouble, as many as a busy day brings. Same numbers, same rows.
    """
    made = make_clinic(
        name="Northside Physio", slug="northside", phone="+13125550142", senders=["+13125550100"],
        parts_per_second=10, timezone="America/Chicago", owner="owner", owner_phone="+13125550101",
        owner_password=secrets.token_urlsafe(16), **QUIET_HOURS,
    )  # fmt: skip
    clinic = Clinic.objects.get(slug=made["clinic"])
    story = _Story(clinic, random.Random(1), now, days)
    people = story.people(patients)
    sessions = story.visits(people, -(-messages // len(STEPS)))
    texts = story.texts(sessions)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return Crowd(clinic, Clinician.objects.get(username="owner"), len(people), texts)


@dataclass(slots=True)
class _Story:
    clinic: Clinic
    rng: random.Random
    now: datetime
    days: int

    def people(self, number: int) -> list[Patient]:
        """Store patients with a phone, a consent and a screening each."""
        rows = [
            Patient(
                clinic=self.clinic, external_id=f"P-{n}", given_name=GIVEN[n % 10],
                family_name=f"{FAMILY[n // 10 % 10]} {n // 100}",
                language="es" if n % 5 == 0 else "en", timezone="America/Chicago",
                created_at=self.now - timedelta(days=self.days),
            )
            for n in range(number)
        ]  # fmt: skip
        people = _store(rows)
        at = self.now - timedelta(days=self.days)
        _store(PatientPhone(clinic=self.clinic, patient=who, number=_number(n)) for n, who in enumerate(people))
        _store(
            ConsentRecord(
                clinic=self.clinic, patient=who, number=_number(n), decision="granted", method="paper_form",
                disclosure="I agree to texts after a treatment.", recorded_at=at,
            )
            for n, who in enumerate(people)
        )  # fmt: skip
        facts = dict.fromkeys(SCREENING_FACTS, False)
        _store(ScreeningRecord(clinic=self.clinic, patient=who, recorded_at=at, **facts) for who in people)
        return people

    def visits(self, people: list[Patient], number: int) -> list[TreatmentSession]:
        """Store sessions, spread evenly over the days, the newest last."""
        apart = timedelta(days=self.days) / number

        def rows() -> Iterator[TreatmentSession]:
            for n in range(number):
                ended = self.now - apart * (number - n)
                yield TreatmentSession(
                    clinic=self.clinic, patient=people[n % len(people)], external_id=f"S-{n}",
                    technique=TECHNIQUES[n % 4], regions=[REGIONS[n % 5]], ended_at=ended, soreness_before=5,
                    soreness_after=3, planned_revision=1, created_at=ended, updated_at=ended,
                )  # fmt: skip

        return _store(rows())

    def texts(self, sessions: list[TreatmentSession]) -> int:
        """Store each session's plan, its texts, its check-in and the answer; return how many texts."""
        version = ProtocolVersion.objects.get(clinic=self.clinic, published_at__isnull=False)
        sender = Sender.objects.get(clinic=self.clinic)
        written = 0
        for some in _batches(sessions, BATCH // 4):
            plans = _store(
                AftercarePlan(
                    clinic=self.clinic, treatment_session=session, protocol_version=version, revision=1,
                    created_at=session.ended_at,
                )
                for session in some
            )  # fmt: skip
            texts = _store(text for plan in plans for text in self._plan_texts(plan, sender))
            written += len(texts)
            asked = [text for text in texts if text.kind == "check_in" and text.state == "delivered"]
            self._answers(asked)
        return written

    def _plan_texts(self, plan: AftercarePlan, sender: Sender) -> Iterator[Message]:
        session = plan.treatment_session
        for place, step in enumerate(STEPS):
            due = session.ended_at + timedelta(hours=(2, 6, 12, 24)[place])
            gone = due <= self.now
            state = "delivered" if gone else "scheduled"
            if gone and self.rng.random() < 0.004:
                state = "undelivered"
            yield Message(
                clinic=self.clinic, patient_id=session.patient_id, treatment_session=session, plan=plan,
                step_key=step, kind="check_in" if step == "check_in" else "advice", priority=2 + (step != "check_in"),
                sender=sender, to_number="+13125550199", body="Northside Physio: warmth on the sore spot helps.",
                consent_rule=ConsentRule.GRANTED, state=state, first_due_at=due, due_at=due,
                expires_at=due + timedelta(hours=12), created_at=session.ended_at, changed_at=due if gone else self.now,
                attempts=1 if gone else 0, seen_to=gone, accepted_at=due if gone else None,
                carrier_sid=f"SM{self.rng.getrandbits(128):032x}" if gone else "",
            )  # fmt: skip

    def _answers(self, asked: list[Message]) -> None:
        fate = [self.rng.random() for _ in asked]
        answered = [(text, lot) for text, lot in zip(asked, fate, strict=True) if lot < 0.87]
        inbound = _store(
            InboundMessage(
                clinic=self.clinic, message_sid=f"SM{self.rng.getrandbits(128):032x}", from_number="+13125550199",
                to_number="+13125550100", body="still 6 today" if lot < 0.05 else "2 all good",
                received_at=text.due_at + timedelta(minutes=20), patient_id=text.patient_id,
                handled_as="answered_check_in", handled_at=text.due_at + timedelta(minutes=20),
                inbox=self._inbox(text), inbox_reason="question" if self._inbox(text) else "",
            )
            for text, lot in answered
        )  # fmt: skip
        _store(
            Understanding(
                clinic=self.clinic, inbound=row, intent="persists" if lot < 0.05 else "resolved",
                score=6 if lot < 0.05 else 2, because=[{"rule": "score", "text": "2", "start": 0, "end": 1}],
                is_sure=True, read_at=row.received_at,
            )
            for row, (_text, lot) in zip(inbound, answered, strict=True)
        )  # fmt: skip
        words = {row.patient_id: row for row in inbound}
        check_ins = _store(self._check_in(text, lot, words) for text, lot in zip(asked, fate, strict=True))
        cases = _store(self._case(check_in) for check_in in check_ins if check_in.outcome == "persists")
        _store(
            AuditEvent(
                clinic=self.clinic, at=case.created_at, actor="system", verb="opened_case", subject="escalation",
                subject_id=case.pk, patient_id=case.patient_id,
            )
            for case in cases
        )  # fmt: skip

    def _inbox(self, text: Message) -> str:
        """A patient in fifty asked something, and what came in the last days still waits."""
        if text.patient_id is None or text.patient_id % 50:
            return ""
        return "open" if text.due_at > self.now - timedelta(days=2) else "done"

    def _check_in(self, text: Message, lot: float, words: dict[int | None, InboundMessage]) -> CheckIn:
        closes = text.due_at + timedelta(hours=20)
        state, outcome, score = "answered", "resolved", 2
        if lot < 0.05:
            outcome, score = "persists", 6
        elif lot >= 0.87:
            state, outcome = ("open", "") if closes > self.now else ("silent", "silent")
        is_answered = state == "answered"
        whose: dict[str, Any] = {
            name: getattr(text, name) for name in ("patient_id", "treatment_session_id", "plan_id")
        }
        return CheckIn(
            **whose, clinic=self.clinic, message=text, kind="check_in", state=state, outcome=outcome,
            score=score if is_answered else None,
            asked_at=text.due_at, closes_at=closes, answer=words.get(text.patient_id) if is_answered else None,
            answered_at=text.due_at + timedelta(minutes=20) if is_answered else None,
            silent_cause="delivered_but_quiet" if state == "silent" else "",
        )  # fmt: skip

    def _case(self, check_in: CheckIn) -> Escalation:
        at = check_in.answered_at or check_in.asked_at
        is_open = at > self.now - timedelta(hours=8)
        ended = {} if is_open else {
            "state": "resolved", "outcome": "advised", "resolved_at": at + timedelta(hours=1),
            "acknowledged_at": at + timedelta(minutes=9), "acknowledged_via": "web",
        }  # fmt: skip
        return Escalation(
            clinic=self.clinic, patient_id=check_in.patient_id, treatment_session_id=check_in.treatment_session_id,
            check_in=check_in, reason="persists", severity="same_day", code=f"{check_in.pk:X}"[-6:],
            created_at=at, due_at=at + timedelta(hours=4), **ended,
        )  # fmt: skip


def _number(n: int) -> str:
    return f"+1312{5_000_000 + n:07d}"


def _store(rows: Iterable[Row]) -> list[Row]:
    stored: list[Row] = []
    for some in _batches(rows, BATCH):
        manager = type(some[0])._default_manager
        stored += manager.bulk_create(some)
    return stored


def _batches(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    left = iter(rows)
    while some := list(islice(left, size)):
        yield some
