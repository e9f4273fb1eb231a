"""What is wrong, in plain sentences, and what to do: one small judgement each over figures that were read already.

No judgement asks the database or a clock. `docs/monitoring.md` lists them by name; a test compares the two.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from reminders.insights import upkeep_checks
from reminders.insights.amounts import ago, many, span
from reminders.insights.clinic_gaps import ClinicGaps
from reminders.insights.figures import Figures
from reminders.insights.findings import Finding, Problem, attention, by_level, danger, found_by
from reminders.insights.heartbeats import FRESH_SECONDS, SCHEDULER

URGENT_UNTAKEN_SECONDS: Final = 300
DUE_TOO_OLD_SECONDS: Final = 60
UNREAD_TOO_OLD_SECONDS: Final = 60
UNPLANNED_TOO_OLD_SECONDS: Final = 60
# A fresh picture is here within seconds; the tries go on for an hour and twenty minutes.
PICTURE_TOO_OLD_SECONDS: Final = 900
# Evidence is looked for over 15 minutes, an hour where the carrier cannot be asked; then a person decides.
AMBIGUOUS_TOO_OLD_SECONDS: Final = 3600 + 300


@dataclass(frozen=True, slots=True)
class Facts:
    """What the judgements look at."""

    figures: Figures
    clinics: tuple[ClinicGaps, ...]
    has_real_carrier: bool


Found = Iterator[Problem]


def diagnose(facts: Facts) -> list[Finding]:
    """Return everything that is wrong, danger first."""
    return by_level([found_by(check, problem) for check, judge in CHECKS.items() for problem in judge(facts)])


def _processes(facts: Facts) -> Found:
    for one in facts.figures.duties:
        if one.alive:
            continue
        seen = "was never seen" if one.age_seconds is None else f"was last seen {ago(one.age_seconds)}"
        if one.kind == SCHEDULER:
            what = "sends due texts" if one.duty == "dispatch" else "rings ladders and sweeps up after lost tasks"
            command = "reminders scheduler"
        else:
            what, command = f"serves the queue {one.duty}", f"reminders worker --queues {one.duty}"
        yield danger(
            f"No {one.kind} that {what} is at work; one {seen}.",
            f"Start or restart `{command}` and read its log. A live one is seen within {FRESH_SECONDS:.0f} seconds.",
        )


def _clock(facts: Facts) -> Found:
    moved = facts.figures.clock_offset_seconds
    if moved and facts.has_real_carrier:
        yield danger(
            f"The clock was moved by {span(moved)} although a real carrier is set: texts leave at the wrong time.",
            "Stop the schedulers. This database was used with the sandbox: use another one for patients.",
        )


def _urgent_cases(facts: Facts) -> Found:
    urgent = facts.figures.untaken["urgent"]
    if urgent.oldest_seconds > URGENT_UNTAKEN_SECONDS:
        yield danger(
            f"Nobody has taken {many(urgent.count, 'urgent case')}; the oldest has waited "
            f"{span(urgent.oldest_seconds)}.",
            "Call the clinic's people now. Then look at its ladder: is everybody on it reachable?",
        )


def _overdue_cases(facts: Facts) -> Found:
    if facts.figures.overdue_cases:
        yield attention(
            f"Nobody took {many(facts.figures.overdue_cases, 'case')} by the time it was due.",
            "Open the clinic's Today page and take or hand over what stands on top.",
        )


def _sending(facts: Facts) -> Found:
    due = facts.figures.due
    if due.oldest_seconds > DUE_TOO_OLD_SECONDS:
        yield danger(
            f"Due texts do not leave: {due.count} are due, the oldest for {span(due.oldest_seconds)}.",
            "See whether a sender is held, then whether its queue is more than its allowed rate can carry, then the "
            "logs of the scheduler and of the workers that serve `send`.",
        )


def _senders(facts: Facts) -> Found:
    for sender in facts.figures.senders:
        if sender.is_paused:
            yield attention(
                f"Sender {sender.sender_id} of {sender.clinic} is held ({sender.paused_reason or 'no reason given'}); "
                f"{many(sender.due, 'due text')} on it.",
                "account_stopped: look at the account (money, suspension) and its token. sender_fault: look at the "
                "number and its registration. Sending is tried again by itself.",
            )


def _unknown_fate(facts: Facts) -> Found:
    unresolved, ambiguous = facts.figures.unresolved, facts.figures.ambiguous
    if unresolved.count:
        yield attention(
            f"Nobody knows whether {many(unresolved.count, 'text')} arrived; the oldest for "
            f"{span(unresolved.oldest_seconds)}.",
            "Somebody of the clinic decides on its delivery page: count it as sent, or send it again.",
        )
    if ambiguous.oldest_seconds > AMBIGUOUS_TOO_OLD_SECONDS:
        yield attention(
            f"No evidence about {many(ambiguous.count, 'text')} was found for {span(ambiguous.oldest_seconds)}.",
            "Look at the log of the workers that serve `tidy`: do they reach the carrier?",
        )


def _taken_twice(facts: Facts) -> Found:
    if facts.figures.second_carrier_ids:
        yield danger(
            f"The carrier took {many(facts.figures.second_carrier_ids, 'text')} twice.",
            "This must not happen. Keep the logs, look for `second_carrier_id` in them and in the audit record, and "
            "report it.",
        )


def _reports(facts: Facts) -> Found:
    if facts.figures.reports_of_nothing:
        yield attention(
            f"Within 24 hours {many(facts.figures.reports_of_nothing, 'status report')} named no text of ours.",
            "They are signed by the carrier, so: was this database set back to an older copy, or does another "
            "installation use our address? Texts sent after that copy are unknown here: read the carrier's log.",
        )


def _replies(facts: Facts) -> Found:
    unread, lost = facts.figures.unread, facts.figures.texts_to_nobody
    if unread.oldest_seconds > UNREAD_TOO_OLD_SECONDS:
        yield danger(
            f"{many(unread.count, 'reply', 'replies')} not read yet; the oldest for {span(unread.oldest_seconds)}.",
            "Look at the log of the workers that serve `think`. Danger signs do not wait for them.",
        )
    if lost:
        yield danger(
            f"Within 7 days {many(lost, 'text')} came to a number that is no sender of any clinic: nobody sees them.",
            "Add that number as a sender of its clinic, or take our address off it at the carrier. Then read these "
            "texts: the rows of incoming texts without a clinic.",
        )


def _pictures(facts: Facts) -> Found:
    waiting = facts.figures.pictures
    if waiting.oldest_seconds > PICTURE_TOO_OLD_SECONDS:
        yield attention(
            f"{many(waiting.count, 'picture')} from patients not fetched yet; the oldest for "
            f"{span(waiting.oldest_seconds)}.",
            "Look at the log of the workers that serve `tidy`: do they reach the carrier's media, and is its sign-in "
            "right? After an hour and twenty minutes a picture is given up.",
        )


def _plans(facts: Facts) -> Found:
    owed = facts.figures.sessions_owed_a_plan
    if owed.oldest_seconds > UNPLANNED_TOO_OLD_SECONDS:
        yield danger(
            f"{many(owed.count, 'treatment session')} without a plan; the oldest for {span(owed.oldest_seconds)}.",
            "Look whether its clinic has a sender, a protocol and all texts, then at the log of the workers that serve "
            "`send`.",
        )


def _clinics(facts: Facts) -> Found:
    if not facts.clinics:
        yield attention("There is no clinic.", "Make one with `reminders add-clinic`.")
    for clinic in facts.clinics:
        yield from _gaps(clinic)


def _gaps(clinic: ClinicGaps) -> Found:
    name = clinic.clinic
    if not clinic.senders:
        yield danger(
            f"{name} has no number to text from.", "Add one under Set-up, as its owner, or on its administration page."
        )
    if not clinic.reachable:
        yield danger(
            f"{name} has nobody to ring: none of its active staff has a phone.",
            "Give its staff their phones, and set up its ladder, on the administration pages.",
        )
    elif not clinic.rungs:
        yield attention(
            f"{name} has no on-call ladder; an urgent case texts everybody who has a phone, one after the other.",
            "Set it up under Set-up, as its owner, or on its administration page.",
        )
    if not clinic.has_protocol:
        yield danger(f"{name} has no protocol: its sessions get no texts.", "Publish its protocol.")
    if clinic.missing_texts:
        yield danger(
            f"{name} has no published text for {', '.join(clinic.missing_texts)}.",
            "Publish them on its texts page.",
        )
    if clinic.is_paused:
        yield attention(
            f"{name} is paused: nothing planned leaves, and what waits too long expires.",
            "End the pause under Set-up, as its owner, once its reason is gone.",
        )


def _database(facts: Facts) -> Found:
    yield from upkeep_checks.transactions(facts.figures.upkeep)
    yield from upkeep_checks.cleaning(facts.figures.upkeep)


def _history(facts: Facts) -> Found:
    yield from upkeep_checks.history(facts.figures.upkeep)


CHECKS: Final[Mapping[str, Callable[[Facts], Found]]] = {
    "processes": _processes,
    "clock": _clock,
    "urgent_cases": _urgent_cases,
    "overdue_cases": _overdue_cases,
    "sending": _sending,
    "senders": _senders,
    "unknown_fate": _unknown_fate,
    "taken_twice": _taken_twice,
    "reports": _reports,
    "replies": _replies,
    "pictures": _pictures,
    "plans": _plans,
    "clinics": _clinics,
    "upkeep": _database,
    "history": _history,
}
