"""Legal moves of every noun that has a life: one table each, to check any state change against."""

from collections.abc import Mapping
from enum import StrEnum


class MessageState(StrEnum):
    """Where one outgoing text or call stands. The row is the truth; the carrier's word only moves it forward."""

    SCHEDULED = "scheduled"
    CLAIMED = "claimed"
    SENDING = "sending"
    ACCEPTED = "accepted"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    REJECTED = "rejected"
    AMBIGUOUS = "ambiguous"
    UNRESOLVED = "unresolved"
    REPLACED = "replaced"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    SUPPRESSED = "suppressed"


_S = MessageState
_CARRIER_WORD = frozenset({_S.SENT, _S.DELIVERED, _S.UNDELIVERED, _S.FAILED})
_DROPPED = frozenset({_S.CANCELLED, _S.EXPIRED, _S.SUPPRESSED})

# A message that waits again after a try that was taken for lost may turn out to have arrived.
_PROOF_OF_AN_EARLIER_TRY = frozenset({_S.ACCEPTED}) | _CARRIER_WORD
# What our own request can find out. One that was never processed waits again, or is dropped where that is too late.
_ANSWERED = frozenset({_S.ACCEPTED, _S.REJECTED, _S.SCHEDULED}) | _DROPPED

MESSAGE_MOVES: Mapping[MessageState, frozenset[MessageState]] = {
    _S.SCHEDULED: frozenset({_S.CLAIMED}) | _DROPPED | _PROOF_OF_AN_EARLIER_TRY,
    _S.CLAIMED: frozenset({_S.SCHEDULED, _S.SENDING}) | _DROPPED | _PROOF_OF_AN_EARLIER_TRY,
    # A callback may overtake our own settle, so `sending` can reach any word of the carrier directly.
    _S.SENDING: frozenset({_S.AMBIGUOUS}) | _ANSWERED | _CARRIER_WORD,
    # An answer that comes after its lease ended still counts: it is the best evidence there is.
    _S.AMBIGUOUS: frozenset({_S.UNRESOLVED}) | _ANSWERED | _CARRIER_WORD,
    # A person decides: it counts as sent, or a new text takes its place.
    _S.UNRESOLVED: frozenset({_S.ACCEPTED, _S.REPLACED}) | _CARRIER_WORD,
    # Proof that comes after the decision is believed all the same.
    _S.REPLACED: frozenset({_S.ACCEPTED}) | _CARRIER_WORD,
    _S.ACCEPTED: _CARRIER_WORD,
    _S.SENT: frozenset({_S.DELIVERED, _S.UNDELIVERED, _S.FAILED}),
    # A late `delivered` after `undelivered` is believed and never sent again.
    _S.UNDELIVERED: frozenset({_S.DELIVERED}),
    _S.FAILED: frozenset({_S.DELIVERED}),
    _S.DELIVERED: frozenset(),
    _S.REJECTED: frozenset(),
    # One that was dropped while it waited for another try may have arrived with the one before.
    _S.CANCELLED: _PROOF_OF_AN_EARLIER_TRY,
    _S.EXPIRED: _PROOF_OF_AN_EARLIER_TRY,
    _S.SUPPRESSED: _PROOF_OF_AN_EARLIER_TRY,
}

UNSENT = frozenset({_S.SCHEDULED, _S.CLAIMED})
"""Nothing has left: a cancel or an opt-out still wins."""

IN_FLIGHT = frozenset({_S.SENDING, _S.AMBIGUOUS})
"""It may come back unsent; a cancel that meets it is kept on the row until that is known."""

IN_OUTBOX = UNSENT | IN_FLIGHT | {_S.UNRESOLVED}
"""It has not come to its end with us: it has a row in the outbox."""

LEFT = frozenset({_S.SENDING, _S.AMBIGUOUS, _S.UNRESOLVED, _S.ACCEPTED, _S.SENT, _S.DELIVERED, _S.UNDELIVERED})
"""The patient may have it, so a new plan must not send the same step again."""

REACHED_CARRIER = frozenset({_S.ACCEPTED, _S.SENT, _S.DELIVERED})
"""The carrier has it and has not said that it failed: a check-in in one of these states waits for its answer."""

