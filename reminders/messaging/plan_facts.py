"""What laying out a batch of sessions needs, read for all of them at once: the number of queries does not grow.

The statements are written by hand because the planner asks them for every session there is; a slow twin in the tests
says the same with one query per question.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from django.db import connection

from reminders.clinic.consent import REVOKED
from reminders.clinic.models import Clinic, TreatmentSession
from reminders.clinic.turns import plans_of, take_turns
from reminders.content.models import Step
from reminders.content.selectors import PublishedText, protocols_in_force, published_texts
from reminders.core.advice import SCREENING_FACTS, Screening
from reminders.core.schedule import StepKind
from reminders.core.states import IN_FLIGHT, UNSENT
from reminders.messaging.models import Sender

# Nudges and rechecks are laid out when what they follow has happened.
PLANNED = (StepKind.ADVICE.value, StepKind.CHECK_IN.value)

OWED = """
SELECT id, clinic_id, patient_id FROM reminders_treatmentsession
WHERE id = ANY (%s) AND planned_revision <> revision
"""

# In the order of their ids, so that no two batches wait for each other; not FOR UPDATE, which would wait for whoever
# writes a row that belongs to the session.
HOLD = """
SELECT id FROM reminders_treatmentsession WHERE id = ANY (%s) AND planned_revision <> revision
ORDER BY id FOR NO KEY UPDATE
"""

# A statement of its own after HOLD: what was committed while that waited is seen here. Of two sessions that ended at
# once the one recorded later is the newer (as in clinic.selectors.has_newer_session).
VISITS = f"""
SELECT s.id, s.clinic_id, s.patient_id, s.technique, s.regions, s.ended_at, s.status, s.revision,
       p.given_name, p.birth_date, p.language, p.timezone, phone.number, phone.state, consent.decision,
       EXISTS (
           SELECT 1 FROM reminders_treatmentsession n
           WHERE n.patient_id = s.patient_id AND n.status = 'completed' AND n.ended_at >= s.ended_at
             AND (n.ended_at > s.ended_at OR n.id > s.id)
       ),
       EXISTS (
           SELECT 1 FROM reminders_escalation e
           WHERE e.patient_id = s.patient_id AND e.reason = 'red_flag' AND e.created_at > s.ended_at
       ),
       screening.id, {", ".join(f"screening.{fact}" for fact in SCREENING_FACTS)}
FROM reminders_treatmentsession s
JOIN reminders_patient p ON p.id = s.patient_id
LEFT JOIN reminders_patientphone phone ON phone.patient_id = s.patient_id AND phone.is_primary
LEFT JOIN LATERAL (
    SELECT k.decision FROM reminders_consentrecord k
    WHERE k.clinic_id = s.clinic_id AND k.number = phone.number AND k.channel = 'sms' ORDER BY k.id DESC LIMIT 1
) consent ON true
LEFT JOIN LATERAL (
    SELECT r.* FROM reminders_screeningrecord r
    WHERE r.patient_id = s.patient_id ORDER BY r.recorded_at DESC, r.id DESC LIMIT 1
) screening ON true
WHERE s.id = ANY (%s)
ORDER BY s.id
"""  # noqa: S608  # the inserted names are the constants of the core


# All plans of these sessions, those in force among them, in the order of their ids as everybody locks them.
HOLD_PLANS = """
SELECT treatment_session_id, state FROM reminders_aftercareplan WHERE treatment_session_id = ANY (%s)
ORDER BY id FOR NO KEY UPDATE
"""

# Planned texts of these patients that have not left for certain.
UNSETTLED = f"""
SELECT m.id, m.kind, m.patient_id, m.treatment_session_id, s.ended_at
FROM reminders_message m LEFT JOIN reminders_treatmentsession s ON s.id = m.treatment_session_id
WHERE m.patient_id = ANY (%s) AND m.kind IN ('advice', 'check_in')
  AND m.state IN ({", ".join(f"'{state.value}'" for state in sorted(UNSENT | IN_FLIGHT))})
