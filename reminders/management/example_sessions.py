"""Invented treatment sessions, varied like a real clinic's, with a few bad rows on purpose.

Names are made up, and numbers are +1, a real area code of the zone, 555-01xx: they belong to nobody.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from reminders.core.advice import SCREENING_FACTS

COLUMNS: Final = (
    "external_id", "technique", "regions", "ended_at", "clinician", "soreness_before", "soreness_after",
    "patient_external_id", "given_name", "family_name", "phone", "language", "timezone", "birth_date",
    "consent", "consent_method", *SCREENING_FACTS,
)  # fmt: skip

NEWEST_MINUTES: Final = 5
OLDEST_MINUTES: Final = 20 * 60
"""Sessions ended between these many minutes ago, so that every check-in (24 hours after the end) is still ahead."""

# Zone: how often, and area codes that lie in it alone.
_ZONES: Final = {
    "America/Chicago": (30, ("773", "872", "847", "612", "512", "504")),
    "America/New_York": (22, ("212", "718", "617", "404", "305")),
    "America/Denver": (10, ("303", "801", "505")),
    "America/Phoenix": (8, ("602", "480", "520")),
    "America/Los_Angeles": (16, ("213", "415", "206", "503")),
    "America/Anchorage": (4, ("907",)),
    "Pacific/Honolulu": (4, ("808",)),
    "America/Puerto_Rico": (6, ("787", "939")),
}
_TECHNIQUES: Final = {"deep": 55, "superficial": 28, "electro": 17}
_REGIONS: Final = {
    "neck": 14, "shoulder": 16, "upper_back": 10, "thorax": 4, "lower_back": 16, "hip": 6, "glute": 8, "thigh": 6,
    "hamstring": 5, "knee": 4, "calf": 8, "shin": 2, "foot": 3, "ankle": 2, "elbow": 3, "forearm": 4, "wrist": 2,
    "hand": 1, "jaw": 2,
}  # fmt: skip
_GIVEN: Final = {
    "en": (
        "Ada", "Blake", "Casey", "Dana", "Elliot", "Frankie", "Gwen", "Harper", "Iris", "Jordan", "Kai", "Logan",
        "Maya", "Noel", "Opal", "Parker", "Quinn", "Riley", "Sage", "Taylor", "Uma", "Vera", "Wren", "Yara", "Zane",
        "Amari", "Beck", "Corin", "Devi", "Emre",
    ),
    "es": (
        "Adriana", "Beatriz", "Camila", "Diego", "Elena", "Félix", "Gabriela", "Hugo", "Inés", "Joaquín", "Karina",
        "Lucía", "Mateo", "Noemí", "Óscar", "Paloma", "Ramón", "Sofía", "Tomás", "Ximena",
    ),
}  # fmt: skip
_FAMILY: Final = {
    "en": (
        "Abbott", "Birch", "Calder", "Dunmore", "Ellery", "Fairchild", "Garner", "Hollis", "Ingram", "Jessop", "Kimura",
        "Larkin", "Mercer", "Nakata", "O'Dell", "Pruitt", "Quill", "Rowan", "Sadler", "Thorne", "Underhill", "Vance",
        "Whitlock", "Yardley", "Zeller", "Okonjo", "Patel-Reed", "Tran",
    ),
    "es": (
        "Aguilar", "Benítez", "Cordero", "Durán", "Escobar", "Fuentes", "Galindo", "Herrera", "Ibáñez", "Juárez",
        "Lozano", "Medina", "Núñez", "Ochoa", "Paredes", "Quintero", "Rosales", "Salinas", "Trujillo", "Vega Ruiz",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Fault:
    """What is wrong with a bad row: other cells, or another age in minutes."""

    changes: dict[str, str] = field(default_factory=dict)
    minutes: int | None = None


_FAULTS: Final = (
    _Fault({"technique": "cupping"}),
    _Fault({"phone": "+1 555 0101"}),
    _Fault(minutes=-45),
    _Fault({"consent": "", "consent_method": ""}),
    _Fault({"timezone": "EST"}),
    _Fault(minutes=50 * 60),
    # The id of the first patient, with somebody else's name and phone.
    _Fault({"patient_external_id": "P-0001"}),
    _Fault({"soreness_after": "12"}),
    _Fault({"given_name": ""}),
)
"""One bad row each. All of them are about patients of their own, so that none spoils a good row."""


def example_rows(*, rows: int, seed: int, now: datetime | None, clinician: str = "") -> Iterator[dict[str, str]]:
    """Yield `rows` (at least 50) sessions by column, nine of them bad on purpose; the same ones for the same arguments.

    With `now` they have dated ends and ids of their own, so that tomorrow's file brings new sessions; without it they
    carry `ended_minutes_ago` and fit any day. `clinician` is put into most of them.
    """
    chance = random.Random(seed)  # noqa: S311 variety, not secrecy
    stamp = f"EX{now:%m%d%H%M}-" if now else "EX-"
    faults = {round((index + 0.5) * rows / len(_FAULTS)): fault for index, fault in enumerate(_FAULTS)}
    patients = Patients(chance)
    for number in range(1, rows + 1):
        fault = faults.get(number)
        person = patients.new() if fault else patients.any()
        minutes = round(NEWEST_MINUTES + (OLDEST_MINUTES - NEWEST_MINUTES) * chance.random() ** 1.8)
        row = {
            "external_id": f"{stamp}{number:04d}",
            **treatment_of(chance, person),
            **person,
            "clinician": clinician if chance.random() < 0.9 else "",
            "consent": "yes",
            "consent_method": chance.choice(("intake_form", "intake_form", "paper_form", "verbal")),
        }
        if fault:
            row.update(fault.changes)
            minutes = minutes if fault.minutes is None else fault.minutes
        yield _dated(row, minutes, now=now, zone=person["timezone"])


def _dated(row: dict[str, str], minutes: int, *, now: datetime | None, zone: str) -> dict[str, str]:
    if now is None:
        return {**row, "ended_minutes_ago": str(minutes)}
    ended_at = (now - timedelta(minutes=minutes)).astimezone(ZoneInfo(zone))
    return {**row, "ended_at": ended_at.isoformat(timespec="minutes")}


class Patients:
    """Invented people, made up as they are needed; now and then one comes back, or shares a phone with a relative."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._known: list[dict[str, str]] = []
        self._made = 0
        self._numbers: dict[str, list[str]] = {}
        for zone, (_weight, areas) in _ZONES.items():
            numbers = [f"+1 {area} 555 01{last:02d}" for area in areas for last in range(100)]
            chance.shuffle(numbers)
            self._numbers[zone] = numbers

    def any(self) -> dict[str, str]:
        """Return somebody for a good row: mostly a new face."""
        if self._known and self._chance.random() < 0.07:
            return self._chance.choice(self._known)
        relative = self._chance.choice(self._known) if self._known and self._chance.random() < 0.02 else None
        person = self.new()
        if relative and relative["given_name"] != person["given_name"]:
            person |= {name: relative[name] for name in ("family_name", "phone", "timezone")}
        self._known.append(person)
        return person

    def new(self) -> dict[str, str]:
        """Return somebody nobody has seen, who is in no later row."""
        chance = self._chance
        self._made += 1
        zones = [zone for zone, numbers in self._numbers.items() if numbers]
        zone = chance.choices(zones, [_ZONES[zone][0] for zone in zones])[0]
        language = "es" if chance.random() < (0.85 if zone == "America/Puerto_Rico" else 0.16) else "en"
        born = date(1940, 1, 1) + timedelta(days=chance.randrange(68 * 365))
        return {
            "patient_external_id": f"P-{self._made:04d}",
            "given_name": chance.choice(_GIVEN[language]),
            "family_name": chance.choice(_FAMILY[language]),
            "phone": self._numbers[zone].pop(),
            "language": language,
            "timezone": zone,
            "birth_date": born.isoformat() if chance.random() < 0.95 else "",
            **_screening(chance, born),
        }


