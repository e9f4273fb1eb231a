"""What is measured on the labelled replies, and the goals it is held against."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.reading.cases import Case
from reminders.core.intervals import wilson
from reminders.core.understanding import Flag, Intent, Reading

_GRAVE = frozenset({Intent.RED_FLAG, Intent.PERSISTS})


@dataclass(frozen=True, slots=True)
class Read:
    """A case beside how it was read."""

    case: Case
    reading: Reading


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    hits: int
    of: int

    @property
    def value(self) -> float:
        """The share; 1 of none is whole, because nothing was missed."""
        return self.hits / self.of if self.of else 1.0

    def interval(self) -> tuple[float, float]:
        """Return the 95 % interval after Wilson (J Am Stat Assoc 1927;22:209-212)."""
        return wilson(hits=self.hits, of=self.of)


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure: what it is called, how it is counted, and the least or the most it may be on the locked part."""

    name: str
    count: Callable[[Sequence[Read]], Share]
    least: float | None = None
    most: float | None = None

    def is_met(self, share: Share) -> bool:
        """Tell whether the goal is reached; nothing to count reaches it."""
        if not share.of:
            return True
        return (self.least is None or share.value >= self.least) and (self.most is None or share.value <= self.most)


def _recall(intent: Intent) -> Callable[[Sequence[Read]], Share]:
    def count(reads: Sequence[Read]) -> Share:
        of = [one for one in reads if one.case.intent is intent]
        return Share(sum(one.reading.intent is intent for one in of), len(of))

    return count


def _precision(intent: Intent) -> Callable[[Sequence[Read]], Share]:
    def count(reads: Sequence[Read]) -> Share:
        of = [one for one in reads if one.reading.intent is intent]
        return Share(sum(one.case.intent is intent for one in of), len(of))

    return count


def _false_alarms(reads: Sequence[Read]) -> Share:
    harmless = [one for one in reads if one.case.intent is not Intent.RED_FLAG]
    return Share(sum(one.reading.intent is Intent.RED_FLAG for one in harmless), len(harmless))


def _waved_through(reads: Sequence[Read]) -> Share:
    grave = [one for one in reads if one.case.intent in _GRAVE]
    return Share(sum(one.reading.intent is Intent.RESOLVED for one in grave), len(grave))


def _scores(reads: Sequence[Read]) -> Share:
    return Share(sum(one.reading.score == one.case.score for one in reads), len(reads))


def _intents(reads: Sequence[Read]) -> Share:
    return Share(sum(one.reading.intent is one.case.intent for one in reads), len(reads))


def _flags_exact(reads: Sequence[Read]) -> Share:
    found = [one for one in reads if one.case.intent is one.reading.intent is Intent.RED_FLAG]
    return Share(sum(one.reading.flags == one.case.flags for one in found), len(found))


def flag_recall(flag: Flag, reads: Sequence[Read]) -> Share:
    """Count the replies with this flag that were read as a danger sign, whatever flags they were given."""
    of = [one for one in reads if flag in one.case.flags]
    return Share(sum(one.reading.intent is Intent.RED_FLAG for one in of), len(of))


BENIGN_FALSE_ALARMS = Measure("false alarms, benign", _false_alarms, most=0.01)
MEASURES = (
    Measure("danger signs found", _recall(Intent.RED_FLAG), least=0.995),
    Measure("danger signs, precision", _precision(Intent.RED_FLAG)),
    Measure("false alarms", _false_alarms),
    Measure("danger or persisting read as resolved", _waved_through, most=0.0),
    Measure("opt-outs found", _recall(Intent.OPT_OUT), least=0.99),
    Measure("opt-outs, precision", _precision(Intent.OPT_OUT), least=0.99),
    Measure("score exact", _scores, least=0.99),
    Measure("intent right", _intents, least=0.97),
    Measure("flags exact, of danger signs found", _flags_exact),
)


def confusion(reads: Sequence[Read]) -> Counter[tuple[Intent, Intent]]:
    """Count what was read (second) as what (first)."""
    return Counter((one.case.intent, one.reading.intent) for one in reads)
