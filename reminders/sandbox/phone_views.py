"""What the phones page shows, gathered from the ledger and the phonebook."""

import heapq
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from reminders.sandbox.clock import PhoneEntry
from reminders.sandbox.records import ENDED, Call, Message
from reminders.sandbox.wire import RECEIPT_ERRORS

if TYPE_CHECKING:
    from reminders.sandbox.carrier import Carrier

LISTED_PHONES = 200
SHOWN_LINES = 200
CALL_WORDS = {
    "queued": "about to ring",
    "ringing": "rings",
    "in-progress": "is connected",
    "completed": "ended",
    "busy": "was busy",
    "failed": "did not go through",
    "no-answer": "was not answered",
    "canceled": "was canceled",
}
ROLE_ORDER = {"clinician": 0, "patient": 1}


@dataclass(frozen=True, slots=True)
class Moment:
    """A time as a phone's owner reads it, with its zone named."""

    iso: str
    clock: str
    day: str
    zone: str


def moment(at: datetime, zone: str | None) -> Moment:
    """Return a moment in the owner's zone, or in UTC where none is known."""
    local = at.astimezone(ZoneInfo(zone) if zone else UTC)
    return Moment(at.isoformat(), local.strftime("%H:%M"), local.strftime("%a %d %b %Y"), local.strftime("%Z"))


@dataclass(frozen=True, slots=True)
class PhoneRow:
    """One phone in the list."""

    number: str
    label: str
    role: str
    preview: str
    at: Moment | None
    today: bool
    unread: int
    calling: str
    """`Ringing`, `On a call`, or empty."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chat: a text in either direction, or an ended call."""

    kind: str
    """`got` (to the phone), `wrote` (from it) or `call`."""
    text: str
    at: Moment
    other: str
    state: str
    bad: bool
    photos: int = 0


@dataclass(frozen=True, slots=True)
class Chat:
    """One phone, opened."""

    number: str
    label: str
    role: str
    zone: str
    lines: list[Line]
    hidden: int
    calls: list[Call]
    senders: list[str]
    rule: dict[str, object]


def _entry(book: Mapping[str, PhoneEntry], number: str) -> PhoneEntry:
    return book.get(number) or PhoneEntry("")


def state_words(carrier: "Carrier", message: Message) -> tuple[str, bool]:
    """Return a text's state in words, and whether something is wrong with it."""
    if message.direction == "inbound":
        answer = carrier.ledger.inbound_answers.get(message.sid)
        if answer is None:
            return "not posted: no inbound address is set", True
        if answer["status"] is None:
            return "the product could not be reached", True
        if answer["status"] >= 400:
            return f"the product refused it ({answer['status']})", True
        return "taken by the product", False
    if message.error_code is not None:
        reason = RECEIPT_ERRORS.get(message.error_code, "unknown error").lower()
        return f"{message.status}: {reason} ({message.error_code})", True
    words = {"sent": "sent, no receipt yet", "queued": "waiting", "accepted": "waiting for a sender"}
    return words.get(message.status, message.status), False


def ringing_calls(carrier: "Carrier") -> list[Call]:
    """Return the calls that are not over, oldest first."""
    return [call for call in carrier.ledger.calls.values() if call.status not in ENDED]


def phone_rows(
    carrier: "Carrier", book: Mapping[str, PhoneEntry], *, seen: Mapping[str, int], search: str = ""
) -> tuple[list[PhoneRow], int]:
    """Return the phones to list, ringing and newest first, then those only in the phonebook; and how many more."""
    threads = carrier.ledger.threads
    ringing = {call.to: "On a call" if call.status == "in-progress" else "Ringing" for call in ringing_calls(carrier)}
    wanted = search.casefold().strip()

    def matches(number: str) -> bool:
        return not wanted or wanted in number or wanted in _entry(book, number).label.casefold()

    def weight(number: str) -> tuple[bool, int]:
        thread = threads.get(number)
        return number in ringing, thread[-1].serial if thread else -1

    quiet = sorted(
        (n for n, entry in book.items() if n not in threads and n not in ringing and entry.role != "clinic"),
        key=lambda n: (ROLE_ORDER.get(book[n].role, 2), book[n].label),
    )
    lively = [n for n in {*threads, *ringing} if matches(n)]
    quiet = [n for n in quiet if matches(n)]
    numbers = [*heapq.nlargest(LISTED_PHONES, lively, key=weight), *quiet][:LISTED_PHONES]
    rows = [_row(carrier, book, number, seen=seen, calling=ringing.get(number, "")) for number in numbers]
    return rows, len(lively) + len(quiet) - len(rows)