CARRIER_HAS_JUDGED = REACHED_CARRIER | {_S.UNDELIVERED, _S.FAILED, _S.REJECTED}
"""The carrier took it or refused it: what it asks has been asked, as far as it ever will be."""

DROPPED = _DROPPED

MISSED = frozenset({_S.EXPIRED, _S.SUPPRESSED, _S.REJECTED, _S.UNDELIVERED, _S.FAILED})
"""The patient did not get it although it was planned, and nobody took it back on purpose."""

NOT_SURE_TO_ARRIVE = MISSED | {_S.AMBIGUOUS, _S.UNRESOLVED}
"""What the clinic has to see: it did not arrive, or nobody knows."""

TERMINAL = (
    frozenset(state for state, moves in MESSAGE_MOVES.items() if moves <= {_S.DELIVERED})
    | {_S.UNRESOLVED, _S.REPLACED}
    | _DROPPED
)

# Source: Twilio's message status guide; order of callbacks is not guaranteed, so only a higher rank is applied.
CARRIER_RANK: Mapping[str, int] = {
    "scheduled": 0,
    "accepted": 1,
    "queued": 2,
    "sending": 3,
    "sent": 4,
    "undelivered": 5,
    "failed": 5,
    "canceled": 5,
    "delivered": 6,
    "read": 7,
}

CARRIER_STATE: Mapping[str, MessageState] = {
    "scheduled": _S.ACCEPTED,
    "accepted": _S.ACCEPTED,
    "queued": _S.ACCEPTED,
    "sending": _S.ACCEPTED,
    "sent": _S.SENT,
    "undelivered": _S.UNDELIVERED,
    "failed": _S.FAILED,
    "canceled": _S.FAILED,
    "delivered": _S.DELIVERED,
    "read": _S.DELIVERED,
}

# The same idea for calls. `completed` says that a call ended, not that anyone acknowledged.
CALL_RANK: Mapping[str, int] = {
    "queued": 1,
    "initiated": 2,
    "ringing": 3,
    "in-progress": 4,
    "answered": 4,
    "busy": 5,
    "no-answer": 5,
    "failed": 5,
    "canceled": 5,
    "completed": 6,
}

CALL_STATE: Mapping[str, MessageState] = {
    "queued": _S.ACCEPTED,
    "initiated": _S.ACCEPTED,
    "ringing": _S.SENT,
    "in-progress": _S.SENT,
    "answered": _S.SENT,
    "busy": _S.UNDELIVERED,
    "no-answer": _S.UNDELIVERED,
    "failed": _S.FAILED,
    "canceled": _S.FAILED,
    "completed": _S.DELIVERED,
}


class CheckInState(StrEnum):
    """A question that waits for an answer."""

    OPEN = "open"
    ANSWERED = "answered"
    SILENT = "silent"
    CLOSED = "closed"


CHECK_IN_MOVES: Mapping[CheckInState, frozenset[CheckInState]] = {
    CheckInState.OPEN: frozenset({CheckInState.ANSWERED, CheckInState.SILENT, CheckInState.CLOSED}),
    CheckInState.SILENT: frozenset({CheckInState.ANSWERED}),
    CheckInState.ANSWERED: frozenset(),
    CheckInState.CLOSED: frozenset(),
}


class EscalationState(StrEnum):
    """Work for a named human."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


ESCALATION_MOVES: Mapping[EscalationState, frozenset[EscalationState]] = {
    EscalationState.OPEN: frozenset({EscalationState.ACKNOWLEDGED, EscalationState.RESOLVED}),
    EscalationState.ACKNOWLEDGED: frozenset({EscalationState.RESOLVED}),
    EscalationState.RESOLVED: frozenset(),
}


class Severity(StrEnum):
    """How soon a human must look: at once, in today's opening hours, or in the next worklist round."""

    URGENT = "urgent"
    SAME_DAY = "same_day"
    ROUTINE = "routine"


SEVERITY_RANK: Mapping[Severity, int] = {Severity.URGENT: 0, Severity.SAME_DAY: 1, Severity.ROUTINE: 2}
