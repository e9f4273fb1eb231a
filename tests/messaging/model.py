"""The sending of texts as plain objects: the obvious rules, one text at a time, to hold the engine against.

It knows no SQL and no locks. A sender is either fast, so that its pace is no part of the story, or slow, so that it
lets one text go until its time comes again. Where the engine may choose (how long exactly a text waits after a try),
the model says what is allowed and takes over what was chosen.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from reminders.core.carrier_errors import Fault, fault_of
from reminders.core.states import CARRIER_RANK, CARRIER_STATE, MESSAGE_MOVES, REACHED_CARRIER, MessageState
from reminders.delivery.port import Accepted, CreateResult, NotProcessed, Refused, Unknown

UNSENT: Final = ("scheduled", "claimed")
NEVER_LEFT: Final = ("scheduled", "cancelled", "expired", "suppressed")
IN_FLIGHT: Final = ("sending", "ambiguous")
OPEN: Final = (*UNSENT, *IN_FLIGHT, "unresolved")
MOST_UNKNOWN_TRIES: Final = 4
LONGEST_OWN_WAIT: Final = timedelta(seconds=302)
PHONE_IS: Final = {
    Fault.NUMBER_INVALID: "dead",
    Fault.NUMBER_DEAD: "dead",
    Fault.NUMBER_CANNOT_TEXT: "landline",
    Fault.UNREACHABLE: "unreachable",
}


@dataclass
class Phone:
    """A patient's number, and what its owner last said."""

    number: str
    decision: str = "granted"
    state: str = "ok"
    voided: bool = False


@dataclass
class Line:
    """A sender."""

    pk: int
    is_slow: bool
    paused: bool = False
    clinic_paused: bool = False
    may_claim: bool = True
    may_leave: bool = True


@dataclass
class Try:
    """One create at the carrier: what came of it there, and what we were told. `told` is None while nobody knows."""

    number: int
    at: datetime
    told: CreateResult | None = None
    sid: str = ""

    @property
    def is_proven_unprocessed(self) -> bool:
        """Whether we know that the carrier never took it."""
        return isinstance(self.told, NotProcessed | Refused)


@dataclass
class Text:
    """One message as it should stand."""

    pk: int
    public_id: UUID
    person: int
    phone: Phone
    line: Line
    body: str
    priority: int
    unknown_policy: str
    consent_rule: str
    quiet_exempt: bool
    of_session: bool
    due_at: datetime
    expires_at: datetime
    state: str = "scheduled"
    fence: int = 0
    lease_ended: bool = False
    attempts: int = 0
    unknown_tries: int = 0
    withdrawn: str = ""
    sid: str = ""
    rank: int = -1
    error_code: int | None = None
    log: Counter[tuple[int, str]] = field(default_factory=Counter)
    tries: list[Try] = field(default_factory=list)
    in_place_of: "Text | None" = None
    unknown_since: datetime | None = None

    @property
    def seen(self) -> str:
        """What people see: that a worker holds it is nobody else's business."""
        return "scheduled" if self.state == "claimed" else self.state

    @property
    def is_unsent(self) -> bool:
        """Whether nothing of it is on its way."""
        return self.state in UNSENT

    @property
    def is_open(self) -> bool:
        """Whether it has not come to its end with us."""
        return self.state in OPEN

    def allows(self) -> bool:
        """Whether the newest decision about its phone lets it leave."""
        wanted = {"none": ("granted", "never", "revoked"), "not_revoked": ("granted", "never"), "granted": ("granted",)}
        return self.phone.decision in wanted[self.consent_rule]