def _screening(chance: random.Random, born: date) -> dict[str, str]:
    """Return a screening: mostly complete, with a yes here and there; some patients were never asked."""
    if chance.random() < 0.08:
        return dict.fromkeys(SCREENING_FACTS, "")
    answers = {fact: chance.choices(("no", "yes", "unknown", ""), (90, 4, 4, 2))[0] for fact in SCREENING_FACTS}
    if not 1975 <= born.year <= 2005:
        answers["pregnancy"] = "no"
    return answers


def treatment_of(chance: random.Random, person: Mapping[str, str]) -> dict[str, str]:
    """Return a technique, regions and soreness before and after, by column; nothing that this person may not have."""
    technique = chance.choices(list(_TECHNIQUES), list(_TECHNIQUES.values()))[0]
    if person["pacemaker"] == "yes" and technique == "electro":
        technique = "superficial"  # no clinic would run a current past a pacemaker
    regions = chance.choices(list(_REGIONS), list(_REGIONS.values()), k=chance.choice((1, 1, 1, 2, 2, 3)))
    before = chance.choice((2, 3, 4, 4, 5, 5, 6, 6, 7, 8))
    after = max(0, min(10, before + chance.choice((-3, -2, -2, -1, 0, 0, 1, 2))))
    return {
        "technique": technique,
        "regions": ";".join(dict.fromkeys(regions)),
        "soreness_before": str(before) if chance.random() < 0.95 else "",
        "soreness_after": str(after) if chance.random() < 0.9 else "",
    }
