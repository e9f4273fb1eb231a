"""The slow, obvious twin of each hand-written statement: loops over all rows, one rule after the other."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from tests.messaging.twin_tables import DB_NOW, Row, Tables, later

KEEP, AHEAD, LONGEST_WAIT, LONGEST_URGENT_WAIT = 0.975, 0.1, 0.5, 0.25
OPEN = ("scheduled", "sending", "ambiguous", "unresolved")


def claim_due(
    tables: Tables, *, now: datetime, priorities: Sequence[int], urgent: bool, limit: int, lease_seconds: int
) -> dict[int, tuple[int, int]]:
    """Claim; return fence and place by id."""
    candidates = []
    for sender in tables.senders.values():
        if _is_paused(sender) or not (urgent or sender["claimed_until"] < later(DB_NOW, AHEAD)):
            continue
        free_at, parts = max(sender["claimed_until"], DB_NOW), 0
        for place, row in enumerate(_due(tables, sender, priorities, now), start=1):
            if urgent or later(free_at, parts * _per_part(sender)) < later(DB_NOW, AHEAD):
                candidates.append((place, row["message_id"]))
            parts += row["segments"]
    held = sum(row["state"] == "claimed" and row["priority"] in priorities for row in tables.outbox.values())
    chosen = sorted(candidates)[: max(0, limit - held)]
    claimed = {}
    for sender in tables.senders.values():
        parts = sum(tables.outbox[pk]["segments"] for _, pk in chosen if tables.outbox[pk]["sender_id"] == sender["id"])
        if parts:
            sender["claimed_until"] = later(max(sender["claimed_until"], DB_NOW), parts * _per_part(sender))
    for place, pk in chosen:
        row = tables.outbox[pk]
        row.update(state="claimed", fence=row["fence"] + 1, changed_at=now, lease_until=later(DB_NOW, lease_seconds))
        claimed[pk] = (row["fence"], place)
    return claimed


def next_turn(tables: Tables, *, now: datetime, priorities: Sequence[int]) -> float | None:
    """Return in how many seconds a claim may find something."""
    turns = []
    for sender in tables.senders.values():
        for row in _due(tables, sender, priorities, now):
            at = DB_NOW if row["priority"] == 0 else sender["claimed_until"] - timedelta(seconds=AHEAD / 2)
            turns.append(max(at, sender["paused_until"] or DB_NOW, DB_NOW))
    return (min(turns) - DB_NOW).total_seconds() if turns else None


def look(tables: Tables, held: Mapping[int, int]) -> list[tuple[int, int]]:
    """Return who is still held, in the order of leaving."""
    rows = [row for row in tables.outbox.values() if _is_held(row, held)]
    rows.sort(key=lambda row: (row["priority"], row["due_at"], row["message_id"]))
    return [(row["message_id"], row["fence"]) for row in rows]


def take_turns(tables: Tables, asked: Sequence[Row]) -> dict[int, float]:
    """Return in how many seconds each may leave, by id."""
    waits = {}
    for sender in tables.senders.values():
        parts = granted = 0
        free_at = max(sender["turns_until"], DB_NOW)
        for row in asked:
            if row["sender_id"] != sender["id"] or _is_paused(sender):
                continue
            at = later(free_at, parts * _per_part(sender))
            parts += row["segments"]
            if row["priority"] != 0 and at > later(DB_NOW, LONGEST_WAIT):
                continue
            wait = (at - DB_NOW).total_seconds()
            waits[row["message_id"]] = min(wait, LONGEST_URGENT_WAIT) if row["priority"] == 0 else wait
            granted += row["segments"]
        if granted:
            sender["turns_until"] = later(free_at, granted * _per_part(sender))
    return waits


def commit_to_send(tables: Tables, held: Mapping[int, int], *, now: datetime, lease_seconds: int) -> dict[int, int]:
    """Pass the commit point; return the number of the try by id."""
    tries = {}
    for pk, row in tables.outbox.items():
        if not _is_held(row, held) or row["lease_until"] <= DB_NOW:
            continue
        if row["expires_at"] <= now or not _consent_holds(tables, row):
            continue
        row.update(state="sending", attempts=row["attempts"] + 1, began_at=now, changed_at=now)
        row["lease_until"] = later(DB_NOW, lease_seconds)
        tables.messages[pk].update(state="sending", attempts=row["attempts"], changed_at=now)
        tries[pk] = row["attempts"]
    return tries


def dismiss(tables: Tables, held: Mapping[int, int], *, now: datetime) -> None:
    """Drop what is held and must not leave."""
    for pk, row in list(tables.outbox.items()):
        if not _is_held(row, held):
            continue
        if row["expires_at"] <= now:
            _end(tables, pk, "expired", "found_past_expiry", now)
        elif not _consent_holds(tables, row):
            _end(tables, pk, "suppressed", "no_consent", now)


def put_back(tables: Tables, held: Mapping[int, int], due: Mapping[int, datetime | None], *, now: datetime) -> None:
    """Let what is held wait again."""
    for pk, row in list(tables.outbox.items()):
        if not _is_held(row, held):
            continue
        asked = due[pk]
        row.update(state="scheduled", changed_at=now, lease_until=None, due_at=asked or row["due_at"])
        if asked is not None and asked > row["expires_at"]:
            tables.messages[pk]["due_at"] = asked
            _end(tables, pk, "expired", "found_past_expiry", now)
        elif tables.messages[pk]["due_at"] != row["due_at"]:
            tables.messages[pk].update(due_at=row["due_at"], changed_at=now)


def settle(tables: Tables, answers: Sequence[Row], *, began: datetime, now: datetime) -> dict[int, str]:
    """Take over the carrier's answers; return in which state each was found that moved."""
    moved = {}
    for answer in answers:
        pk, message = answer["id"], tables.messages[answer["id"]]
        log = (message["clinic_id"], pk, answer["try"], began, now, answer["outcome"], answer["code"], answer["sid"])
        tables.log.append(log)
        seen, state, reason = message["state"], answer["state"], answer["reason"]
        if seen == "sending":
            counts = True
        elif seen == "ambiguous":
            counts = state != "ambiguous"
        else:
            counts = seen in ("scheduled", "unresolved", "replaced") and state == "accepted"
        if message["attempts"] != answer["try"] or not counts:
            continue
        row = tables.outbox.get(pk)
        if state == "scheduled":
            assert row is not None
            state, reason = _may_wait(message, row, answer, now)
        if row is not None:
            doubts = max(0, row["unknown_tries"] - 1) if seen == "ambiguous" else row["unknown_tries"]
            row["unknown_tries"] = doubts + (answer["outcome"] == "unknown")
            row.update(
                state=state, due_at=answer["due"] or row["due_at"], changed_at=now, lease_until=None, look_at=now
            )
        message.update(carrier_sid=answer["sid"], error_code=answer["code"])
        if state == "scheduled" and answer["due"]:
            message["due_at"] = answer["due"]
        if state == "accepted":
            message["accepted_at"] = now
        _end(tables, pk, state, reason, now)
        moved[pk] = seen
    return moved