@dataclass
class Book:
    """All texts, and what happens to them."""

    now: datetime
    lines: list[Line]
    texts: dict[int, Text] = field(default_factory=dict)
    second_ids: int = 0
    """How often the carrier showed a second id for a text that must not leave twice."""

    # -- claiming -----------------------------------------------------------------------------------------------------

    def claim(self, *, urgent: bool, limit: int) -> list[int]:
        """Claim what a scheduler would; return the ids in the order of leaving."""
        levels = [0] if urgent else [1, 2, 3]
        held = sum(text.state == "claimed" and text.priority in levels for text in self.texts.values())
        queue: list[tuple[int, int]] = []
        for line in self.lines:
            due = [text for text in self.texts.values() if text.line is line and text.priority in levels]
            due = [text for text in due if text.state == "scheduled" and text.due_at <= self.now]
            due.sort(key=lambda text: (text.priority, text.due_at, text.pk))
            if line.paused:
                continue
            if line.is_slow and not urgent:
                due = due[:1] if line.may_claim else []
            queue += [(place, text.pk) for place, text in enumerate(due)]
        chosen = [pk for _, pk in sorted(queue)[: max(0, limit - held)]]
        for pk in chosen:
            text = self.texts[pk]
            text.state, text.fence, text.lease_ended = "claimed", text.fence + 1, False
            text.line.may_claim = False
        return chosen

    def still_held(self, pk: int, fence: int) -> bool:
        """Whether a worker with this fence holds it."""
        text = self.texts[pk]
        return text.state == "claimed" and text.fence == fence

    def put_back(self, pk: int, fence: int, due_at: datetime | None = None) -> None:
        """Let it wait again, or expire where that is too late."""
        text = self.texts[pk]
        if self.still_held(pk, fence):
            text.state, text.due_at = "scheduled", due_at or text.due_at
            if due_at is not None and due_at > text.expires_at:
                text.state = "expired"

    def take_turns(self, rows: Sequence[int]) -> set[int]:
        """Return who may leave now: on a slow sender the first, and the urgent."""
        granted = set()
        first_of: set[int] = set()
        for text in (self.texts[pk] for pk in rows):
            is_first = text.line.pk not in first_of
            first_of.add(text.line.pk)
            in_time = not text.line.is_slow or (is_first and text.line.may_leave)
            if not text.line.paused and (in_time or text.priority == 0):
                granted.add(text.pk)
        for pk in granted:
            self.texts[pk].line.may_leave = False
        return granted

    def commit(self, rows: Sequence[tuple[int, int]]) -> dict[int, int]:
        """Pass the commit point with those that may; return the number of the try by id."""
        tries: dict[int, int] = {}
        for pk, fence in rows:
            text = self.texts[pk]
            if not self.still_held(pk, fence):
                continue
            if text.expires_at <= self.now:
                text.state = "expired"
            elif not text.allows():
                text.state = "suppressed"
            elif not text.lease_ended:
                text.state, text.attempts = "sending", text.attempts + 1
                tries[pk] = text.attempts
        return tries

    # -- what becomes of a try ----------------------------------------------------------------------------------------

    def settle(self, pk: int, number: int, unknown_tries: int, result: CreateResult, due_at: datetime | None) -> None:
        """Take over what the carrier answered to one try; `due_at` is when the engine would try again."""
        text = self.texts[pk]
        text.log[number, outcome_of(result)] += 1
        if isinstance(result, Accepted) and text.sid not in ("", result.sid):
            self.second_ids += text.unknown_policy == "settle"
        if number != text.attempts:
            return
        if isinstance(result, Accepted):
            if text.seen in ("sending", "ambiguous", "scheduled", "unresolved", "replaced"):
                if text.state in ("unresolved", "replaced"):
                    self.first_one_left(text)
                text.state, text.sid, text.error_code = "accepted", result.sid, None
            return
        if text.state not in IN_FLIGHT or (text.state == "ambiguous" and isinstance(result, Unknown)):
            return
        if text.state == "ambiguous":
            text.unknown_tries -= 1  # its lease ended, so it was taken for unknown: now it is known
        text.error_code = None if isinstance(result, Unknown) else result.code
        text.unknown_tries += isinstance(result, Unknown)
        goes_again = isinstance(result, NotProcessed)
        if isinstance(result, Refused):
            goes_again = result.fault in (Fault.ACCOUNT_STOPPED, Fault.SENDER_FAULT)
        if isinstance(result, Unknown):
            goes_again = text.unknown_policy == "resend" and unknown_tries + 1 < MOST_UNKNOWN_TRIES
        too_late = (due_at or self.now) >= text.expires_at
        if goes_again and not text.withdrawn and not too_late:
            text.state, text.due_at = "scheduled", due_at or text.due_at
        elif isinstance(result, Unknown) or (goes_again and text.unknown_tries > 0):
            text.state, text.unknown_since = "ambiguous", self.now
        elif goes_again:
            text.state = "cancelled" if text.withdrawn else "expired"
        elif isinstance(result, Refused):
            text.state = "suppressed" if result.fault is Fault.OPTED_OUT else "rejected"

    def sweep(self) -> None:
        """Leases that ended: what never left goes back, what may have left waits for evidence or goes once more."""
        for text in self.texts.values():
            if not text.lease_ended or text.state not in ("claimed", "sending"):
                continue
            text.fence += 1
            if text.state == "claimed":
                text.state = "scheduled"
                continue
            text.unknown_tries, text.unknown_since = text.unknown_tries + 1, self.now
            text.log[text.attempts, "unknown"] += 1
            again = text.unknown_policy == "resend" and not text.withdrawn and text.expires_at > self.now
            text.state = "scheduled" if again and text.unknown_tries < MOST_UNKNOWN_TRIES else "ambiguous"

    def expire(self) -> None:
        """What waits past its expiry is of no use any more."""
        for text in self.texts.values():
            if text.state == "scheduled" and text.due_at <= self.now and text.expires_at <= self.now:
                text.state = "expired"

    def hear(self, pk: int, sid: str, status: str, code: int | None) -> bool:
        """Take the carrier's word about one text; return whether it moved it."""
        text, state, rank = self.texts[pk], CARRIER_STATE[status], CARRIER_RANK[status]
        if text.sid not in ("", sid):
            self.second_ids += text.unknown_policy == "settle"
            return False
        if text.seen in NEVER_LEFT and text.attempts == 0:
            return False
        if state not in MESSAGE_MOVES[MessageState(text.seen)] and state != text.state:
            return False
        adds_a_code = rank == text.rank and state == text.state and text.error_code is None and code is not None
        if rank <= text.rank and not adds_a_code:
            return False
        if text.state in ("unresolved", "replaced", "undelivered", "failed") and state in REACHED_CARRIER:
            self.first_one_left(text)
        text.state, text.rank, text.sid = str(state), rank, sid
        text.error_code = code if code is not None else text.error_code
        if state in (MessageState.UNDELIVERED, MessageState.FAILED):
            self.act_on(text, fault_of(code=code))
        return True

    # -- what people, phones and senders do ---------------------------------------------------------------------------

    def take_back(self, texts: Iterable[Text], *, reason: str, state: str = "cancelled") -> None:
        """Drop what is unsent; what is in flight keeps the reason, should it come back."""
        for text in texts:
            if text.state in UNSENT:
                text.state = state
            elif text.state in IN_FLIGHT:
                text.withdrawn = text.withdrawn or reason

    def first_one_left(self, text: Text) -> None:
        """A text turned out to have left: the one that was to go in its place need not."""
        self.take_back([one for one in self.texts.values() if one.in_place_of is text], reason="first_one_left")

    def suppress(self, phone: Phone, reason: str) -> None:
        """Nothing more to this phone, but what needs no consent."""
        to_it = [text for text in self.texts.values() if text.phone is phone and text.consent_rule != "none"]
        self.take_back([text for text in to_it if text.is_open], reason=reason, state="suppressed")

    def stop(self, phone: Phone) -> None:
        """The patient opts out; a second time adds nothing."""
        if phone.decision != "revoked":
            phone.decision = "revoked"
            self.suppress(phone, "opted_out")

    def act_on(self, text: Text, fault: Fault) -> None:
        """What a refusal means for others."""
        if fault is Fault.SENDER_FAULT:
            text.line.paused = True
        elif fault is Fault.ACCOUNT_STOPPED:
            for line in self.lines:
                line.paused = True
        elif fault is Fault.OPTED_OUT:
            self.stop(text.phone)
        elif fault in PHONE_IS:
            text.phone.state = PHONE_IS[fault]
            if text.phone.state != "unreachable":
                self.suppress(text.phone, f"phone_{text.phone.state}")

    def may_be_sent_again(self, text: Text, due_at: datetime) -> bool:
        """Whether a person may send a text again that nobody knows the fate of."""
        return (
            text.state == "unresolved"
            and not (text.of_session and text.phone.voided)
            and not text.withdrawn
            and text.phone.state in ("ok", "unreachable")
            and text.allows()
            and due_at < text.expires_at
        )


def outcome_of(result: CreateResult) -> str:
    """The word for it in the log of tries."""
    return {Accepted: "accepted", Refused: "refused", NotProcessed: "not_processed", Unknown: "unknown"}[type(result)]