"""  # noqa: S608

DONE = "UPDATE reminders_treatmentsession SET planned_revision = revision WHERE id = ANY (%s)"


class Visit(NamedTuple):
    """One session, held, with all that decides what its texts say, where they go and whether they may."""

    id: int
    clinic_id: int
    patient_id: int
    technique: str
    regions: Collection[str]
    ended_at: datetime
    status: str
    revision: int
    given_name: str
    birth_date: date | None
    language: str
    timezone: str
    number: str | None
    phone_state: str | None
    decision: str | None
    has_newer_session: bool
    is_in_danger: bool
    screening: Screening | None

    @property
    def is_completed(self) -> bool:
        """Whether it is to have a plan at all."""
        return self.status == TreatmentSession.Status.COMPLETED

    @property
    def is_opted_out(self) -> bool:
        """Whether the newest decision about its phone is an opt-out."""
        return self.decision == REVOKED


class InForce(NamedTuple):
    """A protocol version in force, with its steps that a plan dates."""

    version_id: int
    steps: Sequence[Step]


@dataclass(frozen=True, slots=True)
class House:
    """What one clinic has in force for its plans; a sender that it lacks is None.

    `protocols` are by technique; under "" stands the one that serves all others.
    """

    clinic: Clinic
    sender_id: int | None
    protocols: Mapping[str, InForce]

    def protocol_for(self, technique: str) -> InForce | None:
        """Return what a treatment of this technique is planned by; None where the clinic has nothing for it."""
        return self.protocols.get(technique) or self.protocols.get("")


def hold_owed(treatment_session_ids: Collection[int]) -> list[Visit]:
    """Hold those of the sessions that owe a plan until the transaction ends, and return them in the order of ids.

    Two sessions of one patient are laid out one after the other, so that the newer one meets the older's advice: the
    patients' turns come first, then the sessions.
    """
    owed = _fetch(OWED, treatment_session_ids)
    if not owed:
        return []
    take_turns(turns=[(clinic_id, plans_of(patient_id)) for _, clinic_id, patient_id in owed])
    held = [pk for (pk,) in _fetch(HOLD, [pk for pk, _, _ in owed])]
    return [_visit(row) for row in _fetch(VISITS, held)]


def read_visits(treatment_session_ids: Collection[int]) -> list[Visit]:
    """Return these sessions as planning would see them now, without holding them."""
    return [_visit(row) for row in _fetch(VISITS, treatment_session_ids)]


def houses_of(clinic_ids: Collection[int]) -> dict[int, House]:
    """Return what each of these clinics has in force."""
    senders = dict(
        Sender.objects.filter(clinic__in=clinic_ids)
        .order_by("clinic", "id")
        .distinct("clinic")
        .values_list("clinic_id", "id")
    )
    versions = protocols_in_force(clinic_ids=clinic_ids)
    steps: dict[int, list[Step]] = {version: [] for used in versions.values() for version in used.values()}
    for step in Step.objects.filter(protocol_version__in=steps, kind__in=PLANNED).order_by("position"):
        steps[step.protocol_version_id].append(step)
    return {
        pk: House(
            clinic,
            senders.get(pk),
            {technique: InForce(version, steps[version]) for technique, version in versions.get(pk, {}).items()},
        )
        for pk, clinic in Clinic.objects.in_bulk(clinic_ids).items()
    }


def texts_of(houses: Iterable[House]) -> dict[tuple[int, str, str], PublishedText]:
    """Return the words in force for all steps of these clinics, by clinic, key and language."""
    known = list(houses)
    return published_texts(
        clinic_ids=[house.clinic.pk for house in known],
        keys={step.template_key for house in known for used in house.protocols.values() for step in used.steps},
    )


def hold_plans(treatment_session_ids: Collection[int]) -> list[tuple[int, str]]:
    """Hold all plans of these sessions; return the session and the state of each."""
    return _fetch(HOLD_PLANS, treatment_session_ids)


def unsettled_texts(patient_ids: Collection[int]) -> list[tuple[int, str, int, int | None, datetime | None]]:
    """Return planned texts of these patients that have not left for certain: id, kind, patient, session, its end."""
    return _fetch(UNSETTLED, patient_ids)


def nothing_owed(treatment_session_ids: Collection[int]) -> None:
    """Store that these sessions, which the caller holds, owe no plan for their present revision any more."""
    with connection.cursor() as cursor:
        cursor.execute(DONE, [list(treatment_session_ids)])


def _visit(row: Sequence[Any]) -> Visit:
    screening = None if row[17] is None else Screening(*row[18:])
    return Visit._make((*row[:17], screening))


def _fetch(statement: str, ids: Collection[int]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, [list(ids)])
        rows: list[Any] = cursor.fetchall()
        return rows
