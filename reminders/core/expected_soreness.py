"""How much soreness is expected, and for how long: the curve that an answer is held against.

Soreness after needling is present in everybody, falls steeply in the first hours, and is over within 72 hours on
average (Martin-Pintado-Zugasti 2016; Diciolla, J Clin Med 2021). No study gives a limit for one patient, so the numbers
live in the protocol, where a clinician can move them.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ExpectedSoreness:
    """From `from_hours` after the session on, a score above `at_most` is more than expected.

    Of techniques and regions one has to match; an empty part asks nothing.
    """

    from_hours: int
    at_most: int
    techniques: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()

    def holds(self, *, technique: str, regions: Collection[str], hours: float) -> bool:
        """Whether this line is about such a session, so long after it."""
        return (
            hours >= self.from_hours
            and (not self.techniques or technique in self.techniques)
            and (not self.regions or not set(self.regions).isdisjoint(regions))
        )


def is_above_expected(
    *,
    score: int,
    curve: Iterable[ExpectedSoreness],
    technique: str,
    regions: Collection[str],
    hours: float | None,
) -> bool:
    """Tell whether a score (0 to 10) is above any line of the curve; without a session (`hours` None) it never is."""
    if hours is None:
        return False
    return any(score > line.at_most for line in curve if line.holds(technique=technique, regions=regions, hours=hours))
