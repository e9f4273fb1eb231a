"""The bank of texts in both languages."""

import random
from collections.abc import Mapping
from typing import Final

from reminders.management.simulation import phrases_en, phrases_es
from reminders.management.simulation.meaning import Meaning

BANK: Final[Mapping[str, Mapping[Meaning, tuple[str, ...]]]] = {"en": phrases_en.PHRASES, "es": phrases_es.PHRASES}


def words_for(*, meaning: Meaning, language: str, score: int, chance: random.Random) -> str:
    """Return one way to say it in this language, with the number where the words hold one."""
    return chance.choice(BANK[language][meaning]).replace("{n}", str(score))
