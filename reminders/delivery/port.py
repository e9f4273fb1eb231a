"""The carrier port: what the rest of the product asks of whoever carries texts and calls, and what it may answer.

A create has exactly four ends, and only two of them let the same message go out again:

    Accepted       the carrier has it, with its id
    Refused        the carrier said no, with a code: processed and final (unless its fault is `back_off`)
    NotProcessed   proven never processed (nothing was written, or told to come back later): safe to try again
    Unknown        the request may or may not have been processed: evidence decides, never a second try
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from reminders.core.carrier_errors import Fault

# Much may have been cancelled since a create was asked for: what has not begun by then is left to a later try.
BEGIN_WITHIN_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class OutgoingText:
    """One text to create. `validity_seconds`: how long the carrier may hold it, so that it never arrives at night.

    `wait_seconds`: how long after the call of `create` this one leaves; it holds no place in flight until then.
    `begin_within_seconds`: how long after that its first byte may leave at the latest. One that comes later, because
    the process stood still or all places were taken, is never begun: `NotProcessed`.
    """

    message_id: UUID
    from_number: str
    to_number: str
    body: str
    status_callback_url: str
    validity_seconds: int
    wait_seconds: float = 0.0
    begin_within_seconds: float = BEGIN_WITHIN_SECONDS


@dataclass(frozen=True, slots=True)
class OutgoingCall:
    """One call to place; the carrier asks `answer_url` what to say once somebody picks up. Waits as a text does."""

    message_id: UUID
    from_number: str
    to_number: str
    answer_url: str
    status_callback_url: str
    ring_seconds: int = 25
    wait_seconds: float = 0.0
    begin_within_seconds: float = BEGIN_WITHIN_SECONDS


@dataclass(frozen=True, slots=True)
class Accepted:
    sid: str


@dataclass(frozen=True, slots=True)
class Refused:
    fault: Fault
    code: int | None


@dataclass(frozen=True, slots=True)
class NotProcessed:
    """`retry_after_seconds`: how long the carrier asked to be left alone; `code`: what it named as the reason."""

    reason: str
    retry_after_seconds: float | None = None
    code: int | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    reason: str


CreateResult = Accepted | Refused | NotProcessed | Unknown


@dataclass(frozen=True, slots=True)
class CarrierRecord:
    """One text or call as the carrier lists it, newest first."""

    sid: str
    status: str
    body: str
    created_at: datetime
    error_code: int | None


class CarrierUnavailableError(Exception):
    """The carrier could not be asked; ask again later. Carries no words and no numbers of anybody."""


class Carrier(Protocol):
    """Who carries texts and calls."""

    def create(self, outgoing: Sequence[OutgoingText | OutgoingCall]) -> list[CreateResult]:
        """Create all of them, many in flight at once, each at most once; results stand in the order given.

        Never raises for one item: what cannot be known is `Unknown`. Any number of threads may call this at once.
        """
        ...

    def texts_between(self, *, from_number: str, to_number: str) -> list[CarrierRecord]:
        """List the newest texts from one number to another, without a date filter (fresh ones may miss there).

        Raises CarrierUnavailableError where the carrier cannot be asked.
        """
        ...

    def texts_by_sid(self, *, sids: Sequence[str]) -> dict[str, CarrierRecord]:
        """Return what the carrier says of each of its texts now, by id, asking for a few at a time.

        One that it does not know, or does not answer for, is left out. Raises CarrierUnavailableError where it answers
        for none.
        """
        ...

    def is_authentic(self, *, url: str, form: Mapping[str, Sequence[str]], headers: Mapping[str, str]) -> bool:
        """Tell whether a webhook was signed for this URL and form by our carrier. Never raises."""
        ...
