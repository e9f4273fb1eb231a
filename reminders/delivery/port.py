"""The carrier port: what the rest of the product asks of whoever carries texts and calls, and what it may answer.

A create has exactly four ends, and only two of them let the same message go out again:

    Accepted       the carrier has it, with its id
    Refused        the carrier said no, with a code: processed and final (unless its fault is `back_off`)
    NotProcessed   proven never processed (no connection, or told to come back later): safe to try again
    Unknown        the request may or may not have been processed: evidence decides, never a second try
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from reminders.core.carrier_errors import Fault


@dataclass(frozen=True, slots=True)
class OutgoingText:
    """One text to create. `validity_seconds`: how long the carrier may hold it, so that it never arrives at night."""

    message_id: UUID
    from_number: str
    to_number: str
    body: str
    status_callback_url: str
    validity_seconds: int


@dataclass(frozen=True, slots=True)
class OutgoingCall:
    """One call to place; the carrier asks `answer_url` what to say once somebody picks up."""

    message_id: UUID
    from_number: str
    to_number: str
    answer_url: str
    status_callback_url: str
    ring_seconds: int = 25


@dataclass(frozen=True, slots=True)
class Accepted:
    sid: str


@dataclass(frozen=True, slots=True)
class Refused:
    fault: Fault
    code: int | None


@dataclass(frozen=True, slots=True)
class NotProcessed:
    reason: str
    retry_after_seconds: float | None = None


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

        Never raises for one item: what cannot be known is `Unknown`.
        """
        ...

    def texts_between(self, *, from_number: str, to_number: str) -> list[CarrierRecord]:
        """List the newest texts from one number to another, without a date filter (fresh ones may miss there).

        Raises CarrierUnavailableError where the carrier cannot be asked.
        """
        ...

    def is_authentic(self, *, url: str, form: Mapping[str, Sequence[str]], headers: Mapping[str, str]) -> bool:
        """Tell whether a webhook was signed for this URL and form by our carrier. Never raises."""
        ...
