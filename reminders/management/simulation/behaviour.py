"""What somebody does with a text that reaches their phone: what they write back, and after how long."""

import random
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

from reminders.management.simulation import rates
from reminders.management.simulation.cohort import Visit
from reminders.management.simulation.meaning import Meaning
from reminders.management.simulation.phrases import words_for

# How the answers of the first hour and of the hours after it are spread: nobody's source.
MEDIAN_MINUTES, SPREAD_MINUTES = 8.0, 1.0
HOUR_MINUTES, LATEST_MINUTES = 60.0, 20 * 60.0
AWAKE_FROM, ASLEEP_FROM = time(7), time(22)
PERSISTS, VERY_SORE, FINE = 4, 7, 0
NUMBERS: Final = {"better": "11", "same": "12", "worse": "13"}
TREND_MEANING: Final = {
    "better": Meaning.TREND_BETTER, "same": Meaning.TREND_SAME, "worse": Meaning.TREND_WORSE,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reply:
    """A text that somebody will write. `score` is how sore they are then, whatever the words say of it."""

    at: datetime
    body: str
    meaning: Meaning
    score: int
    answers: str
    """What it answers: `question`, `trend`, `clarify`, or `nothing` (it comes by itself)."""
    kind: str = ""
    """Which question: `check_in` or `recheck`."""


class Voice:
    """How one patient answers about one session; the same questions get the same answers in every run of a seed."""

    def __init__(self, *, seed: int, visit: Visit) -> None:
        self._seed = seed
        self._visit = visit

    def alarm(self) -> Reply | None:
        """Return the text of somebody whose major event makes them write by themselves, at any hour."""
        visit = self._visit
        if visit.danger_after is None or not (visit.writes_at_once or visit.danger_after >= timedelta(hours=24)):
            return None
        return self._say(Meaning.DANGER, visit.ended_at + visit.danger_after, self._chance("alarm"), "nothing")

    def answer_question(self, *, kind: str, asked_at: datetime) -> Reply | None:
        """Return the answer to a check-in or a re-check, or None from those who never answer.

        Who has a major event by then, and has not written yet, answers and says so.
        """
        chance, visit = self._chance(kind), self._visit
        answers = chance.random() < rates.REPLIES.value
        at = self._when(asked_at, chance)
        if kind == "check_in" and visit.danger_after is not None and self.alarm() is None:
            return self._say(Meaning.DANGER, at, chance, "question", kind)
        if not answers:
            return None
        if chance.random() < rates.OPTS_OUT.value:
            return self._say(Meaning.OPT_OUT, at, chance, "question", kind)
        if not visit.patient.keeps_to_format and chance.random() < rates.NEEDS_STAFF.value:
            return self._say(chance.choice((Meaning.QUESTION, Meaning.CHATTER)), at, chance, "question", kind)
        return self._say(self._meaning(at, chance), at, chance, "question", kind)

    def answer_trend(self, *, asked_at: datetime) -> Reply | None:
        """Return the answer to "better, the same or worse?"."""
        chance = self._chance("trend")
        if chance.random() >= rates.REPLIES.value:
            return None
        trend = chance.choice(("same", "worse")) if self._visit.is_aggravated else chance.choice(("better", "same"))
        at = self._when(asked_at, chance)
        if self._visit.patient.keeps_to_format:
            return Reply(at, NUMBERS[trend], TREND_MEANING[trend], self._visit.soreness(at), "trend")
        return self._say(TREND_MEANING[trend], at, chance, "trend")

    def answer_clarify(self, *, asked_at: datetime) -> Reply | None:
        """Return what comes when a number is asked for once more: now most give one."""
        chance = self._chance("clarify")
        if chance.random() >= rates.REPLIES.value:
            return None
        at = self._when(asked_at, chance)
        meaning = Meaning.NUMBER if chance.random() < 0.5 else self._meaning(at, chance)
        return self._say(meaning, at, chance, "clarify")

    def _chance(self, what: str) -> random.Random:
        return random.Random(f"{self._seed}/{self._visit.id}/{what}")  # noqa: S311 variety, not secrecy

    def _say(self, meaning: Meaning, at: datetime, chance: random.Random, answers: str, kind: str = "") -> Reply:
        score = self._visit.soreness(at)
        body = words_for(meaning=meaning, language=self._visit.patient.language, score=score, chance=chance)
        return Reply(at, body, meaning, score, answers, kind)

    def _meaning(self, at: datetime, chance: random.Random) -> Meaning:
        score = self._visit.soreness(at)
        if self._visit.patient.keeps_to_format:
            with_words = Meaning.NUMBER_HIGH if score >= PERSISTS else Meaning.NUMBER_LOW
            return with_words if chance.random() < 0.3 and score != FINE else Meaning.NUMBER
        if score >= PERSISTS:
            return Meaning.VERY_SORE if score >= VERY_SORE else Meaning.SORE
        if self._visit.has_bruise and chance.random() < 0.5:
            return Meaning.BRUISE
        return Meaning.FINE if score == FINE else Meaning.MILD

    def _when(self, asked_at: datetime, chance: random.Random) -> datetime:
        """Return when the answer is written: within the hour or later, by the rates; nobody writes in their sleep."""
        if chance.random() < rates.WITHIN_HOUR.value:
            minutes = MEDIAN_MINUTES * chance.lognormvariate(0, SPREAD_MINUTES)
            while minutes > HOUR_MINUTES:
                minutes = MEDIAN_MINUTES * chance.lognormvariate(0, SPREAD_MINUTES)
        else:
            minutes = chance.uniform(HOUR_MINUTES, LATEST_MINUTES)
        return _awake((asked_at + timedelta(minutes=minutes)).astimezone(self._visit.patient.zone), chance)


def _awake(local: datetime, chance: random.Random) -> datetime:
    """Return a moment of the day: what would be written at night is written in the morning."""
    if AWAKE_FROM <= local.time() < ASLEEP_FROM:
        return local
    morning = local if local.time() < AWAKE_FROM else local + timedelta(days=1)
    return morning.replace(hour=AWAKE_FROM.hour, minute=chance.randrange(60), second=0, microsecond=0)
