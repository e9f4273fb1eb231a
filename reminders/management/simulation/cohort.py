"""Who is treated, when, and how sore it leaves them: drawn from the published rates, the same for the same seed."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from reminders.management.example_sessions import Patients, treatment_of
from reminders.management.simulation import rates

COURSE_DAYS: Final = 2
"""After its last session a cohort is followed for so long: check-in, nudge, silence and re-check."""
CLINICIANS: Final = ("theo", "olivia")
VISITS: Final = {1: 15, 2: 25, 3: 30, 4: 20, 5: 10}
"""How many sessions a patient comes for, by weight; nobody's source. The end of the cohort cuts courses short."""
FEWEST_DAYS_BETWEEN, MOST_DAYS_BETWEEN = 3, 8
SATURDAY, SUNDAY = 5, 6
FIRST_END_MINUTE, LAST_END_MINUTE, LAST_ON_SATURDAY = 8 * 60 + 30, 17 * 60 + 55, 12 * 60 + 55
TECHNIQUE_FACTOR: Final = {"deep": rates.DEEP.value, "superficial": rates.SUPERFICIAL.value, "electro": 1.0}
AGGRAVATED_PEAK, AGGRAVATED_FACTOR = 6.0, 5.0
# From 30 minutes to 2 days after the session, as the case reports of pneumothorax and nerve injury have it.
ONSET_HOURS: Final = (0.5, 2.0, 4.0, 5.0, 12.0, 24.0, 36.0)
MOST_SORE: Final = 10


@dataclass(frozen=True, slots=True)
class Patient:
    """One invented person: the columns of an intake, and how they write."""

    number: int
    columns: Mapping[str, str]
    keeps_to_format: bool

    @property
    def phone(self) -> str:
        """The number in E.164."""
        return self.columns["phone"].replace(" ", "")

    @property
    def language(self) -> str:
        """`en` or `es`."""
        return self.columns["language"]

    @property
    def zone(self) -> ZoneInfo:
        """Where they live."""
        return ZoneInfo(self.columns["timezone"])


@dataclass(frozen=True, slots=True)
class Visit:
    """One treatment session and what the body makes of it."""

    id: str
    patient: Patient
    ended_at: datetime
    treatment: Mapping[str, str]
    peak: float
    half_life_hours: float
    is_aggravated: bool
    has_bruise: bool
    danger_after: timedelta | None
    """When a major adverse event begins; None for nearly all."""
    writes_at_once: bool

    def soreness(self, at: datetime) -> int:
        """Return how sore they are at a moment, 0 to 10: the peak, halved in each half-life since the end."""
        hours = (at - self.ended_at) / timedelta(hours=1)
        return min(MOST_SORE, round(self.peak * float(0.5 ** (hours / self.half_life_hours))))

    def columns(self) -> dict[str, str]:
        """Return the row of this session as the clinic's own system would send it."""
        return {
            **self.patient.columns,
            **self.treatment,
            "external_id": self.id,
            "ended_at": self.ended_at.isoformat(timespec="minutes"),
            "consent": "yes",
            "consent_method": "intake_form",
        }


@dataclass(frozen=True, slots=True)
class Cohort:
    """Everybody, and every session in the order in which they end."""

    patients: Sequence[Patient]
    visits: Sequence[Visit]


def make_cohort(*, patients: int, days: int, seed: int, begins_at: datetime, major_rate: float) -> Cohort:
    """Draw a cohort. `begins_at` is the first midnight, on a Monday; sessions end within `days` less two.

    The same arguments give the same people, sessions and courses; each patient has a source of chance of their own, so
    that more patients or days leave the others as they are as far as that is possible.
    """
    people = Patients(random.Random(f"{seed}/people"))  # noqa: S311 variety, not secrecy
    everybody: list[Patient] = []
    visits: list[Visit] = []
    for number in range(1, patients + 1):
        chance = random.Random(f"{seed}/{number}")  # noqa: S311 likewise
        patient = Patient(number, people.new(), keeps_to_format=chance.random() >= rates.NO_FORMAT.value)
        everybody.append(patient)
        visits += _visits(patient, chance, begins_at=begins_at, days=days - COURSE_DAYS, major_rate=major_rate)
    visits.sort(key=lambda visit: (visit.ended_at, visit.id))
    return Cohort(everybody, visits)


def _visits(
    patient: Patient, chance: random.Random, *, begins_at: datetime, days: int, major_rate: float
) -> list[Visit]:
    # How strongly somebody reacts is their own; so the sessions of one patient resemble each other.
    reacts = chance.lognormvariate(0, rates.SPREAD.value)
    wanted = chance.choices(list(VISITS), list(VISITS.values()))[0]
    day = chance.randrange(max(1, days))
    found: list[Visit] = []
    while len(found) < wanted and day < days:
        ended_at = _end(patient, chance, begins_at + timedelta(days=day))
        found.append(_visit(patient, chance, f"{patient.number:04d}-{len(found) + 1}", ended_at, reacts, major_rate))
        day += chance.randint(FEWEST_DAYS_BETWEEN, MOST_DAYS_BETWEEN)
    return found


def _end(patient: Patient, chance: random.Random, midnight: datetime) -> datetime:
    """Return an end in the working hours of the patient's own zone; a Sunday's session is on the Saturday before."""
    if midnight.weekday() == SUNDAY:
        midnight -= timedelta(days=1)
    last = LAST_ON_SATURDAY if midnight.weekday() == SATURDAY else LAST_END_MINUTE
    wall = midnight + timedelta(minutes=chance.randrange(FIRST_END_MINUTE, last))
    return wall.replace(tzinfo=patient.zone)


def _visit(
    patient: Patient, chance: random.Random, visit_id: str, ended_at: datetime, reacts: float, major_rate: float
) -> Visit:
    treatment = treatment_of(chance, patient.columns) | {"clinician": chance.choice(CLINICIANS)}
    peak = rates.PEAK.value * reacts * TECHNIQUE_FACTOR[treatment["technique"]]
    half_life = rates.HALF_LIFE_HOURS.value * chance.lognormvariate(0, 0.35)
    aggravated = chance.random() < rates.AGGRAVATED.value
    if aggravated:
        peak, half_life = max(peak, AGGRAVATED_PEAK), half_life * AGGRAVATED_FACTOR
    danger = timedelta(hours=chance.choice(ONSET_HOURS)) if chance.random() < major_rate else None
    return Visit(
        id=f"S-{visit_id}",
        patient=patient,
        ended_at=ended_at,
        treatment=treatment,
        peak=peak,
        half_life_hours=half_life,
        is_aggravated=aggravated,
        has_bruise=chance.random() < rates.BRUISED.value,
        danger_after=danger,
        writes_at_once=chance.random() < rates.WRITES_AT_ONCE.value,
    )