def _row(
    carrier: "Carrier", book: Mapping[str, PhoneEntry], number: str, *, seen: Mapping[str, int], calling: str
) -> PhoneRow:
    entry = _entry(book, number)
    thread = [m for m in carrier.ledger.threads.get(number, ())[-20:] if not m.deleted]
    last = thread[-1] if thread else None
    preview = ""
    if last:
        preview = ("You: " if last.direction == "inbound" else "") + (last.body or ("Photo" if last.media else ""))
    unread = sum(m.direction != "inbound" and m.serial > seen.get(number, -1) for m in thread)
    at = moment(last.created_at, entry.zone) if last else None
    today = at is not None and at.day == moment(carrier.time.now(), entry.zone).day
    return PhoneRow(number, entry.label, entry.role, preview[:90], at, today, unread, calling)


def chat(carrier: "Carrier", book: Mapping[str, PhoneEntry], number: str) -> Chat:
    """Return one phone with its newest texts and ended calls, oldest first."""
    entry, ledger = _entry(book, number), carrier.ledger
    thread = [m for m in ledger.threads.get(number, ()) if not m.deleted]
    calls = [call for call in ledger.calls.values() if call.to == number]
    dated = [(m.created_at, _text_line(carrier, m, entry.zone)) for m in thread[-SHOWN_LINES:]]
    dated += [(c.created_at, _call_line(c, entry.zone)) for c in calls if c.status in ENDED]
    dated.sort(key=lambda pair: pair[0])
    return Chat(
        number=number,
        label=entry.label,
        role=entry.role,
        zone=entry.zone or "UTC",
        lines=[line for _, line in dated],
        hidden=max(0, len(thread) - SHOWN_LINES),
        calls=[call for call in calls if call.status not in ENDED],
        senders=_senders(carrier, book, thread),
        rule=ledger.numbers.get(number) or {},
    )


def _senders(carrier: "Carrier", book: Mapping[str, PhoneEntry], thread: list[Message]) -> list[str]:
    """Return the numbers a phone can write to: who wrote to it last comes first."""
    mine = [m.to if m.direction == "inbound" else m.sender or "" for m in reversed(thread)]
    others = [n for n, entry in book.items() if entry.role == "clinic"]
    known = [n for n, sent in carrier.ledger.by_sender.items() if any(m.direction != "inbound" for m in sent[-1:])]
    found = [n for n in dict.fromkeys([*mine, *others, *known]) if n]
    return found[:20] or [carrier.settings.pool_number]


def _text_line(carrier: "Carrier", message: Message, zone: str | None) -> Line:
    state, bad = state_words(carrier, message)
    wrote = message.direction == "inbound"
    at = moment(message.created_at, zone)
    other = message.to if wrote else message.sender or "a pool number"
    return Line("wrote" if wrote else "got", message.body, at, other, state, bad, len(message.media))


def _call_line(call: Call, zone: str | None) -> Line:
    keys = [line["text"] for line in call.said if line["kind"] == "pressed"]
    said = [line["text"] for line in call.said if line["kind"] == "said"]
    parts = [f"Call {CALL_WORDS[call.status]}"]
    if call.duration_seconds >= 1:
        parts.append(f"after {timedelta(seconds=call.duration_seconds)}")
    if keys:
        parts.append(f"keys pressed: {' '.join(keys)}")
    text = ", ".join(parts) + "."
    heard = " ".join(said)
    return Line(
        "call", f"{text} Heard: “{heard}”" if heard else text, moment(call.created_at, zone), call.sender, "", False
    )
