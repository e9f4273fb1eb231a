"""Who plays: six patients in five zones, invented, with numbers that belong to nobody (555-01xx)."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

CLINIC_ZONE = ZoneInfo("America/Chicago")
CLINIC_NUMBER = "+13125550100"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a phone. `colour` is how the terminal tells them apart."""

    name: str
    phone: str
    zone: ZoneInfo
    colour: str

    @property
    def first_name(self) -> str:
        """What the story calls them."""
        return self.name.split()[0]

    def local(self, moment: datetime) -> datetime:
        """Return a moment on this person's own clock."""
        return moment.astimezone(self.zone)


@dataclass(frozen=True, slots=True)
class Visit:
    """What was done, as the clinic's own system sends it: everything but the person and the end."""

    external_id: str
    technique: str
    regions: tuple[str, ...]
    clinician: str
    ended_before: timedelta
    """How long before the story begins the session ended."""
    language: str = "en"
    soreness: tuple[int, int] = (5, 4)


@dataclass(frozen=True, slots=True)
class Cast:
    """Everybody the story is about."""

    patients: tuple[Person, ...]
    staff: dict[str, Person] = field(default_factory=dict)

    def by_phone(self, number: str) -> Person | None:
        """Return whose phone this is, or None for everybody else's."""
        return next((one for one in [*self.patients, *self.staff.values()] if one.phone == number), None)


DANA = Person("Dana Reyes", "+13125550171", ZoneInfo("America/Chicago"), "magenta")
SAM = Person("Sam Osei", "+13035550172", ZoneInfo("America/Denver"), "green")
LEE = Person("Lee Novak", "+12125550173", ZoneInfo("America/New_York"), "red")
RAVI = Person("Ravi Menon", "+12135550174", ZoneInfo("America/Los_Angeles"), "yellow")
NINA = Person("Nina Holt", "+16025550175", ZoneInfo("America/Phoenix"), "blue")
LUCIA = Person("Lucía Ortega", "+17875550176", ZoneInfo("America/Puerto_Rico"), "cyan")
PATIENTS = (DANA, SAM, LEE, RAVI, NINA, LUCIA)

# The staff of the sample clinic, `seed_sample`.
OLIVIA = Person("Olivia Okafor", "+13125550111", CLINIC_ZONE, "bright_magenta")
THEO = Person("Theo Tran", "+13125550112", CLINIC_ZONE, "bright_red")

CAST = Cast(PATIENTS, {"olivia": OLIVIA, "theo": THEO})