def _may_wait(message: Row, row: Row, answer: Row, now: datetime) -> tuple[str, str]:
    """What becomes of one that would wait again."""
    is_late = (answer["due"] or now) >= message["expires_at"]
    if not message["withdrawn"] and not is_late:
        return "scheduled", answer["reason"]
    reason = message["withdrawn"] or "found_past_expiry"
    other_doubts = row["unknown_tries"] - (message["state"] == "ambiguous")
    if answer["outcome"] == "unknown" or other_doubts > 0:
        return "ambiguous", reason
    return ("cancelled" if message["withdrawn"] else "expired"), reason


def sweep_leases(tables: Tables, *, now: datetime, resend_limit: int) -> dict[int, str]:
    """Settle what leases left behind; return the new states."""
    swept = {}
    for pk, row in tables.outbox.items():
        if row["state"] not in ("claimed", "sending") or row["lease_until"] >= DB_NOW:
            continue
        message, was = tables.messages[pk], row["state"]
        row.update(state="scheduled", fence=row["fence"] + 1, changed_at=now, look_at=now, lease_until=None)
        if was == "sending":
            row["unknown_tries"] += 1
            goes_again = row["unknown_policy"] == "resend" and not message["withdrawn"] and row["expires_at"] > now
            row["state"] = "scheduled" if goes_again and row["unknown_tries"] < resend_limit else "ambiguous"
            message.update(state=row["state"], reason="lease_ended", changed_at=now)
            tables.log.append((row["clinic_id"], pk, row["attempts"], row["began_at"], now, "unknown", None, ""))
        swept[pk] = row["state"]
    return swept


def expire_overdue(tables: Tables, *, now: datetime) -> None:
    """Expire what waits past its time."""
    for pk, row in list(tables.outbox.items()):
        if row["state"] == "scheduled" and row["due_at"] <= now and row["expires_at"] <= now:
            _end(tables, pk, "expired", "found_past_expiry", now)


def _due(tables: Tables, sender: Row, priorities: Sequence[int], now: datetime) -> list[Row]:
    due = [
        row
        for row in tables.outbox.values()
        if row["sender_id"] == sender["id"]
        and row["state"] == "scheduled"
        and row["priority"] in priorities
        and row["due_at"] <= now
    ]
    return sorted(due, key=lambda row: (row["priority"], row["due_at"], row["message_id"]))


def _is_paused(sender: Row) -> bool:
    return sender["paused_until"] is not None and sender["paused_until"] > DB_NOW


def _per_part(sender: Row) -> float:
    return float(1.0 / (sender["parts_per_second"] * KEEP))


def _is_held(row: Row, held: Mapping[int, int]) -> bool:
    return bool(row["state"] == "claimed" and held.get(row["message_id"]) == row["fence"])


def _consent_holds(tables: Tables, row: Row) -> bool:
    decision = tables.decisions[row["clinic_id"], row["to_number"]]
    allowed: dict[str, tuple[Any, ...]] = {
        "none": ("granted", "never", "revoked"),
        "not_revoked": ("granted", "never"),
        "granted": ("granted",),
    }
    return decision in allowed[row["consent_rule"]]


def _end(tables: Tables, pk: int, state: str, reason: str, now: datetime) -> None:
    """Move the message; one that has come to its end has no row in the outbox."""
    tables.messages[pk].update(state=state, reason=reason, changed_at=now)
    if state not in OPEN:
        tables.outbox.pop(pk, None)
