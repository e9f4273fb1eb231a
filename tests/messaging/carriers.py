"""A carrier on paper: it speaks the port, says what it is told to say, and remembers what it was asked for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from reminders.delivery.port import (
    Accepted,
    CarrierRecord,
    CarrierUnavailableError,
    CreateResult,
    NotProcessed,
    OutgoingCall,
    OutgoingText,
)

_numbers = count(1)


def new_sid() -> str:
    """An id that no other text of this run has."""
    return f"SM{next(_numbers):032x}"


@dataclass
class PaperCarrier:
    """Accepts everything, unless `answers` says otherwise by phone; `meanwhile` happens while it is being asked."""

    answers: Mapping[str, CreateResult] = field(default_factory=dict)
    meanwhile: Callable[[], object] = lambda: None
    asked_for: list[OutgoingText | OutgoingCall] = field(default_factory=list)
    listed: Sequence[CarrierRecord] = ()
    can_be_asked: bool = True
    looks: int = 0
    looked_up: list[str] = field(default_factory=list)

    def create(self, outgoing: Sequence[OutgoingText | OutgoingCall]) -> list[CreateResult]:
        begun = [item for item in outgoing if item.begin_within_seconds > 0]
        self.asked_for += begun
        self.meanwhile()
        return [
            (self.answers.get(item.to_number) or Accepted(new_sid())) if item in begun else NotProcessed("stood_still")
            for item in outgoing
        ]

    def texts_between(self, *, from_number: str, to_number: str) -> list[CarrierRecord]:
        self.looks += 1
        if not self.can_be_asked:
            raise CarrierUnavailableError("TimeoutError")
        return list(self.listed)

    def texts_by_sid(self, *, sids: Sequence[str]) -> dict[str, CarrierRecord]:
        self.looked_up += sids
        if not self.can_be_asked:
            raise CarrierUnavailableError("TimeoutError")
        return {record.sid: record for record in self.listed if record.sid in sids}

    def is_authentic(self, *, url: str, form: Mapping[str, Sequence[str]], headers: Mapping[str, str]) -> bool:
        return True
