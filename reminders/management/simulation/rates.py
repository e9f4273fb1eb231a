"""What the cohort is drawn from: published rates, each with its source; where none was found, that is said."""

from dataclasses import dataclass
from typing import Final

UNSOURCED: Final = "no source found; a guess, to be replaced by a clinic's own figures"


@dataclass(frozen=True, slots=True)
class Rate:
    """One number and where it comes from."""

    value: float
    what: str
    source: str


REPLIES: Final = Rate(0.87, "of those who are asked answer", "Rennes 2019, J Med Syst 43:217, 7,246 patients")
WITHIN_HOUR: Final = Rate(0.85, "of those who answer do so within an hour", "Rennes 2019")
NO_FORMAT: Final = Rate(0.25, "never learn the format of an answer", "Penn, blood pressure by text: 38 of 155")
NEEDS_STAFF: Final = Rate(
    0.22, "of free texts are a question or chatter instead of an answer", "Lowres 2020, JMIR mHealth e19200: 22 %"
)
MAJOR: Final = Rate(0.001, "sessions have a major adverse event", "Boyce 2020, IJSPT 15(1):103: 20 in 20,464")
AGGRAVATED: Final = Rate(0.0088, "sessions aggravate the complaint", "Brady 2014, JMMT 22(3):134")
BRUISED: Final = Rate(0.0755, "sessions leave a bruise", "Brady 2014")
PEAK: Final = Rate(3.5, "soreness just after, 0 to 10", "control arm after trapezius needling: 34.8 mm of 100")
HALF_LIFE_HOURS: Final = Rate(15.0, "hours in which soreness halves", "the same arm: 34.8 mm, 48 hours later 3.8 mm")
DEEP: Final = Rate(1.2, "times the soreness after deep needling", "deep is more; the factor: " + UNSOURCED)
SUPERFICIAL: Final = Rate(0.6, "times the soreness after superficial needling", "less; the factor: " + UNSOURCED)
SPREAD: Final = Rate(0.6, "spread (log) of soreness between people", UNSOURCED)
OPTS_OUT: Final = Rate(0.004, "answers that ask for the end of the texts", UNSOURCED)
WRITES_AT_ONCE: Final = Rate(0.5, "with a major event write when it begins, the others when asked", UNSOURCED)
CALLED_WITHIN_HOUR: Final = Rate(
    0.9, "of same-day notices are taken within an hour", "COVID Watch (Penn) called within one hour; the share: a guess"
)
URGENT_BY_DAY: Final = Rate(2.0, "minutes (median) until somebody takes an urgent case by day", UNSOURCED)
URGENT_BY_NIGHT: Final = Rate(6.0, "minutes (median) until somebody takes an urgent case at night", UNSOURCED)

TABLE: Final = (
    REPLIES, WITHIN_HOUR, NO_FORMAT, NEEDS_STAFF, MAJOR, AGGRAVATED, BRUISED, PEAK, HALF_LIFE_HOURS, DEEP, SUPERFICIAL,
    SPREAD, OPTS_OUT, WRITES_AT_ONCE, CALLED_WITHIN_HOUR, URGENT_BY_DAY, URGENT_BY_NIGHT,
)  # fmt: skip
"""All of them; the documentation shows the same rows, and a test compares the two."""
