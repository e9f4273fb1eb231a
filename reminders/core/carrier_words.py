"""What one word of the carrier does to one message: its rank only rises, whatever order the words come in."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from reminders.core.carrier_errors import fault_of
from reminders.core.states import (
    CALL_RANK,
    CALL_STATE,
    CARRIER_RANK,
    CARRIER_STATE,
    DROPPED,
    MESSAGE_MOVES,
    UNSENT,
    MessageState,
)

_STATES: Mapping[str, Mapping[str, MessageState]] = {"sms": CARRIER_STATE, "voice": CALL_STATE}
_RANKS: Mapping[str, Mapping[str, int]] = {"sms": CARRIER_RANK, "voice": CALL_RANK}
_NEVER_LEFT = UNSENT | DROPPED


@dataclass(frozen=True, slots=True)
class Word:
    """A status that we know, said of the carrier's own id; with an error code where it came with one."""

    state: MessageState
    rank: int
    carrier_sid: str
    error_code: int | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a message: its state, the highest rank so far, the carrier's id (empty where none came yet).

    `reason` is what the newest error code means; empty where the newest word came without one.
    """

    state: MessageState
    rank: int
    carrier_sid: str
    error_code: int | None
    attempts: int
    reason: str = ""


def word_of(*, status: str, carrier_sid: str, error_code: int | None, channel: str = "sms") -> Word | None:
    """Return what a status means, or None where it means nothing: an unknown status, or none of an id."""
    if not carrier_sid or status not in _RANKS[channel]:
        return None
    return Word(_STATES[channel][status], _RANKS[channel][status], carrier_sid, error_code)


def names_another(*, standing: Standing, word: Word) -> bool:
    """Tell whether the carrier speaks of another id than the one this message has: it took the message twice."""
    return standing.carrier_sid not in ("", word.carrier_sid)


def after(*, standing: Standing, word: Word) -> Standing | None:
    """Return what is known after a word, or None where the word changes nothing.

    A word of the same rank adds nothing but an error code that came without one before. What never left us cannot have
    arrived, so no word moves it.
    """
    if names_another(standing=standing, word=word):
        return None
    if standing.state in _NEVER_LEFT and standing.attempts == 0:
        return None
    if word.state is not standing.state and word.state not in MESSAGE_MOVES[standing.state]:
        return None
    completes = (
        word.rank == standing.rank
        and word.state is standing.state
        and standing.error_code is None
        and word.error_code is not None
    )
    if word.rank <= standing.rank and not completes:
        return None
    code = standing.error_code if word.error_code is None else word.error_code
    reason = "" if word.error_code is None else str(fault_of(code=word.error_code))
    return replace(
        standing, state=word.state, rank=word.rank, carrier_sid=word.carrier_sid, error_code=code, reason=reason
    )
