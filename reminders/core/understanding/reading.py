"""What a reply can be read as. The meaning of each word is the definition in the documentation of replies."""

from dataclasses import dataclass
from enum import StrEnum


class Intent(StrEnum):
    """What the reply is, in order of precedence: the first that fits is taken."""

    RED_FLAG = "red_flag"
    OPT_OUT = "opt_out"
    OPT_IN = "opt_in"
    HELP = "help"
    PERSISTS = "persists"
    RESOLVED = "resolved"
    QUESTION = "question"
    UNCLEAR = "unclear"


class Flag(StrEnum):
    """The serious signs a reply can carry."""

    BREATHING = "breathing"
    CHEST_PAIN = "chest_pain"
    BLEEDING = "bleeding"
    INFECTION = "infection"
    ALLERGIC = "allergic"
    NEURO = "neuro"
    FAINTING = "fainting"
    SEVERE_PAIN = "severe_pain"
    SELF_HARM = "self_harm"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Because:
    """A piece of the reply that decided: `text` is `reply[start:end]`, offsets in code points of the original."""

    rule: str
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Reading:
    """How one reply is read.

    `score` is the 0-10 number the patient gives for soreness now. `flags` is empty unless the intent is a red flag.
    `sure` is False where a person should look before anything is made of it. `language` is "en", "es" or "".
    `others_flags` are the signs that an unclear reply tells of somebody else, who may be the patient of a relative's
    text.
    """

    intent: Intent
    score: int | None
    flags: frozenset[Flag]
    because: tuple[Because, ...]
    sure: bool
    language: str
    others_flags: frozenset[Flag] = frozenset()
